// Times as documents have them: the text of a second is remembered, since many records are of the same one.

import { writeShort, writeSixDigits, writeTriple } from '../../wire/digit-triples.ts'
import { PIECE_OVERRUN, Piece } from '../../wire/piece.ts'

const MS_NANOS = 1_000_000
// 2^32 = 4294 * 10^6 + 967296, so that every step stays an exact double.
const HIGH_MS = 4294
const HIGH_REST = 967_296

const QUOTE = 0x22
const DOT = 0x2e
const ISO_END = 0x5a | (QUOTE << 8)

const DAY_SECONDS = 86_400
const DATE_LENGTH = '2026-01-02T'.length

/** Seconds that are remembered, by their last digits. */
const SECONDS = 16

/** What one time needs room for at most. */
export const TIME_ROOM = 24 + PIECE_OVERRUN

export class TimeText {
  readonly #isIso: boolean
  readonly #seconds = new Float64Array(SECONDS).fill(-1)
  /** A quote and the text of the second. */
  readonly #texts = Array.from({ length: SECONDS }, () => new Piece())
  #day = -1
  #dayText = ''

  /**
   * Nanoseconds since 1970 as `epoch` `"MILLISECONDS.NANOS"`, which Elasticsearch reads as epoch_millis: the fraction is of
   * a millisecond, so it has six digits. Or as `iso` `"2026-01-02T03:04:05.000000006Z"`.
   */
  constructor(form: 'epoch' | 'iso') {
    this.#isIso = form === 'iso'
  }

  /** Writes the time of a fixed64 in halves, and returns the offset behind it. `words` views `out`. */
  write(out: Uint8Array, words: DataView, at: number, low: number, high: number): number {
    const rest = high * HIGH_REST + low
    const whole = Math.floor(rest / MS_NANOS)
    const ms = high * HIGH_MS + whole
    const second = Math.floor(ms / 1000)
    const slot = second % SECONDS
    if (this.#seconds[slot] !== second) this.#remember(slot, second)
    let p = this.#texts[slot]!.write(out, words, at)
    // No zeros stand in front of the milliseconds of the first second.
    p = second > 0 || this.#isIso ? writeTriple(words, p, ms - second * 1000) : writeShort(words, p, ms)
    if (!this.#isIso) words.setUint8(p++, DOT)
    p = writeSixDigits(words, p, rest - whole * MS_NANOS)
    words.setInt16(p, this.#isIso ? ISO_END : QUOTE, true)
    return this.#isIso ? p + 2 : p + 1
  }

  #remember(slot: number, second: number): void {
    this.#seconds[slot] = second
    this.#texts[slot]!.set(Buffer.from(this.#isIso ? this.#isoSecond(second) : second === 0 ? '"' : `"${second}`))
  }

  #isoSecond(second: number): string {
    const day = Math.floor(second / DAY_SECONDS)
    if (day !== this.#day) {
      this.#day = day
      this.#dayText = new Date(day * DAY_SECONDS * 1000).toISOString().slice(0, DATE_LENGTH)
    }
    const ofDay = second - day * DAY_SECONDS
    const minutes = Math.floor(ofDay / 60)
    const hours = Math.floor(minutes / 60)
    return `"${this.#dayText}${two(hours)}:${two(minutes - hours * 60)}:${two(ofDay - minutes * 60)}.`
  }
}

const two = (value: number): string => (value < 10 ? `0${value}` : String(value))
