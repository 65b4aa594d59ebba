// The refusals that sending itself makes, and how a failure is named in metrics.

import type { DeliveryCode } from '../delivery/codes.ts'
import { DeliveryError, WHEN_THERE_IS_ROOM } from '../delivery/error.ts'

export const queueFull = (): DeliveryError =>
  new DeliveryError('QUEUE_FULL', 'sending queue is full', { retry: WHEN_THERE_IS_ROOM })

/** Retryable as the Collector has it, although only a larger queue can help: its client gets 503. */
export const tooLarge = (size: number, capacity: number, sizer: string): DeliveryError =>
  new DeliveryError(
    'QUEUE_REQUEST_TOO_LARGE',
    `element size too large: ${size} ${sizer}, the whole queue holds ${capacity}`,
    {
      retry: 'backoff',
    },
  )

export const stopping = (): DeliveryError =>
  new DeliveryError('EXPORTER_STOPPED', 'the exporter is shutting down', { retry: 'backoff' })

export const notOpen = (): DeliveryError =>
  new DeliveryError('EXPORTER_NOT_STARTED', 'the queue on disk is not open', { retry: 'backoff' })

export const timedOut = (timeoutMs: number): DeliveryError =>
  new DeliveryError('SEND_TIMEOUT', `no answer within ${timeoutMs} ms`, { retry: 'backoff' })

export const interrupted = (cause: DeliveryError): DeliveryError =>
  again('EXPORTER_STOPPED', 'interrupted due to shutdown', cause)

export const noMoreRetries = (cause: DeliveryError): DeliveryError => again(cause.code, 'no more retries left', cause)

/** What a push threw, as a DeliveryError. Anything else is a mistake of ours, and trying again would repeat it. */
export function toDeliveryError(error: unknown): DeliveryError {
  if (error instanceof DeliveryError) return error
  const message = error instanceof Error ? error.message : String(error)
  return new DeliveryError('EXPORTER_FAILED', message, { retry: 'never', cause: error })
}

function again(code: DeliveryCode, words: string, cause: DeliveryError): DeliveryError {
  const { retry, grpcCode } = cause
  return new DeliveryError(code, `${words}: ${cause.message}`, {
    retry,
    cause,
    ...(grpcCode === undefined ? {} : { grpcCode }),
  })
}

// The status codes 0 to 16 by name (grpc/grpc, doc/statuscodes.md), as the Collector writes them into `error.type`.
const CODE_NAMES =
  'OK Canceled Unknown InvalidArgument DeadlineExceeded NotFound AlreadyExists PermissionDenied ResourceExhausted FailedPrecondition Aborted OutOfRange Unimplemented Internal Unavailable DataLoss Unauthenticated'.split(
    ' ',
  )

export function errorType(error: DeliveryError): string {
  if (error.code === 'EXPORTER_STOPPED') return 'Shutdown'
  if (error.grpcCode !== undefined) return CODE_NAMES[error.grpcCode] ?? '_OTHER'
  return error.code === 'SEND_TIMEOUT' ? 'Deadline_Exceeded' : '_OTHER'
}
