// The refusals of a queue on disk.

import { DeliveryError, WHEN_THERE_IS_ROOM } from '../delivery/error.ts'

export const diskQueueFull = (maxBytes: number): DeliveryError =>
  new DeliveryError('QUEUE_FULL', `sending queue is full: it holds ${maxBytes} bytes on disk, its max_size`, {
    retry: WHEN_THERE_IS_ROOM,
  })

export const diskTooSlow = (): DeliveryError =>
  new DeliveryError('QUEUE_FULL', 'sending queue is full: the disk does not keep up', { retry: WHEN_THERE_IS_ROOM })

export const tooLargeForDisk = (bytes: number, maxBytes: number): DeliveryError =>
  new DeliveryError(
    'QUEUE_REQUEST_TOO_LARGE',
    `element size too large: ${bytes} bytes, the whole queue may hold ${maxBytes} on disk`,
    { retry: 'backoff' },
  )

/** A full or broken disk: it may be well again by the next try. */
export const writeFailed = (cause: Error): DeliveryError =>
  new DeliveryError('QUEUE_DISK_FAILED', `the sending queue could not be written to disk: ${cause.message}`, {
    retry: WHEN_THERE_IS_ROOM,
    cause,
  })
