// The main thread's side: starts the shards (shard.ts), joins each to the others, and lets them stop in step.
//
// A reload is handed to every living shard, and taken back where one of them refuses. Shards that start later, also after
// a death, start with the newest plan that all have taken.

import { MessageChannel } from 'node:worker_threads'
import type { Clock } from '../graph/clock.ts'
import { UsageTable } from '../graph/usage-table.ts'
import type { Logger } from '../self/log.ts'
import type { Snapshot } from '../self/snapshot.ts'
import { makeLoadTable } from './load.ts'
import type { LinkEnd, ShardLook, ShardReload } from './messages.ts'
import { Shard, type ShardReport, type SupervisorLimits } from './shard.ts'
import type { ShardThread } from './threads.ts'
import type { ShardInit, ShardPlan } from './worker.ts'

export interface SupervisorOptions {
  readonly shards: number
  /** What every shard is started with, until a reload. */
  readonly init: Omit<ShardInit, 'place' | 'port' | 'links' | 'loads'>
  /** Whether this system lets the shards listen on the same ports. */
  readonly sharePorts?: boolean
  readonly clock: Clock
  readonly log: Logger
  /** A component gave up for good: the router is to stop. */
  readonly onFatal: (id: string, message: string) => void
  /** `last` is what the shard had counted when it was last heard of. */
  readonly onDied?: (shard: number, last: Snapshot | undefined) => void
  readonly limits?: SupervisorLimits
  /** URL of the thread's entry; for tests. */
  readonly worker?: string
}

export class Supervisor {
  readonly #shards: Shard[]

  constructor(options: SupervisorOptions) {
    const loads = makeLoadTable(options.shards)
    const memory = UsageTable.make(options.shards)
    const host = {
      ...options,
      loads,
      memory,
      join: (index: number) => this.#join(index),
      onStep: () => this.#step(),
    }
    this.#shards = Array.from({ length: options.shards }, (_, index) => new Shard(index, host))
  }

  /** Resolves when every shard receives; rejects with the first reason why one cannot, after all have ended. */
  async start(): Promise<void> {
    // What one cannot start with, the others cannot either; and ports are asked for alone before they are shared.
    const [first, ...others] = this.#shards
    const results = await Promise.allSettled([first!.start()])
    if (results[0]!.status === 'fulfilled') results.push(...(await Promise.allSettled(others.map((s) => s.start()))))
    const failed = results.find((r) => r.status === 'rejected')
    if (failed === undefined) return
    await this.stop(0)
    throw failed.reason
  }

  /**
   * Hands every shard another plan. `refused`: they run on with the one before. `broken`: at least one runs nothing now,
   * and all are to be stopped.
   */
  async reload(next: ShardPlan, drainMs: number): Promise<ShardReload> {
    const results = await Promise.all(this.#shards.map((shard) => shard.reload(next, drainMs)))
    const failed = results.find(({ outcome }) => outcome === 'broken') ?? results.find((r) => r.outcome === 'refused')
    if (failed === undefined) {
      await Promise.all(this.#shards.map((shard) => shard.use(next, drainMs)))
      return results[0] ?? { outcome: 'ok', changes: { kept: [], started: [], stopped: [] } }
    }
    if (failed.outcome === 'refused') {
      const back = this.#shards.map((shard, i) =>
        results[i]?.outcome === 'ok' ? shard.reload(shard.plan, drainMs) : results[i]!,
      )
      const broken = (await Promise.all(back)).find((r, i) => r.outcome !== 'ok' && results[i]!.outcome === 'ok')
      if (broken !== undefined) return { ...broken, outcome: 'broken' } as ShardReload
    }
    return failed
  }

  /** Drains every shard for at most `drainMs`, then ends its thread. Returns what each saw last. */
  async stop(drainMs: number): Promise<(ShardLook | undefined)[]> {
    return Promise.all(this.#shards.map((shard) => shard.stop(drainMs)))
  }

  /** Asks every living shard; one that does not answer in time gives what it said last. */
  async look(metrics: boolean, withinMs = 1_000): Promise<(ShardLook | undefined)[]> {
    return Promise.all(this.#shards.map((shard) => shard.look(metrics, withinMs)))
  }

  /** One end of a way to each of the others that live, for a shard that starts; they are given the other ends. */
  #join(index: number): LinkEnd[] {
    const links: LinkEnd[] = []
    for (const other of this.#shards) {
      if (other.index === index || !other.isUp) continue
      const { port1, port2 } = new MessageChannel()
      links.push({ shard: other.index, port: port1 })
      other.link({ shard: index, port: port2 })
    }
    return links
  }

  /** A shard has come to a meeting point of the way to its end, or has ended: those that wait for it may go on. */
  #step(): void {
    const living = this.#shards.filter((shard) => shard.isUp)
    const reached = Math.min(...living.map((shard) => shard.met))
    for (const shard of living) shard.goOn(reached)
  }

  states(): ShardReport[] {
    return this.#shards.map((shard) => shard.describe())
  }

  threads(): ShardThread[] {
    return this.#shards.map((shard) => shard.thread)
  }
}
