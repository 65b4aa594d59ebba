// The randomness that a trace id itself holds (W3C Trace Context, "Randomness of trace-id").

import { readU32 } from '../../wire/varint.ts'
import type { Bits } from './bits.ts'

export const TRACE_ID_BYTES = 16

/** An id of zeros is none. */
export const isGiven = (bytes: Uint8Array, at: number): boolean =>
  (readU32(bytes, at) | readU32(bytes, at + 4) | readU32(bytes, at + 8) | readU32(bytes, at + 12)) !== 0

/** Its last seven bytes, the most significant first. */
export function setFromTraceId(randomness: Bits, bytes: Uint8Array, at: number): void {
  randomness.set(
    (bytes[at + 9]! << 16) | (bytes[at + 10]! << 8) | bytes[at + 11]!,
    ((bytes[at + 12]! << 24) | (bytes[at + 13]! << 16) | (bytes[at + 14]! << 8) | bytes[at + 15]!) >>> 0,
  )
}
