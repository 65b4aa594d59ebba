// The randomness that a trace id itself holds (W3C Trace Context, "Randomness of trace-id").

import type { Bits } from './bits.ts'

export const TRACE_ID_BYTES = 16

/** An id of zeros is none. */
export const isGiven = (words: DataView, at: number): boolean =>
  (words.getInt32(at) | words.getInt32(at + 4) | words.getInt32(at + 8) | words.getInt32(at + 12)) !== 0

/** Its last seven bytes, the most significant first. */
export function setFromTraceId(randomness: Bits, words: DataView, at: number): void {
  randomness.set(words.getUint32(at + 8) & 0xffffff, words.getUint32(at + 12))
}
