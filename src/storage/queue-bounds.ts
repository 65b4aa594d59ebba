// The bounds of a queue on disk that no key sets.

export interface QueueBounds {
  /** Files are sealed at this size; a record beyond it gets a file to itself. */
  readonly fileMaxBytes: number
  /** Payloads of durable records that are kept in memory until they are taken. */
  readonly memoryMaxBytes: number
  /** Records that wait to be written; beyond it the queue counts as full. */
  readonly pendingMaxBytes: number
  /** Writes begin no sooner after one another where each is made safe against a power cut. */
  readonly groupEveryMs: number
}

export const QUEUE_BOUNDS: QueueBounds = {
  fileMaxBytes: 32 * 2 ** 20,
  memoryMaxBytes: 12 * 2 ** 20,
  pendingMaxBytes: 32 * 2 ** 20,
  groupEveryMs: 8,
}

/** What one of several shards has of them: each has a queue. */
export const shareOfBounds = (shards: number): QueueBounds => ({
  ...QUEUE_BOUNDS,
  memoryMaxBytes: QUEUE_BOUNDS.memoryMaxBytes / shards,
  pendingMaxBytes: QUEUE_BOUNDS.pendingMaxBytes / shards,
})
