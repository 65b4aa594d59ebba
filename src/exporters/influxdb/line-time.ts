// The time of a line: nanoseconds of a fixed64, in halves, as digits of a coarser unit. Exact, and without BigInt.

import { type Words, wordsOf } from '../../wire/copy.ts'
import { writePadded, writeWhole } from '../../wire/digits.ts'

/** Nanoseconds in a unit of time, by its name in the file. */
export const UNIT_NANOS = { ns: 1, us: 1e3, ms: 1e6, s: 1e9 } as const
export type Precision = keyof typeof UNIT_NANOS

// 2^32 ns = 4294 ms and 967296 ns.
const HIGH_MS = 4294
const HIGH_REST_NANOS = 967_296

const TIME_MAX_BYTES = 20

/** Writes it at `at` and returns where it ends: at most 20 bytes. What is finer than the unit is cut off. */
export function writeTime(bytes: Uint8Array, at: number, high: number, low: number, unitNanos: number): number {
  const rest = high * HIGH_REST_NANOS + low
  const restMs = Math.floor(rest / 1e6)
  const ms = high * HIGH_MS + restMs
  if (unitNanos === 1e9) return writeWhole(bytes, at, Math.floor(ms / 1000))
  if (unitNanos === 1e6) return writeWhole(bytes, at, ms)
  const nanos = rest - restMs * 1e6
  const below = unitNanos === 1e3 ? Math.floor(nanos / 1e3) : nanos
  if (ms === 0) return writeWhole(bytes, at, below)
  return writePadded(bytes, writeWhole(bytes, at, ms), below, unitNanos === 1e3 ? 3 : 6)
}

/** A time with what always stands around it. Lines that follow one another are mostly of the same moment: it is kept. */
export class TimeText {
  readonly words: Words
  length = 0
  readonly #at: number
  readonly #suffix: Uint8Array
  #high = -1
  #low = -1
  #unitNanos = 0

  constructor(prefix: string, suffix: string) {
    const before = Buffer.from(prefix)
    this.#at = before.length
    this.#suffix = Buffer.from(suffix)
    this.words = wordsOf(new Uint8Array(before.length + TIME_MAX_BYTES + this.#suffix.length))
    this.words.bytes.set(before)
  }

  /** `words.bytes[0, length)` is the text of that time from here on. */
  set(high: number, low: number, unitNanos: number): this {
    if (high === this.#high && low === this.#low && unitNanos === this.#unitNanos) return this
    const { bytes } = this.words
    const end = writeTime(bytes, this.#at, high, low, unitNanos)
    bytes.set(this.#suffix, end)
    this.length = end + this.#suffix.length
    this.#high = high
    this.#low = low
    this.#unitNanos = unitNanos
    return this
  }
}
