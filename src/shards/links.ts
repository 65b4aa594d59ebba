// This shard among the others: the ways to them, which come and go as shards die and start again, who should take work off
// whom, and the meetings on the way to the end.
//
//                     onGone, not accepted and kept          link(): it runs again
//   link to shard n ------------------------------> waiting ------------------------> handed over again
//                     not kept: its sender sends it again      waitMs: refused
//                     accepted by shard n: lost with it, counted as dropped

import { DeliveryError, WHEN_THERE_IS_ROOM } from '../delivery/error.ts'
import type { Clock } from '../graph/clock.ts'
import type { ShardPlace } from '../graph/component.ts'
import type { Neighbours } from '../graph/exchange.ts'
import type { Batch } from '../otlp/batch.ts'
import type { Logger } from '../self/log.ts'
import type { Counter, Meter } from '../self/meter.ts'
import { BALANCE, Balance } from './balance.ts'
import { Link, type Outstanding } from './link.ts'
import { eventLoopBusyness, LoadMeter } from './load.ts'
import type { LinkEnd } from './messages.ts'

export const LINK_BOUNDS = {
  /** Bytes that one shard has handed to another and that are not accepted there, or wait for it to start again. */
  handedBytes: 64 * 2 ** 20,
  /** How long batches wait for a shard that starts again. */
  waitMs: 30_000,
} as const

/** What a busy shard may have handed to another: the other half of the room is for batches that only the other can take. */
const RELIEF_BYTES = LINK_BOUNDS.handedBytes / 2

export interface LinksOptions {
  readonly place: ShardPlace
  readonly loads: SharedArrayBuffer
  readonly ends: readonly LinkEnd[]
  readonly clock: Clock
  readonly log: Logger
  readonly meter: Meter
  /** Tells the supervisor that this shard has come to a meeting point. */
  readonly met: (point: number) => void
}

interface Waiting {
  readonly place: string
  readonly batch: Batch
  readonly note: unknown
}

/** Takes a batch from another shard into a place of this one's graph. */
export type Take = (place: string, batch: Batch, note: unknown) => void

export class Links implements Neighbours {
  readonly #options: LinksOptions
  readonly #links = new Map<number, Link>()
  readonly #waiting = new Map<number, { readonly batches: Waiting[]; bytes: number }>()
  readonly #load: LoadMeter
  readonly #balance: Balance
  readonly #early: Waiting[] = []
  readonly #handed: Counter
  #take: Take = (place, batch, note) => void this.#early.push({ place, batch, note })
  #point = 0
  #onGoOn: (() => void) | undefined
  #isEnding = false

  constructor(options: LinksOptions) {
    this.#options = options
    const { index, count } = options.place
    this.#balance = new Balance(index, count)
    this.#load = new LoadMeter(options.loads, index, {
      clock: options.clock,
      busyness: eventLoopBusyness(),
      onTick: () => this.#balance.tick(this.#loadOf, this.#isUp),
    })
    const words = 'Requests and batches that a shard handed to another one.'
    this.#handed = options.meter.counter('shard_handed_over_batches', '{batch}', words)
    for (const end of options.ends) this.link(end)
  }

  /** From here on `take` gets what the others hand over, and what they have handed over since the start. */
  open(take: Take): void {
    this.#take = take
    for (const { place, batch, note } of this.#early.splice(0)) take(place, batch, note)
  }

  /** A way to a shard that runs now, for the first time or again. */
  link({ shard, port }: LinkEnd): void {
    const link = new Link(port, {
      take: (place, batch, note) => {
        this.#load.note()
        this.#take(place, batch, note)
      },
      onGone: (outstanding) => this.#gone(shard, link, outstanding),
    })
    this.#links.set(shard, link)
    const waiting = this.#waiting.get(shard)
    this.#waiting.delete(shard)
    for (const { place, batch, note } of waiting?.batches ?? []) this.hand(shard, place, batch, true, note)
  }

  hand(shard: number, place: string, batch: Batch, keep: boolean, note?: unknown): void {
    this.#load.note()
    const link = this.#links.get(shard)
    const waiting = this.#waiting.get(shard)
    const held = (link?.unacceptedBytes ?? 0) + (waiting?.bytes ?? 0)
    if (held > 0 && held + batch.byteLength > LINK_BOUNDS.handedBytes) {
      const text = `shard ${shard} has not accepted what it was handed: ${held} bytes`
      batch.delivery.refuse(new DeliveryError('SHARD_BUSY', text, { retry: WHEN_THERE_IS_ROOM }))
    } else if (link !== undefined) {
      this.#handed.add(1)
      link.hand(place, batch, keep, note)
    } else if (this.#isEnding) batch.delivery.refuse(gone(shard))
    else this.#wait(shard, { place, batch, note })
  }

  relief(): number | undefined {
    this.#load.note()
    return this.#balance.next(this.#hasRoom)
  }

  async meet(): Promise<void> {
    this.#isEnding = true
    await Promise.all([...this.#links.values()].map((link) => link.flush()))
    await new Promise<void>((resolve) => {
      this.#onGoOn = resolve
      this.#options.met(++this.#point)
    })
  }

  /** The supervisor says that all have met there. */
  goOn(point: number): void {
    if (point >= this.#point) this.#onGoOn?.()
  }

  close(): void {
    this.#isEnding = true
    this.#load.stop()
    for (const link of this.#links.values()) link.close()
  }

  readonly #loadOf = (shard: number): number => this.#load.of(shard)
  readonly #isUp = (shard: number): boolean => this.#links.has(shard)
  readonly #hasRoom = (shard: number): boolean => {
    const link = this.#links.get(shard)
    return link !== undefined && link.unaccepted < BALANCE.outstandingMax && link.unacceptedBytes < RELIEF_BYTES
  }

  #gone(shard: number, link: Link, outstanding: Iterable<Outstanding>): void {
    if (this.#links.get(shard) === link) this.#links.delete(shard)
    let lost = 0
    for (const { delivery, items, place, note, kept, accepted } of outstanding) {
      if (kept !== undefined && !this.#isEnding) this.hand(shard, place, kept, true, note)
      else {
        if (accepted) lost += items
        delivery.refuse(gone(shard, accepted))
      }
    }
    if (lost > 0)
      this.#options.log.error('A shard died with what it had taken off this one.', { shard, dropped_items: lost })
  }

  #wait(shard: number, one: Waiting): void {
    let waiting = this.#waiting.get(shard)
    if (waiting === undefined) {
      const fresh = { batches: [], bytes: 0 }
      this.#waiting.set(shard, (waiting = fresh))
      this.#options.clock.after(LINK_BOUNDS.waitMs, () => {
        if (this.#waiting.get(shard) !== fresh) return
        this.#waiting.delete(shard)
        for (const { batch } of fresh.batches as Waiting[]) batch.delivery.refuse(gone(shard))
      })
    }
    waiting.batches.push(one)
    waiting.bytes += one.batch.byteLength
  }
}

const gone = (shard: number, accepted = false): DeliveryError =>
  new DeliveryError('SHARD_DIED', `shard ${shard} died with the batch`, { retry: accepted ? 'never' : 'backoff' })
