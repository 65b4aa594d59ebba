// What both protocols share: a checked request becomes a batch in the signal's pipelines, and the batch's delivery
// record becomes the answer. Also what is counted, and the bytes that wait for answers.

import { Delivery } from '../../delivery/delivery.ts'
import type { ReceiverContext } from '../../graph/component.ts'
import { ByteBudget } from '../../net/byte-budget.ts'
import { LIMITS, limitsOfShare } from '../../net/limits.ts'
import { errorToGrpc, type RpcError } from '../../net/status.ts'
import { UnpackLine } from '../../net/unpack-line.ts'
import { Batch, type ClientInfo } from '../../otlp/batch.ts'
import { MalformedOtlp } from '../../otlp/check.ts'
import type { Signal } from '../../otlp/signal.ts'
import type { Counter } from '../../self/meter.ts'
import { type ReceiverMetrics, receiverMetrics } from '../../self/receiver-metrics.ts'
import { type HandedOver, takenOver } from './taken-over.ts'

export type Transport = 'grpc' | 'http'

/** Called once each, one or the other. */
export interface Answer {
  ok(): void
  error(error: RpcError): void
}

/** Lines about refused requests: the first of a kind at once, then how many more there were, at most this often. */
const TALLY_EVERY_MS = 60_000

export class Intake {
  readonly budget: ByteBudget
  readonly unpacking: UnpackLine
  readonly #context: ReceiverContext
  readonly #metrics = new Map<string, ReceiverMetrics>()
  readonly #refusals = new Map<string, { counter: Counter; silentUntilMs: number; untold: number }>()

  /**
   * `largestRequestBytes` as the doors are configured: two such requests must fit. Of `shards` that listen each has its
   * share of the bytes, in which one such request fits.
   */
  constructor(context: ReceiverContext, largestRequestBytes = 0, shards = 1) {
    this.#context = context
    context.relief?.serve((batch, note) => takenOver(batch, note as HandedOver, this))
    const { requestBytes, unpackingWaiting, unpackingBytesPerTurn } = LIMITS
    const { arrivingBytesPerConnection } = limitsOfShare(shards)
    const largest = largestRequestBytes + requestBytes
    const share = Math.max(LIMITS.inFlightBytes, 2 * largest) / shards
    this.unpacking = new UnpackLine({ maxWaiting: unpackingWaiting, bytesPerTurn: unpackingBytesPerTurn })
    this.budget = new ByteBudget(Math.max(Math.ceil(share), largest), {
      arrivingPerConnection: arrivingBytesPerConnection,
      perRequest: requestBytes,
    })
  }

  /** Whether some pipeline takes this signal from this receiver. */
  takes(signal: Signal): boolean {
    return this.#context.outputs[signal] !== undefined
  }

  /** The shard that should do what has just come; undefined: this one. */
  relief(): number | undefined {
    return this.#context.relief?.next()
  }

  /** Hands a request over as it came: the other shard unpacks, checks and counts it. The bytes go with it. */
  handOver(
    shard: number,
    signal: Signal,
    bytes: Uint8Array,
    note: HandedOver,
    client: ClientInfo,
    answer: Answer,
  ): void {
    const delivery = new Delivery({
      onAccepted: () => answer.ok(),
      onRefused: (error, accepted) => {
        if (!accepted) answer.error(errorToGrpc(error))
      },
    })
    this.#context.relief!.hand(shard, new Batch(signal, [bytes], 0, delivery, client), note)
  }

  /** Takes a checked request over. Without items it is a success that no pipeline sees (Collector reference 2.3). */
  accept(
    signal: Signal,
    transport: Transport,
    bytes: Uint8Array,
    items: number,
    client: ClientInfo,
    answer: Answer,
  ): void {
    if (items === 0) {
      answer.ok()
      return
    }
    const metrics = this.#metricsOf(signal, transport)
    const delivery = new Delivery({
      onAccepted: () => {
        metrics.accepted.add(items)
        answer.ok()
      },
      onRefused: (error, accepted) => {
        if (accepted) return
        metrics.refused.add(items)
        answer.error(errorToGrpc(error))
      },
    })
    this.#context.outputs[signal]!.send(new Batch(signal, [bytes], items, delivery, client))
  }

  /** The same for a request that another shard received: `answered` is called once, when that shard can answer. */
  acceptFor(from: Batch, transport: Transport, bytes: Uint8Array, items: number, answered: () => void): void {
    const { signal, client } = from
    if (items === 0) {
      answered()
      from.delivery.deliver()
      return
    }
    const metrics = this.#metricsOf(signal, transport)
    const delivery = new Delivery({
      onAccepted: () => {
        metrics.accepted.add(items)
        answered()
        from.delivery.accept()
      },
      onDelivered: () => from.delivery.deliver(),
      onRefused: (error, accepted) => {
        if (!accepted) {
          metrics.refused.add(items)
          answered()
        }
        from.delivery.refuse(error)
      },
    })
    this.#context.outputs[signal]!.send(new Batch(signal, [bytes], items, delivery, client))
  }

  /**
   * Counts a request whose bytes could not be read, and gives the words for its sender. What is no MalformedOtlp is a
   * mistake in our readers: it is told in the log, and costs this request alone.
   */
  unreadable(transport: Transport, error: unknown): string {
    const message = error instanceof Error ? error.message : String(error)
    if (!(error instanceof MalformedOtlp))
      this.#context.log.error('a request could not be read', { transport, error: message })
    this.refused(transport, 'malformed', message)
    return message
  }

  /** Counts a request, or a connection, that never became a batch. */
  refused(transport: Transport, reason: string, detail: string): void {
    const key = `${transport} ${reason}`
    let known = this.#refusals.get(key)
    if (known === undefined) {
      const counter = this.#context.meter.counter(
        'receiver_refused_requests',
        '{request}',
        'Number of requests and connections that the receiver refused before any pipeline saw them.',
        { labels: { transport, reason } },
      )
      known = { counter, silentUntilMs: 0, untold: 0 }
      this.#refusals.set(key, known)
    }
    known.counter.add(1)
    const now = this.#context.clock.monotonic()
    if (now < known.silentUntilMs) {
      known.untold++
      return
    }
    this.#context.log.info('request refused', { transport, reason, detail, since_last_line: known.untold })
    known.silentUntilMs = now + TALLY_EVERY_MS
    known.untold = 0
  }

  /** Made when the first request of a signal comes, so that both of its counters show from then on, one of them as 0. */
  #metricsOf(signal: Signal, transport: Transport): ReceiverMetrics {
    const key = `${signal} ${transport}`
    let metrics = this.#metrics.get(key)
    if (metrics === undefined) {
      metrics = receiverMetrics(this.#context.meter, signal, transport)
      this.#metrics.set(key, metrics)
    }
    return metrics
  }
}
