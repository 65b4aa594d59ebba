// A request that another shard received and handed over as it came: unpacked, read and checked here, as its door would have
// done. What is wrong with it goes back as a DeliveryError, whose status the door there passes on.

import { DeliveryError, WHEN_THERE_IS_ROOM } from '../../delivery/error.ts'
import { CompressionError, type Decoding } from '../../net/compression.ts'
import { unpackFailure } from '../../net/grpc/framing.ts'
import { bodyFailure } from '../../net/http/body.ts'
import { GRPC, type RpcError } from '../../net/status.ts'
import type { Unpacked } from '../../net/unpack-line.ts'
import type { Batch } from '../../otlp/batch.ts'
import { checkRequest } from '../../otlp/check.ts'
import { jsonToBytes } from '../../otlp/json/index.ts'
import type { Intake, Transport } from './intake.ts'

/** What the bytes are. Plain data. */
export interface HandedOver {
  readonly transport: Transport
  readonly form: 'protobuf' | 'json'
  readonly encoding: Decoding | undefined
  /** As it came, and again unpacked. */
  readonly maxBytes: number
}

/** What the client of a request that is no OTLP hears, by its protocol (Collector reference 2.3). */
export function unreadableOf(transport: Transport, message: string): RpcError {
  if (transport === 'http') return { code: GRPC.INVALID_ARGUMENT, message }
  return { code: GRPC.INTERNAL, message: `grpc: error unmarshalling request: ${message}` }
}

/** Stands for all other shards: what they hand over has one share of the budget. */
const OTHERS = {}

export function takenOver(batch: Batch, note: HandedOver, intake: Intake): void {
  const { delivery } = batch
  const { transport, form, encoding, maxBytes } = note
  const bytes = batch.parts[0] as Uint8Array<ArrayBuffer>
  const refuse = ({ code, message }: RpcError): void =>
    delivery.refuse(new DeliveryError('REQUEST_UNREADABLE', message, { retry: 'never', grpcCode: code }))
  const noRoom = (): void => {
    const text = 'too many bytes of unanswered requests are in flight, try again later'
    intake.refused(transport, 'overload', text)
    if (!delivery.settled)
      delivery.refuse(new DeliveryError('SHARD_BUSY', text, { retry: WHEN_THERE_IS_ROOM, grpcCode: GRPC.UNAVAILABLE }))
  }
  const held = intake.budget.connection(OTHERS).open(maxBytes, noRoom)
  if (held?.take(bytes.length) !== true) {
    held?.end()
    noRoom()
    return
  }
  const read = (unpacked: Uint8Array<ArrayBuffer>): void => {
    if (!held.arrived(unpacked.length)) {
      noRoom()
      return
    }
    const { signal } = batch
    let request: Uint8Array
    let items: number
    try {
      request = form === 'json' ? jsonToBytes(signal, unpacked) : unpacked
      items = checkRequest(signal, request)
    } catch (error) {
      held.end()
      refuse(unreadableOf(transport, intake.unreadable(transport, error)))
      return
    }
    intake.acceptFor(batch, transport, request, items, () => held.end())
  }
  if (encoding === undefined) {
    read(bytes)
    return
  }
  intake.unpacking.unpack(OTHERS, encoding, bytes, maxBytes, (result: Unpacked) => {
    if (result === 'overload') {
      held.end()
      noRoom()
    } else if (result instanceof CompressionError) {
      held.end()
      const refusal = transport === 'grpc' ? unpackFailure(result, maxBytes) : bodyFailure(result)
      intake.refused(transport, result.reason, refusal.message)
      refuse(refusal)
    } else read(result)
  })
}
