// The way between two shards: batches there, what became of them back.
//
//   here                                                there
//   hand() --batches--> ............................... taken into that place of its graph
//          <--accepted, delivered, refused------------- its delivery record
//   flush() --ping--> ......... <--pong---------------- everything before it has been taken
//
// What one side has to say in a turn of its event loop travels in one message, and at once when the last one is a
// millisecond ago: the other may have nothing to do meanwhile. Bytes are transferred and never cloned.

import type { MessagePort } from 'node:worker_threads'
import { IdTable } from '../collections/id-table.ts'
import type { DeliveryCode } from '../delivery/codes.ts'
import { Delivery } from '../delivery/delivery.ts'
import { DeliveryError, type Retry } from '../delivery/error.ts'
import { Batch, type ClientInfo } from '../otlp/batch.ts'
import type { Signal } from '../otlp/signal.ts'

interface HandedBatch {
  readonly number: number
  readonly place: string
  readonly signal: Signal
  readonly items: number
  /** The parts, one behind the other: together they are one request. */
  readonly bytes: Uint8Array<ArrayBuffer>
  readonly client: ClientInfo
  /** Its sender waits for delivery. */
  readonly waits: boolean
  readonly note: unknown
}

interface Refusal {
  readonly number: number
  readonly code: DeliveryCode
  readonly message: string
  readonly retry: Retry
  readonly grpcCode: number | undefined
}

/** What travels in one message. */
interface Parcel {
  readonly batches: HandedBatch[]
  readonly accepted: number[]
  readonly delivered: number[]
  readonly refused: Refusal[]
  pings: number
  pongs: number
}

/** What is said within this time goes together, unless the turn ends first. */
const GATHER_MS = 1

const emptyParcel = (): Parcel => ({ batches: [], accepted: [], delivered: [], refused: [], pings: 0, pongs: 0 })

const isEmpty = ({ batches, accepted, delivered, refused, pings, pongs }: Parcel): boolean =>
  batches.length + accepted.length + delivered.length + refused.length + pings + pongs === 0

/** A batch that the other shard has not settled yet. */
export interface Outstanding {
  readonly id: number
  readonly place: string
  readonly note: unknown
  readonly items: number
  readonly byteLength: number
  readonly delivery: Delivery
  /** Where its bytes stay here too: until the other shard has accepted them. */
  kept: Batch | undefined
  accepted: boolean
}

export interface LinkHost {
  /** A batch from the other shard, with a delivery record that goes back there. */
  take(place: string, batch: Batch, note: unknown): void
  /** The other shard is gone, with what it had not settled. Called once. */
  onGone(outstanding: Iterable<Outstanding>): void
}

export class Link {
  readonly #port: MessagePort
  readonly #host: LinkHost
  readonly #outstanding = new IdTable<Outstanding>()
  readonly #flushed: (() => void)[] = []
  #number = 0
  /** What is to be said, and the buffers that go with it. */
  #parcel = emptyParcel()
  #transfer: ArrayBuffer[] = []
  #sentAt = 0
  #isDue = false
  #isGone = false
  /** Bytes of batches that the other shard has not accepted yet, and how many those are. */
  unacceptedBytes = 0
  unaccepted = 0

