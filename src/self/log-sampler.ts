// Thins out log messages that repeat, as zap's sampler does: in each tick the first `initial` of a text and level pass,
// then every `thereafter`-th.
//
// Texts are told apart by a hash into a fixed table, so memory does not grow with what is logged; two texts that share
// a slot are counted together.

import type { Clock } from '../graph/clock.ts'
import type { LogLevel } from './log.ts'

const SLOTS_PER_LEVEL = 4096

export interface LogSampling {
  readonly tickMs: number
  readonly initial: number
  /** 0 lets nothing pass after the first ones. */
  readonly thereafter: number
}

export class LogSampler {
  readonly #sampling: LogSampling
  readonly #clock: Clock
  readonly #slots = new Map<LogLevel, { counts: Uint32Array; endsAt: Float64Array }>()

  constructor(sampling: LogSampling, clock: Clock) {
    this.#sampling = sampling
    this.#clock = clock
  }

  passes(level: LogLevel, message: string): boolean {
    let slots = this.#slots.get(level)
    if (slots === undefined) {
      slots = { counts: new Uint32Array(SLOTS_PER_LEVEL), endsAt: new Float64Array(SLOTS_PER_LEVEL) }
      this.#slots.set(level, slots)
    }
    const { tickMs, initial, thereafter } = this.#sampling
    const slot = hash(message) % SLOTS_PER_LEVEL
    const now = this.#clock.monotonic()
    if (slots.counts[slot] === 0 || now >= slots.endsAt[slot]!) {
      slots.counts[slot] = 0
      slots.endsAt[slot] = now + tickMs
    }
    const count = ++slots.counts[slot]!
    return count <= initial || (thereafter > 0 && (count - initial) % thereafter === 0)
  }
}

/** FNV-1a over UTF-16 units. */
function hash(text: string): number {
  let value = 0x811c9dc5
  for (let i = 0; i < text.length; i++) value = Math.imul(value ^ text.charCodeAt(i), 0x01000193)
  return value >>> 0
}
