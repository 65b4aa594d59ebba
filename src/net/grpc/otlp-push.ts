// One Export call of OTLP/gRPC: the parts of a batch as they are, and what the answer means for its delivery. Shared by
// every exporter that speaks it. Nothing is decoded or copied on the way to the socket.

import { DeliveryError, type Retry } from '../../delivery/error.ts'
import type { Batch } from '../../otlp/batch.ts'
import { readExportResponse, readRpcStatus } from '../../otlp/response.ts'
import type { Signal } from '../../otlp/signal.ts'
import type { Logger } from '../../self/log.ts'
import { GRPC, isRetryableGrpc } from '../status.ts'
import type { GrpcClient } from './client.ts'
import { GrpcError } from './client-status.ts'

const METHOD = {
  traces: '/opentelemetry.proto.collector.trace.v1.TraceService/Export',
  metrics: '/opentelemetry.proto.collector.metrics.v1.MetricsService/Export',
  logs: '/opentelemetry.proto.collector.logs.v1.LogsService/Export',
  profiles: '/opentelemetry.proto.collector.profiles.v1development.ProfilesService/Export',
} as const satisfies Record<Signal, string>

/** Resolves when the server has the batch; rejects with a DeliveryError. `client` is undefined before the start. */
export async function pushOtlp(
  client: GrpcClient | undefined,
  batch: Batch,
  signal: AbortSignal,
  log: Logger,
): Promise<void> {
  if (client === undefined) throw notStarted()
  let answer: Uint8Array
  try {
    answer = await client.call(METHOD[batch.signal], batch.parts, batch.byteLength, signal)
  } catch (error) {
    throw error instanceof GrpcError ? toDeliveryError(error, signal) : error
  }
  if (answer.length > 0) readAnswer(answer, log)
}

function readAnswer(answer: Uint8Array, log: Logger): void {
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
  // OTLP, "Partial Success": the same bytes must not be sent again.
  if (partial !== undefined)
    log.warn('Partial success response', { message: partial.message, dropped_items: partial.rejected })
}

const notStarted = (): DeliveryError =>
  new DeliveryError('EXPORTER_NOT_STARTED', 'the exporter has not been started', { retry: 'backoff' })

function toDeliveryError(error: GrpcError, signal: AbortSignal): DeliveryError {
  // Our own time limit is the call's deadline, which gRPC has a code for.
  const timedOut = signal.aborted && (signal.reason as DeliveryError | undefined)?.code === 'SEND_TIMEOUT'
  const code = timedOut ? GRPC.DEADLINE_EXCEEDED : error.code
  const afterMs = retryInfoMs(error)
  let retry: Retry = 'never'
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
