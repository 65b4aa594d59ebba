// Hashes of bytes, for keys: a checksum, and a way to make one number of two.

// crc32 with the IEEE polynomial, bits reversed.
const IEEE_REVERSED = 0xedb88320

const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte
  for (let bit = 0; bit < 8; bit++) value = (value & 1) === 0 ? value >>> 1 : (value >>> 1) ^ IEEE_REVERSED
  return value
})

/** Of no bytes at all: what crcOf() begins with. */
export const EMPTY_CRC = 0

/** The checksum of what `crc` is the checksum of, followed by `bytes[start, end)`. */
export function crcOf(crc: number, bytes: Uint8Array, start = 0, end = bytes.length): number {
  let state = ~crc
  for (let i = start; i < end; i++) state = (state >>> 8) ^ CRC_TABLE[(state ^ bytes[i]!) & 0xff]!
  return ~state >>> 0
}

/** One number of two, so that neither their order nor a common part cancels out (the finish of MurmurHash3). */
export function mix(a: number, b: number): number {
  let value = (Math.imul(a, 0x9e3779b1) ^ b) | 0
  value = Math.imul(value ^ (value >>> 16), 0x85ebca6b)
  value = Math.imul(value ^ (value >>> 13), 0xc2b2ae35)
  return (value ^ (value >>> 16)) >>> 0
}
