// A component that throws on a batch made a mistake; only that batch pays for it. Without the guard the exception would
// end the shard's thread, and with it everything that other clients' batches wait for.

import type { DeliveryCode } from '../delivery/codes.ts'
import { DeliveryError } from '../delivery/error.ts'
import type { Batch } from '../otlp/batch.ts'
import type { Logger } from '../self/log.ts'
import type { Counter, Meter } from '../self/meter.ts'
import type { ComponentKind } from './component.ts'

const CODE: DeliveryCode = 'COMPONENT_FAILED'

export class Guard {
  readonly #name: string
  readonly #log: Logger
  readonly #failedItems: Counter

  constructor(kind: ComponentKind, id: string, log: Logger, meter: Meter) {
    this.#name = `${kind} ${id}`
    this.#log = log
    this.#failedItems = meter.counter(
      `${kind}_failed_items`,
      '{item}',
      `Number of items in batches on which the ${kind} failed: a mistake of ours.`,
      { onceUsed: true },
    )
  }

  /**
   * Settles the batch as refused for good, unless it is settled already. The component may still hold it: what it says
   * of it afterwards is not heard.
   */
  failed(batch: Batch, thrown: unknown): void {
    const error = thrown instanceof Error ? thrown : new Error(String(thrown))
    const text = `${this.#name} failed: ${error.message}`
    this.#failedItems.add(batch.items)
    this.#log.error(text, { code: CODE, items: batch.items, stack: error.stack })
    // The same bytes would meet the same mistake.
    batch.delivery.abandon(new DeliveryError(CODE, text, { retry: 'never', cause: error }))
  }
}
