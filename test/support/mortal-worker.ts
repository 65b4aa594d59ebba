// A shard as users run it, but one that a test can kill: `kill(shard)` ends its thread at once, as a mistake in native code
// or the end of its memory would.

import type { ShardInit } from '../../src/shards/worker.ts'
import runShard from '../../src/shards/worker.ts'

/** One process of tests has one of these; its shards listen here. */
const CHANNEL = `mortal shards of ${process.pid}`

export const MORTAL_WORKER = import.meta.url

export function kill(shard: number): void {
  const channel = new BroadcastChannel(CHANNEL)
  channel.postMessage(shard)
  channel.close()
}

export default async function runMortalShard(init: ShardInit): Promise<void> {
  const channel = new BroadcastChannel(CHANNEL)
  channel.onmessage = (event) => {
    if ((event as unknown as { data: number }).data === init.place.index) process.exit(9)
  }
  await runShard(init)
  channel.close()
}
