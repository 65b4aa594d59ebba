// A shard as users run it, but one that a test can harm: `kill` ends its thread at once, as a mistake in native code or the
// end of its memory would; `stick` keeps its event loop from coming round.

import type { ShardInit } from '../../src/shards/worker.ts'
import runShard from '../../src/shards/worker.ts'

/** One process of tests has one of these; its shards listen here. */
const CHANNEL = `mortal shards of ${process.pid}`

export const MORTAL_WORKER = import.meta.url

interface Harm {
  readonly shard: number
  /** The shard is stuck until this is no longer 0; absent: it dies. */
  readonly until?: Int32Array<SharedArrayBuffer>
}

function harm(message: Harm): void {
  const channel = new BroadcastChannel(CHANNEL)
  channel.postMessage(message)
  channel.close()
}

export function kill(shard: number): void {
  harm({ shard })
}

/** Gives what lets the shard go on. */
export function stick(shard: number): () => void {
  const until = new Int32Array(new SharedArrayBuffer(4))
  harm({ shard, until })
  return () => {
    until[0] = 1
    Atomics.notify(until, 0)
  }
}

function stuckInATest(until: Int32Array): void {
  Atomics.wait(until, 0, 0)
}

export default async function runMortalShard(init: ShardInit): Promise<void> {
  const channel = new BroadcastChannel(CHANNEL)
  channel.onmessage = (event) => {
    const { shard, until } = (event as unknown as { data: Harm }).data
    if (shard !== init.place.index) return
    if (until === undefined) process.exit(9)
    else stuckInATest(until)
  }
  await runShard(init)
  channel.close()
}
