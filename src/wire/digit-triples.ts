// Decimal digits, three at a time, from a table.

const ZERO = 0x30
/** By a number below 1000: its three digits, in the order in which they are written. */
const TRIPLES = new Int32Array(1000)
for (let value = 0; value < 1000; value++)
  TRIPLES[value] =
    (ZERO + Math.floor(value / 100)) | ((ZERO + (Math.floor(value / 10) % 10)) << 8) | ((ZERO + (value % 10)) << 16)

/** Writes a number below 1000 as three digits, and a byte more, which is anything; returns the offset behind the digits. */
export function writeTriple(target: DataView, at: number, value: number): number {
  target.setInt32(at, TRIPLES[value]!, true)
  return at + 3
}

/** The same without zeros in front. */
export function writeShort(target: DataView, at: number, value: number): number {
  const zeros = value < 100 ? (value < 10 ? 2 : 1) : 0
  target.setInt32(at, TRIPLES[value]! >>> (8 * zeros), true)
  return at + 3 - zeros
}

/** Writes a number below 10^6 without zeros in front, and a byte more; returns the offset behind the digits. */
export function writeSmall(target: DataView, at: number, value: number): number {
  if (value < 1000) return writeShort(target, at, value)
  const thousands = (value / 1000) | 0
  return writeTriple(target, writeShort(target, at, thousands), value - thousands * 1000)
}

/** Writes a number below 10^6 as six digits, and a byte more; returns the offset behind the digits. */
export function writeSixDigits(target: DataView, at: number, value: number): number {
  const thousands = (value / 1000) | 0
  return writeTriple(target, writeTriple(target, at, thousands), value - thousands * 1000)
}
