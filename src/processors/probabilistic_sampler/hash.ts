// The hash of mode hash_seed, and the randomness that it stands for.
//
//   hash        FNV-1a in 32 bits over the seed, least byte first, and the bytes of the trace id or of an attribute
//   bucket      its lowest 14 bits; sampled while below the percentage times 163.84
//   randomness  16383 - bucket (14 bits) | a mixture of the highest 14 bits of the hash (28) | bucket (14)

import type { Bits } from './bits.ts'
import { TRACE_ID_BYTES } from './trace-id.ts'

const BASIS = 0x811c9dc5
const PRIME = 0x01000193
export const BUCKETS = 0x4000

/** The hash of the seed alone, with which every other one begins. */
export function hashOfSeed(seed: number): number {
  return hashOf(BASIS, Uint8Array.of(seed & 255, (seed >>> 8) & 255, (seed >>> 16) & 255, seed >>> 24), 0, 4)
}

/** `begun` followed by `bytes[from, to)`. */
export function hashOf(begun: number, bytes: Uint8Array, from: number, to: number): number {
  let hash = begun
  for (let i = from; i < to; i++) hash = Math.imul(hash ^ bytes[i]!, PRIME)
  return hash >>> 0
}

/** `begun` followed by the trace id at `at`: the same as hashOf(), from words. */
export function hashOfTraceId(begun: number, words: DataView, at: number): number {
  let hash = begun
  for (let p = at; p < at + TRACE_ID_BYTES; p += 4) {
    const word = words.getInt32(p, true)
    hash = Math.imul(hash ^ (word & 0xff), PRIME)
    hash = Math.imul(hash ^ ((word >>> 8) & 0xff), PRIME)
    hash = Math.imul(hash ^ ((word >>> 16) & 0xff), PRIME)
    hash = Math.imul(hash ^ (word >>> 24), PRIME)
  }
  return hash >>> 0
}

export function setRandomness(randomness: Bits, hash: number): void {
  const bucket = hash & (BUCKETS - 1)
  const unused = hash >>> 18
  const mixed = unused ^ (unused << 10)
  const head = BUCKETS - 1 - bucket
  randomness.set(head * 1024 + (mixed >>> 18), ((mixed << 14) | bucket) >>> 0)
}
