// What waits for company: requests in the order of their arrival, kept side by side. Nothing is copied until a maximum
// size asks for a cut through a request.

import type { Delivery } from '../../delivery/delivery.ts'
import type { Batch } from '../../otlp/batch.ts'
import { splitBatch } from '../../otlp/split.ts'

/** A batch to be, and the records of all that is in it. */
export interface Taken {
  readonly parts: readonly Uint8Array[]
  readonly items: number
  readonly deliveries: readonly Delivery[]
  /** Items per delivery. */
  readonly counts: readonly number[]
}

export class Pending {
  #batches: Batch[] = []
  #items = 0
  #bytes = 0

  get items(): number {
    return this.#items
  }

  get bytes(): number {
    return this.#bytes
  }

  add(batch: Batch): void {
    this.#batches.push(batch)
    this.#items += batch.items
    this.#bytes += batch.byteLength
  }

  /** Everything, or the first `maxItems` items where maxItems is above 0. Call it only when there are items. */
  take(maxItems: number): Taken {
    if (maxItems === 0 || this.#items <= maxItems) {
      const all = this.#batches
      const items = this.#items
      this.#batches = []
      this.#items = 0
      this.#bytes = 0
      return joined(all, items)
    }
    const first: Batch[] = []
    let items = 0
    let whole = 0
    for (; items < maxItems; whole++) {
      const batch = this.#batches[whole]!
      if (items + batch.items <= maxItems) {
        first.push(batch)
        items += batch.items
        continue
      }
      // All cuts through this request at once: the one that fills this batch, then full ones, then what is left.
      const pieces = splitBatch(batch, maxItems, maxItems - items)
      // A piece is as accepted as the whole was.
      if (batch.delivery.accepted) for (const piece of pieces) piece.delivery.accept()
      this.#bytes -= batch.byteLength
      for (const piece of pieces) this.#bytes += piece.byteLength
      this.#batches.splice(whole, 1, ...pieces)
      whole--
    }
    this.#batches.splice(0, whole)
    this.#items -= items
    for (const batch of first) this.#bytes -= batch.byteLength
    return joined(first, items)
  }
}

function joined(batches: readonly Batch[], items: number): Taken {
  const [first] = batches
  if (batches.length === 1) return { parts: first!.parts, items, deliveries: [first!.delivery], counts: [items] }
  const parts: Uint8Array[] = []
  for (const batch of batches) for (const part of batch.parts) parts.push(part)
  return { parts, items, deliveries: batches.map((b) => b.delivery), counts: batches.map((b) => b.items) }
}
