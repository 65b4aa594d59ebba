// The times that payloads name, by the rules of readings/timestamps.ts, with a count of those that could not be taken.

import { BadPayload } from '../../readings/bad-payload.ts'
import type { Readings } from '../../readings/readings.ts'
import { TIME, TIME_WORDS, type TimeRules, TimestampReader, type TimeVerdict } from '../../readings/timestamps.ts'
import type { EventTimes } from './decoders/decoder.ts'

/** For one rule; begin() before each message. */
export class PayloadTimes implements EventTimes {
  isOwn = false
  readonly #reader: TimestampReader
  readonly #onBadClock: (word: string) => void
  #receivedMs = 0

  /** `onBadClock` is told `clock_not_set`, `future` or `past` for each time that the time of receipt stood in for. */
  constructor(rules: TimeRules, onBadClock: (word: string) => void = () => {}) {
    this.#reader = new TimestampReader(rules)
    this.#onBadClock = onBadClock
  }

  get ms(): number {
    return this.#reader.ms
  }

  get ns(): number {
    return this.#reader.ns
  }

  begin(receivedMs: number): void {
    this.#receivedMs = receivedMs
    this.isOwn = false
  }

  number(value: number, out: Readings): void {
    this.#take(this.#reader.fromNumber(value, this.#receivedMs), out)
  }

  digits(bytes: Uint8Array, from: number, to: number, out: Readings): void {
    this.#take(this.#reader.readNumber(bytes, from, to, this.#receivedMs), out)
  }

  text(bytes: Uint8Array, from: number, to: number, out: Readings): void {
    this.#take(this.#reader.readText(bytes, from, to, this.#receivedMs), out)
  }

  #take(verdict: TimeVerdict, out: Readings): void {
    if (verdict === TIME.UNREADABLE) throw new BadPayload('bad_time', 'a time that cannot be read')
    this.isOwn = verdict === TIME.OK
    if (!this.isOwn) this.#onBadClock(TIME_WORDS[verdict]!)
    const { ms, ns } = this.#reader
    const seconds = Math.floor(ms / 1000)
    out.at(seconds, (ms - seconds * 1000) * 1e6 + ns)
  }
}
