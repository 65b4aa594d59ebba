// OTLP/gRPC to one server: the client, its authenticator, and Export calls: the parts of a batch as they are, and what the
// answer means for its delivery. Shared by every exporter that speaks it. Nothing is decoded or copied on the way.

import { DeliveryError, type Retry } from '../../delivery/error.ts'
import type { ExporterContext } from '../../graph/component.ts'
import type { Batch } from '../../otlp/batch.ts'
import { readExportResponse, readRpcStatus } from '../../otlp/response.ts'
import type { Signal } from '../../otlp/signal.ts'
import { countRejected } from '../../self/exporter-metrics.ts'
import { type ClientAuthenticator, findClientAuthenticator, orAborted } from '../auth/authenticator.ts'
import { GRPC, isRetryableGrpc } from '../status.ts'
import { type GrpcClientConfig, makeGrpcClient } from './client-config.ts'
import type { GrpcClient } from './client-engine.ts'
import { GrpcError } from './client-status.ts'

const METHOD = {
  traces: '/opentelemetry.proto.collector.trace.v1.TraceService/Export',
  metrics: '/opentelemetry.proto.collector.metrics.v1.MetricsService/Export',
  logs: '/opentelemetry.proto.collector.logs.v1.LogsService/Export',
  profiles: '/opentelemetry.proto.collector.profiles.v1development.ProfilesService/Export',
} as const satisfies Record<Signal, string>

/** What a pushing exporter's configuration must have. */
export type OtlpPushConfig = GrpcClientConfig & { readonly timeoutMs: number }

export class OtlpPush {
  readonly #config: OtlpPushConfig
  readonly #context: ExporterContext
  #client: GrpcClient | undefined
  #auth: ClientAuthenticator | undefined

  /** Opens nothing. */
  constructor(config: OtlpPushConfig, context: ExporterContext) {
    this.#config = config
    this.#context = context
  }

  /** Whether a connection stands. */
  get ready(): boolean {
    return this.#client?.ready === true
  }

  /** Reads certificates and begins to connect. Throws an Error that names what cannot be read or is not there. */
  start(): void {
    const { auth } = this.#config
    if (auth !== undefined) this.#auth = findClientAuthenticator(this.#context, auth.authenticator)
    this.#client = makeGrpcClient(this.#config, this.#config.timeoutMs, this.#context)
    this.#client.connect()
  }

  close(): void {
    this.#client?.close()
  }

  /** Resolves when the server has the batch; rejects with a DeliveryError. */
  readonly push = async (batch: Batch, signal: AbortSignal): Promise<void> => {
    const client = this.#client
    if (client === undefined) throw notStarted()
    let headers: Map<string, string> | undefined
    if (this.#auth !== undefined) {
      headers = client.headers()
      const wait = this.#auth.authorize(headers, batch.client)
      if (wait !== undefined) await orAborted(wait, signal)
    }
    let answer: Uint8Array
    try {
      answer = await client.call(METHOD[batch.signal], batch.parts, batch.byteLength, signal, headers)
    } catch (error) {
      if (!(error instanceof GrpcError)) throw error
      const again =
        headers !== undefined && error.code === GRPC.UNAUTHENTICATED && this.#auth?.rejected?.(headers) === true
      throw toDeliveryError(error, signal, again)
    }
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

const notStarted = (): DeliveryError =>
  new DeliveryError('EXPORTER_NOT_STARTED', 'the exporter has not been started', { retry: 'backoff' })

/** `again`: the credential was refused, and there will be another one. */
function toDeliveryError(error: GrpcError, signal: AbortSignal, again: boolean): DeliveryError {
  // Our own time limit is the call's deadline, which gRPC has a code for.
  const timedOut = signal.aborted && (signal.reason as DeliveryError | undefined)?.code === 'SEND_TIMEOUT'
  const code = timedOut ? GRPC.DEADLINE_EXCEEDED : error.code
  const afterMs = retryInfoMs(error)
  let retry: Retry = again ? 'backoff' : 'never'
  if (isRetryableGrpc(code, afterMs !== undefined)) retry = afterMs === undefined ? 'backoff' : { afterMs }
  return new DeliveryError('NEXT_HOP_REFUSED', error.message, { retry, grpcCode: code, cause: error })
}

function retryInfoMs(error: GrpcError): number | undefined {
  if (error.details === undefined) return undefined
  try {
    return readRpcStatus(error.details).retryAfterMs
  } catch {
    // Details that cannot be read say nothing of a delay; code and message stand in headers of their own.
    return undefined
  }
}
