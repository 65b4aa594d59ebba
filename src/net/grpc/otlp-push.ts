// OTLP/gRPC to one server: Export calls with the parts of a batch as they are, and what the answer means for its delivery.
// Shared by every exporter that speaks it. Nothing is decoded or copied on the way.

import { DeliveryError } from '../../delivery/error.ts'
import type { ExporterContext } from '../../graph/component.ts'
import type { Batch } from '../../otlp/batch.ts'
import { readExportResponse } from '../../otlp/response.ts'
import type { Signal } from '../../otlp/signal.ts'
import { countRejected } from '../../self/exporter-metrics.ts'
import { GRPC } from '../status.ts'
import { GrpcPush, type GrpcPushConfig } from './push.ts'

const METHOD = {
  traces: '/opentelemetry.proto.collector.trace.v1.TraceService/Export',
  metrics: '/opentelemetry.proto.collector.metrics.v1.MetricsService/Export',
  logs: '/opentelemetry.proto.collector.logs.v1.LogsService/Export',
  profiles: '/opentelemetry.proto.collector.profiles.v1development.ProfilesService/Export',
} as const satisfies Record<Signal, string>

export class OtlpPush {
  readonly #context: ExporterContext
  readonly #server: GrpcPush

  /** Opens nothing. */
  constructor(config: GrpcPushConfig, context: ExporterContext) {
    this.#context = context
    this.#server = new GrpcPush(config, context)
  }

  /** Whether a connection stands. */
  get ready(): boolean {
    return this.#server.ready
  }

  /** Reads certificates and begins to connect. Throws an Error that names what cannot be read or is not there. */
  start(): void {
    this.#server.start()
  }

  close(): void {
    this.#server.close()
  }

  /** Resolves when the server has the batch; rejects with a DeliveryError. */
  readonly push = async (batch: Batch, signal: AbortSignal): Promise<void> => {
    const { parts, byteLength, client } = batch
    const answer = await this.#server.call(METHOD[batch.signal], parts, byteLength, client, signal)
    if (answer.length > 0) readAnswer(batch.signal, answer, this.#context)
  }
}

function readAnswer(signal: Signal, answer: Uint8Array, { log, meter }: ExporterContext): void {
  let partial: ReturnType<typeof readExportResponse>
  try {
    partial = readExportResponse(answer)
  } catch (error) {
    throw new DeliveryError('NEXT_HOP_BAD_ANSWER', `the answer is no OTLP response: ${(error as Error).message}`, {
      retry: 'never',
      grpcCode: GRPC.INTERNAL,
      cause: error,
    })
  }
  // OTLP, "Partial Success": the same bytes must not be sent again.
  if (partial === undefined) return
  if (partial.rejected > 0) countRejected(meter, signal, partial.rejected)
  log.warn('Partial success response', { message: partial.message, dropped_items: partial.rejected })
}
