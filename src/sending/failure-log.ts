// Failures in the log: the first at once, then one line per period with the sum of what was lost in it, so that the
// numbers in the log add up however many requests fail.

import type { DeliveryError } from '../delivery/error.ts'
import type { Clock, Timer } from '../graph/clock.ts'
import type { LogFields, Logger, LogLevel } from '../self/log.ts'

const TALLY_EVERY_MS = 10_000

export class FailureLog {
  readonly #write: (fields: LogFields) => void
  readonly #itemsField: string
  readonly #clock: Clock
  #timer: Timer | undefined
  #items = 0
  #failures = 0
  #last: DeliveryError | undefined

  /** `itemsField` names the number of items in the line, for example `dropped_items`. */
  constructor(log: Logger, clock: Clock, level: LogLevel, message: string, itemsField: string) {
    this.#write = (fields) => log[level](message, fields)
    this.#itemsField = itemsField
    this.#clock = clock
  }

  report(error: DeliveryError, items: number, fields: LogFields = {}): void {
    if (this.#timer === undefined) {
      this.#write({ error: error.message, code: error.code, ...fields, [this.#itemsField]: items })
      this.#timer = this.#clock.after(TALLY_EVERY_MS, this.#periodEnded)
      return
    }
    this.#items += items
    this.#failures++
    this.#last = error
  }

  /** Writes what has been gathered; call it before the exporter goes. */
  flush(): void {
    this.#timer?.cancel()
    this.#timer = undefined
    const last = this.#last
    if (last === undefined) return
    this.#write({ error: last.message, code: last.code, failures: this.#failures, [this.#itemsField]: this.#items })
    this.#items = 0
    this.#failures = 0
    this.#last = undefined
  }

  readonly #periodEnded = (): void => {
    const more = this.#last !== undefined
    this.flush()
    if (more) this.#timer = this.#clock.after(TALLY_EVERY_MS, this.#periodEnded)
  }
}
