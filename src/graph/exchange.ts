// What a shard hands to the others, and where it takes what they hand to it.
//
//   Exchange   in front of a component that keeps state, or an exporter that keeps order: each part of a batch goes to the
//              shard that owns its key
//   Handover   in front of an exporter that only one shard can hold, such as a file: batches go to that shard
//   ReliefAt   in a receiver: a share of the requests goes to a shard that has less to do, before anything is done with them
//
// A batch is handed to a place in the other shard's graph, which has a name that is the same in every shard of a plan. The
// other shard settles it; the record stays here and hears of it.

import { DeliveryError } from '../delivery/error.ts'
import type { Batch } from '../otlp/batch.ts'
import { type Keying, splitByKey } from '../otlp/split.ts'
import type { Output, Relief } from './component.ts'

/** The other shards, as the graph of one sees them. */
export interface Neighbours {
  /**
   * Hands the batch to that place of another shard. Settled when that one has; refused when it cannot be reached. With
   * `keep` the bytes stay here too until that shard has accepted them, and it gets them again when it dies before; without,
   * they may be moved, and its sender is asked to send them again. `note` is plain data, for whoever takes it there.
   */
  hand(shard: number, place: string, batch: Batch, keep: boolean, note?: unknown): void
  /** A shard that should do what has just come; undefined: this one. */
  relief(): number | undefined
  /** Resolves when every shard that lives has called it as often as this one, and has what was handed to it before. */
  meet(): Promise<void>
}

export const stepPlace = (pipeline: string, instance: string): string => `step ${pipeline} ${instance}`
export const connectorPlace = (instance: string): string => `connector ${instance}`
export const exporterPlace = (id: string): string => `exporter ${id}`
export const receiverPlace = (id: string): string => `receiver ${id}`

interface Way {
  readonly neighbours: Neighbours
  readonly place: string
  /** Into this shard's own place of that name. */
  readonly here: Output
}

/** Parts stay in their order for each key. */
export class Exchange implements Output {
  readonly #way: Way
  readonly #keying: Keying
  readonly #index: number
  readonly #shards: number

  constructor(way: Way, keying: Keying, { index, count }: { readonly index: number; readonly count: number }) {
    this.#way = way
    this.#keying = keying
    this.#index = index
    this.#shards = count
  }

  send(batch: Batch): void {
    const { neighbours, place, here } = this.#way
    const pieces = splitByKey(batch, this.#shards, this.#keying)
    for (let shard = 0; shard < pieces.length; shard++) {
      const piece = pieces[shard]
      if (piece === undefined) continue
      if (shard === this.#index) here.send(piece)
      else neighbours.hand(shard, place, piece, true)
    }
  }
}

export const handover = (neighbours: Neighbours, shard: number, place: string): Output => ({
  send: (batch) => neighbours.hand(shard, place, batch, true),
})

/** Where a receiver takes what the others hand over. */
export type Take = (batch: Batch, note: unknown) => void

export class ReliefAt implements Relief {
  readonly #neighbours: Neighbours
  readonly #place: string
  #take: Take | undefined

  constructor(neighbours: Neighbours, id: string) {
    this.#neighbours = neighbours
    this.#place = receiverPlace(id)
  }

  next(): number | undefined {
    return this.#neighbours.relief()
  }

  hand(shard: number, batch: Batch, note: unknown): void {
    this.#neighbours.hand(shard, this.#place, batch, false, note)
  }

  serve(take: Take): void {
    this.#take = take
  }

  /** From another shard. */
  readonly taken: Take = (batch, note) => {
    if (this.#take !== undefined) this.#take(batch, note)
    else {
      const text = 'the receiver that it was handed to has not started'
      batch.delivery.refuse(new DeliveryError('GRAPH_CHANGED', text, { retry: 'backoff' }))
    }
  }
}
