// Messages that could not be read, or were left out: counted by rule and reason; the first of a kind is told at once, with
// its topic and the beginning of its payload, and then how many more there were, once a minute.

import type { Clock } from '../../graph/clock.ts'
import type { BadPayloadReason } from '../../readings/bad-payload.ts'
import type { Logger } from '../../self/log.ts'
import type { Counter, Meter } from '../../self/meter.ts'

export const REASONS = {
  no_rule: 'No rule fits the topic.',
  bad_topic: 'The topic is longer than 1024 bytes, or not UTF-8.',
  too_large: 'Larger than max_packet_size.',
  retained: 'Retained, where the rule skips those.',
  too_many_topics: 'A topic beyond max_series.',
  too_many_edge_nodes: 'Sparkplug: an edge node beyond max_edge_nodes.',
  too_many_metrics: 'Sparkplug: a metric beyond max_metrics; the others are taken.',
  too_many_elements: 'Sparkplug: an array or dataset beyond max_elements; those within are taken.',
  before_birth: 'Sparkplug: data of a node or device whose birth has not come.',
  unknown_metric: 'Sparkplug: a metric or alias that no birth has told of; the others are taken.',
  wrong_seq: 'Sparkplug: a message out of its turn, after its place was given up; its data are taken.',
  gap: 'Sparkplug: messages before this one have not come.',
  failed: 'The decoder failed: a mistake of ours.',
} as const
export type Reason = keyof typeof REASONS | BadPayloadReason

const TALLY_EVERY_MS = 60_000
const EXCERPT_BYTES = 120

interface Known {
  readonly counter: Counter
  silentUntilMs: number
  untold: number
}

export class Complaints {
  readonly #meter: Meter
  readonly #log: Logger
  readonly #clock: Clock
  readonly #known = new Map<string, Known>()
  readonly #clocks = new Map<string, Known>()

  constructor(meter: Meter, log: Logger, clock: Clock) {
    this.#meter = meter
    this.#log = log
    this.#clock = clock
  }

  /** `payload` is looked at only when there is something to tell. */
  add(rule: string, reason: Reason, words: string, topic: string, payload: Uint8Array, from: number, to: number): void {
    const key = `${reason} ${rule}`
    let known = this.#known.get(key)
    if (known === undefined) {
      const counter = this.#meter.counter(
        'receiver_mqtt_unread_messages',
        '{message}',
        'Number of messages that were acknowledged although not all readings of them were taken; mostly none.',
        { labels: { rule, reason } },
      )
      known = { counter, silentUntilMs: 0, untold: 0 }
      this.#known.set(key, known)
    }
    known.counter.add(1)
    // Left out on purpose: the counter is enough.
    if (reason === 'retained') return
    const now = this.#clock.monotonic()
    if (known.silentUntilMs > 0 && now < known.silentUntilMs) {
      known.untold++
      return
    }
    this.#log.warn('a message could not be read', {
      topic,
      rule,
      reason,
      detail: words,
      payload: excerpt(payload, from, to),
      since_last_line: known.untold,
    })
    known.silentUntilMs = now + TALLY_EVERY_MS
    known.untold = 0
  }

  /** A time that a device has written and that cannot be: `clock_not_set`, `future` or `past`. */
  clock(rule: string, word: string, topic: string): void {
    const key = `${word} ${rule}`
    let known = this.#clocks.get(key)
    if (known === undefined) {
      const counter = this.#meter.counter(
        'receiver_mqtt_wrong_clocks',
        '{time}',
        'Number of times in payloads that cannot be, for which the time of receipt was taken.',
        { labels: { rule, reason: word } },
      )
      known = { counter, silentUntilMs: 0, untold: 0 }
      this.#clocks.set(key, known)
    }
    known.counter.add(1)
    const now = this.#clock.monotonic()
    if (known.silentUntilMs > 0 && now < known.silentUntilMs) {
      known.untold++
      return
    }
    this.#log.warn('a device has a wrong clock; the time of receipt is taken', {
      topic,
      rule,
      reason: word,
      since_last_line: known.untold,
    })
    known.silentUntilMs = now + TALLY_EVERY_MS
    known.untold = 0
  }
}

function excerpt(payload: Uint8Array, from: number, to: number): string {
  const end = Math.min(to, from + EXCERPT_BYTES)
  const text = Buffer.from(payload.buffer, payload.byteOffset + from, end - from).toString()
  const shown = text.replaceAll(/[\p{Cc}\ufffd]/gu, '.')
  return end < to ? `${shown}... (${to - from} bytes)` : shown
}
