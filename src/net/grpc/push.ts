// Calls of one gRPC server by an exporter: the client, its authenticator, and what an error means for the delivery of what
// was sent. Shared by every exporter that pushes over gRPC; the messages are theirs.

import { DeliveryError, type Retry } from '../../delivery/error.ts'
import type { ExporterContext } from '../../graph/component.ts'
import type { ClientInfo } from '../../otlp/batch.ts'
import { readRpcStatus } from '../../otlp/response.ts'
import { type ClientAuthenticator, findClientAuthenticator, orAborted } from '../auth/authenticator.ts'
import { GRPC, isRetryableGrpc } from '../status.ts'
import { type GrpcClientConfig, makeGrpcClient } from './client-config.ts'
import type { GrpcClient } from './client-engine.ts'
import { GrpcError } from './client-status.ts'

/** What a pushing exporter's configuration must have. */
export type GrpcPushConfig = GrpcClientConfig & { readonly timeoutMs: number }

export class GrpcPush {
  readonly #config: GrpcPushConfig
  readonly #context: ExporterContext
  #client: GrpcClient | undefined
  #auth: ClientAuthenticator | undefined

  /** Opens nothing. */
  constructor(config: GrpcPushConfig, context: ExporterContext) {
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

  /**
   * Calls `path` with the message whose parts lie side by side, on behalf of `sender`. Resolves with the answer's message;
   * rejects with a DeliveryError.
   */
  async call(
    path: string,
    parts: readonly Uint8Array[],
    byteLength: number,
    sender: ClientInfo,
    signal: AbortSignal,
  ): Promise<Uint8Array> {
    const client = this.#client
    if (client === undefined) throw notStarted()
    let headers: Map<string, string> | undefined
    if (this.#auth !== undefined) {
      headers = client.headers()
      const wait = this.#auth.authorize(headers, sender)
      if (wait !== undefined) await orAborted(wait, signal)
    }
    try {
      return await client.call(path, parts, byteLength, signal, headers)
    } catch (error) {
      if (!(error instanceof GrpcError)) throw error
      const again =
        headers !== undefined && error.code === GRPC.UNAUTHENTICATED && this.#auth?.rejected?.(headers) === true
      throw toDeliveryError(error, signal, again)
    }
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