  constructor(port: MessagePort, host: LinkHost) {
    this.#port = port
    this.#host = host
    port.on('message', (parcel: Parcel) => this.#open(parcel))
    port.on('close', () => this.#gone())
  }

  hand(place: string, batch: Batch, keep: boolean, note: unknown): void {
    const number = ++this.#number
    const { signal, items, byteLength, client, delivery } = batch
    const bytes = keep ? joined(batch) : moved(batch)
    const kept = keep ? batch : undefined
    this.#outstanding.add({ id: number, place, note, items, byteLength, delivery, kept, accepted: false })
    this.unacceptedBytes += byteLength
    this.unaccepted++
    this.#parcel.batches.push({ number, place, signal, items, bytes, client, waits: delivery.waits, note })
    this.#transfer.push(bytes.buffer)
    this.#said()
  }

  /** Resolves when the other shard has taken all that was handed to it, or is gone. */
  flush(): Promise<void> {
    if (this.#isGone) return Promise.resolve()
    this.#parcel.pings++
    this.#said()
    return new Promise((resolve) => this.#flushed.push(resolve))
  }

  close(): void {
    this.#send()
    this.#port.close()
  }

  /** Something has been put into the parcel that is open. */
  #said(): void {
    const now = performance.now()
    if (now - this.#sentAt >= GATHER_MS) this.#send()
    else if (!this.#isDue) {
      this.#isDue = true
      setImmediate(this.#send)
    }
  }

  readonly #send = (): void => {
    this.#isDue = false
    const parcel = this.#parcel
    const transfer = this.#transfer
    if (isEmpty(parcel)) return
    this.#parcel = emptyParcel()
    this.#transfer = []
    this.#sentAt = performance.now()
    this.#port.postMessage(parcel, transfer)
  }

  #open(parcel: Parcel): void {
    for (const handed of parcel.batches) this.#take(handed)
    for (const number of parcel.accepted) this.#accepted(number)
    for (const number of parcel.delivered) this.#settled(number)?.delivery.deliver()
    for (const { number, code, message, retry, grpcCode } of parcel.refused) {
      const error = new DeliveryError(code, message, { retry, ...(grpcCode === undefined ? {} : { grpcCode }) })
      this.#settled(number)?.delivery.refuse(error)
    }
    if (parcel.pings > 0) {
      this.#parcel.pongs += parcel.pings
      this.#said()
    }
    for (const resolve of this.#flushed.splice(0, parcel.pongs)) resolve()
  }

  #take({ number, place, signal, items, bytes, client, waits, note }: HandedBatch): void {
    const delivery = new Delivery(
      {
        onAccepted: () => {
          this.#parcel.accepted.push(number)
          this.#said()
        },
        onDelivered: () => {
          this.#parcel.delivered.push(number)
          this.#said()
        },
        onRefused: ({ code, message, retry, grpcCode }) => {
          this.#parcel.refused.push({ number, code, message, retry, grpcCode })
          this.#said()
        },
      },
      waits,
    )
    this.#host.take(place, new Batch(signal, [bytes], items, delivery, client), note)
  }

  #accepted(number: number): void {
    const outstanding = this.#outstanding.get(number)
    if (outstanding === undefined || outstanding.accepted) return
    outstanding.accepted = true
    outstanding.kept = undefined
    this.#unaccept(outstanding)
    outstanding.delivery.accept()
  }

  #settled(number: number): Outstanding | undefined {
    const outstanding = this.#outstanding.get(number)
    this.#outstanding.delete(number)
    if (outstanding !== undefined && !outstanding.accepted) this.#unaccept(outstanding)
    return outstanding
  }

  #unaccept({ byteLength }: Outstanding): void {
    this.unacceptedBytes -= byteLength
    this.unaccepted--
  }

  #gone(): void {
    if (this.#isGone) return
    this.#isGone = true
    for (const resolve of this.#flushed.splice(0)) resolve()
    const outstanding = this.#outstanding.values()
    this.#outstanding.clear()
    this.#host.onGone(outstanding)
  }
}

function joined({ parts, byteLength }: Batch): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(byteLength)
  let at = 0
  for (const part of parts) {
    bytes.set(part, at)
    at += part.length
  }
  return bytes
}

/** The bytes themselves where one buffer holds them and hardly more; the batch is not to be read any more. */
function moved(batch: Batch): Uint8Array<ArrayBuffer> {
  const [part] = batch.parts
  if (batch.parts.length > 1 || !(part!.buffer instanceof ArrayBuffer)) return joined(batch)
  const { buffer, byteOffset, byteLength } = part!
  // A piece of a pool would take the pool along.
  const isOwn = byteOffset === 0 && buffer.byteLength - byteLength <= byteLength >>> 3
  return isOwn ? (part as Uint8Array<ArrayBuffer>) : joined(batch)
}
