// What each thread of the router uses: the supervisor first, then the shards.

import type { ShardHealthState, SupervisorContext, ThreadName, ThreadUsage } from '../../graph/supervised.ts'

/** How long a page waits for the threads. */
const WAIT_MS = 500

export interface Used {
  readonly thread: ThreadName
  /** Of a shard. */
  readonly state?: ShardHealthState
  /** Absent where the thread does not let itself be looked into; `error` says why. */
  readonly usage?: ThreadUsage
  readonly error?: string
}

export async function usages({ clock, health, threads }: SupervisorContext): Promise<Used[]> {
  const late = Promise.withResolvers<never>()
  late.promise.catch(() => {})
  const timer = clock.after(WAIT_MS, () => late.reject(new Error(`no answer within ${WAIT_MS} ms`)))
  const ask = async (one: Used): Promise<Used> => {
    try {
      return { ...one, usage: await Promise.race([threads.usage(one.thread), late.promise]) }
    } catch (error) {
      return { ...one, error: (error as Error).message }
    }
  }
  const shards = health().shards.map(({ index, state }) => ({ thread: index, state }))
  const found = await Promise.all([{ thread: 'supervisor' } as const, ...shards].map(ask))
  timer.cancel()
  return found
}
