// Numbers as protobuf writes them. All readers take the array and an offset inside checked bytes; none allocates.
//
// A 64-bit value is two u32 halves, or a double: exact up to 2^53, the nearest double above. Never a BigInt.

/** Wire types that a field may have; the two group types are history and refused at the door. */
export const WIRE = { VARINT: 0, FIXED64: 1, LEN: 2, FIXED32: 5 } as const

/** Bytes that `value` takes as a varint; `value` is a whole number from 0 to 2^53. */
export function varintSize(value: number): number {
  if (value < 0x80) return 1
  if (value < 0x4000) return 2
  if (value < 0x200000) return 3
  if (value < 0x10000000) return 4
  let size = 5
  for (let rest = value / 0x800000000; rest >= 1; rest /= 128) size++
  return size
}

/** Writes `value`, a whole number from 0 to 2^53, and returns the offset behind it. */
export function writeVarint(target: Uint8Array, at: number, value: number): number {
  let p = at
  let rest = value
  while (rest > 0x7fffffff) {
    // Four bytes at a time: one division for them all.
    const high = Math.floor(rest / 0x10000000)
    const low = rest - high * 0x10000000
    target[p] = (low & 0x7f) | 0x80
    target[p + 1] = ((low >> 7) & 0x7f) | 0x80
    target[p + 2] = ((low >> 14) & 0x7f) | 0x80
    target[p + 3] = (low >> 21) | 0x80
    p += 4
    rest = high
  }
  while (rest > 0x7f) {
    target[p++] = (rest & 0x7f) | 0x80
    rest >>>= 7
  }
  target[p++] = rest
  return p
}

/** Bits 0 to 31 of the varint at `at`. */
export function varintLow(bytes: Uint8Array, at: number): number {
  let low = 0
  for (let p = at, shift = 0; shift < 35; shift += 7) {
    const byte = bytes[p++]!
    low |= (byte & 0x7f) << shift
    if (byte < 0x80) break
  }
  return low >>> 0
}

/** Bits 32 to 63 of the varint at `at`. */
export function varintHigh(bytes: Uint8Array, at: number): number {
  let p = at
  for (let i = 0; i < 4; i++) if (bytes[p++]! < 0x80) return 0
  // The fifth byte carries bits 28 to 34.
  let byte = bytes[p++]!
  let high = (byte & 0x7f) >> 4
  for (let shift = 3; byte > 0x7f && shift < 32; shift += 7) {
    byte = bytes[p++]!
    high |= (byte & 0x7f) << shift
  }
  return high >>> 0
}

/** The varint at `at` as int64 (negative ones are ten bytes long): exact within ±2^53, else the nearest double. */
export function varintSigned(bytes: Uint8Array, at: number): number {
  const first = bytes[at]!
  if (first < 0x80) return first
  return (varintHigh(bytes, at) | 0) * 0x100000000 + varintLow(bytes, at)
}

/** The varint at `at` as uint64: exact up to 2^53, else the nearest double. */
export function varintUnsigned(bytes: Uint8Array, at: number): number {
  const first = bytes[at]!
  if (first < 0x80) return first
  return varintHigh(bytes, at) * 0x100000000 + varintLow(bytes, at)
}

/** Little-endian u32. */
export function readU32(bytes: Uint8Array, at: number): number {
  return (bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)) >>> 0
}

/** fixed64: exact up to 2^53, else the nearest double. */
export function readU64(bytes: Uint8Array, at: number): number {
  return readU32(bytes, at + 4) * 0x100000000 + readU32(bytes, at)
}

/** sfixed64: exact within ±2^53, else the nearest double. */
export function readI64(bytes: Uint8Array, at: number): number {
  return (readU32(bytes, at + 4) | 0) * 0x100000000 + readU32(bytes, at)
}

// A conversion cell, written and read within one call; it carries nothing from one call to the next. The eight bytes
// go in and out in the order of the machine, which is little-endian wherever Node runs.
const cell = new Float64Array(1)
const cellHalves = new Uint32Array(cell.buffer)

/** double, little-endian. */
export function readF64(bytes: Uint8Array, at: number): number {
  cellHalves[0] = readU32(bytes, at)
  cellHalves[1] = readU32(bytes, at + 4)
  return cell[0]!
}

/** Writes a double, little-endian, and returns the offset behind it. */
export function writeF64(target: Uint8Array, at: number, value: number): number {
  cell[0] = value
  return writeU32(target, writeU32(target, at, cellHalves[0]!), cellHalves[1]!)
}

/** Writes a u32, little-endian, and returns the offset behind it. */
export function writeU32(target: Uint8Array, at: number, value: number): number {
  target[at] = value & 0xff
  target[at + 1] = (value >>> 8) & 0xff
  target[at + 2] = (value >>> 16) & 0xff
  target[at + 3] = value >>> 24
  return at + 4
}

/** Whether `bytes[from, to)` are exactly `other`. */
export function equalBytes(bytes: Uint8Array, from: number, to: number, other: Uint8Array): boolean {
  if (to - from !== other.length) return false
  for (let i = 0; i < other.length; i++) if (bytes[from + i] !== other[i]) return false
  return true
}
