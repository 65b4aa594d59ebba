// Sends the parts of a batch as one Export call; nothing is decoded or copied on the way to the socket.

import { DeliveryError, type Retry } from '../../delivery/error.ts'
import type { Exporter, ExporterContext } from '../../graph/component.ts'
import { type ClientAuthenticator, findClientAuthenticator, orAborted } from '../../net/auth/authenticator.ts'
import type { GrpcClient } from '../../net/grpc/client.ts'
import { makeGrpcClient, targetOf } from '../../net/grpc/client-config.ts'
import { GrpcError } from '../../net/grpc/client-status.ts'
import { GRPC, isRetryableGrpc } from '../../net/status.ts'
import type { Batch } from '../../otlp/batch.ts'
import { readExportResponse, readRpcStatus } from '../../otlp/response.ts'
import type { Signal } from '../../otlp/signal.ts'
import { countRejected } from '../../self/exporter-metrics.ts'
import { Sending } from '../../sending/sending.ts'
import type { OtlpGrpcConfig } from './config.ts'

const METHOD = {
  traces: '/opentelemetry.proto.collector.trace.v1.TraceService/Export',
  metrics: '/opentelemetry.proto.collector.metrics.v1.MetricsService/Export',
  logs: '/opentelemetry.proto.collector.logs.v1.LogsService/Export',
  profiles: '/opentelemetry.proto.collector.profiles.v1development.ProfilesService/Export',
} as const satisfies Record<Signal, string>

export class OtlpGrpcExporter implements Exporter {
  readonly #config: OtlpGrpcConfig
  readonly #context: ExporterContext
  readonly #sending: Sending
  #client: GrpcClient | undefined
  #auth: ClientAuthenticator | undefined

  constructor(config: OtlpGrpcConfig, context: ExporterContext) {
    this.#config = config
    this.#context = context
    const { host, port } = targetOf(config)
    const labels = host === '' ? {} : { 'server.address': host, 'server.port': String(port) }
    this.#sending = new Sending(
      context,
      config,
      (batch, signal) => this.#push(batch, signal),
      () => labels,
    )
  }

  async start(): Promise<void> {
    const { auth } = this.#config
    if (auth !== undefined) this.#auth = findClientAuthenticator(this.#context, auth.authenticator)
    this.#client = makeGrpcClient(this.#config, this.#config.timeoutMs, this.#context)
    this.#client.connect()
    await this.#sending.start()
  }

  export(batch: Batch): void {
    this.#sending.send(batch)
  }

  async stop(deadline?: AbortSignal): Promise<void> {
    await this.#sending.stop(deadline)
    this.#client?.close()
  }

  async #push(batch: Batch, signal: AbortSignal): Promise<void> {
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
    if (answer.length > 0) this.#readAnswer(batch.signal, answer)
  }

  #readAnswer(signal: Signal, answer: Uint8Array): void {
    let partial: ReturnType<typeof readExportResponse>
    try {
      partial = readExportResponse(answer)
    } catch (error) {
      throw new DeliveryError('OTLP_BAD_ANSWER', `the answer is no OTLP response: ${(error as Error).message}`, {
        retry: 'never',
        grpcCode: GRPC.INTERNAL,
        cause: error,
      })
    }
    if (partial === undefined) return
    // OTLP, "Partial Success": the same bytes must not be sent again.
    if (partial.rejected > 0) countRejected(this.#context.meter, signal, partial.rejected)
    this.#context.log.warn('Partial success response', {
      message: partial.message,
      dropped_items: partial.rejected,
    })
  }
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
  return new DeliveryError('OTLP_REFUSED', error.message, { retry, grpcCode: code, cause: error })
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
