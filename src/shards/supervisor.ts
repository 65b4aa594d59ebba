// The main thread's side: hosts each shard in a thread of its own, listens to its heart, starts it again when it dies.
//
//              ready                    no answer for stuckAfterMs
//   starting ---------> ready  <---------------------------------> stuck
//       |                 |                                          |
//       | failed (first   | thread ends                              | thread ends
//       | start: given up)v                                          v
//       +--------------> dead -- after restartAfterMs, doubled up to restartAtMostMs --> starting
//
// Threads are hosted by piscina, one worker and one task a shard: the task lives as long as the shard.

import { getCompileCacheDir } from 'node:module'
import { dirname } from 'node:path'
import { MessageChannel, type MessagePort } from 'node:worker_threads'
import { Piscina } from 'piscina'
import type { Clock, Timer } from '../graph/clock.ts'
import type { Logger } from '../self/log.ts'
import type { Snapshot } from '../self/snapshot.ts'
import { prepareShardHeap } from './heap.ts'
import type { ComponentStatus, FromShard, ShardLook, ToShard } from './messages.ts'
import type { ShardInit } from './worker.ts'

export type ShardState = 'starting' | 'ready' | 'stuck' | 'dead' | 'stopping' | 'stopped'

export interface SupervisorLimits {
  /** How often each shard is asked for its state. */
  readonly heartbeatMs: number
  /** A shard that has not answered for this long is stuck. */
  readonly stuckAfterMs: number
  readonly restartAfterMs: number
  readonly restartAtMostMs: number
}

export const SUPERVISOR_LIMITS: SupervisorLimits = {
  heartbeatMs: 1_000,
  stuckAfterMs: 10_000,
  restartAfterMs: 1_000,
  restartAtMostMs: 30_000,
}

export interface SupervisorOptions {
  readonly shards: number
  /** What every shard is started with; it loads the same configuration text that the supervisor has checked. */
  readonly init: Omit<ShardInit, 'index' | 'port'>
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

const WORKER = new URL(import.meta.url.endsWith('.ts') ? './worker.ts' : './worker.js', import.meta.url).href

export class Supervisor {
  readonly #shards: Shard[]

  constructor(options: SupervisorOptions) {
    this.#shards = Array.from({ length: options.shards }, (_, index) => new Shard(index, options))
  }

  /** Resolves when every shard receives; rejects with the first reason why one cannot, after all have ended. */
  async start(): Promise<void> {
    const results = await Promise.allSettled(this.#shards.map((shard) => shard.start()))
    const failed = results.find((r) => r.status === 'rejected')
    if (failed === undefined) return
    await this.stop(0)
    throw failed.reason
  }

  /** Drains every shard for at most `drainMs`, then ends its thread. Returns what each saw last. */
  async stop(drainMs: number): Promise<(ShardLook | undefined)[]> {
    return Promise.all(this.#shards.map((shard) => shard.stop(drainMs)))
  }

  /** Asks every living shard; one that does not answer in time gives what it said last. */
  async look(metrics: boolean, withinMs = 1_000): Promise<(ShardLook | undefined)[]> {
    return Promise.all(this.#shards.map((shard) => shard.look(metrics, withinMs)))
  }

  states(): { index: number; state: ShardState; components: readonly ComponentStatus[] }[] {
    return this.#shards.map((shard) => shard.describe())
  }
}

// A thread does not inherit the compile cache of the process, and only the environment switches it on before the thread's
// first file is read. It saves a thread that runs TypeScript the type stripper: 16 MiB, and a third of its start.
function threadEnvironment(): NodeJS.ProcessEnv {
  const directory = getCompileCacheDir()
  // What is asked for is the folder around the one that the cache names after the version.
  return directory === undefined ? process.env : { NODE_COMPILE_CACHE: dirname(directory), ...process.env }
}

class Shard {
  readonly #index: number
  readonly #options: SupervisorOptions
  readonly #limits: SupervisorLimits
  #state: ShardState = 'stopped'
  #pool: Piscina | undefined
  #port: MessagePort | undefined
  #ended: Promise<void> = Promise.resolve()
  #last: ShardLook | undefined
  #heardAt = 0
  #number = 0
  #restartMs: number
  #heartbeat: Timer | undefined
  #restart: Timer | undefined
  readonly #waiting = new Map<number, (look: ShardLook) => void>()

  constructor(index: number, options: SupervisorOptions) {
    this.#index = index
    this.#options = options
    this.#limits = options.limits ?? SUPERVISOR_LIMITS
    this.#restartMs = this.#limits.restartAfterMs
  }

  describe(): { index: number; state: ShardState; components: readonly ComponentStatus[] } {
    return { index: this.#index, state: this.#state, components: this.#last?.components ?? [] }
  }

  start(): Promise<void> {
    this.#state = 'starting'
    const { port1, port2 } = new MessageChannel()
    this.#port = port1
    prepareShardHeap()
    const pool = new Piscina({
      filename: this.#options.worker ?? WORKER,
      minThreads: 1,
      maxThreads: 1,
      concurrentTasksPerWorker: 1,
      atomics: 'disabled',
      env: threadEnvironment(),
    })
    this.#pool = pool
    // What goes wrong in a thread that has no task: a spare that piscina made for one that died.
    pool.on('error', (error: Error) => this.#options.log.warn('A thread failed.', { error: error.message }))
    return new Promise((resolve, reject) => {
      let failure: Error | undefined
      port1.on('message', (message: FromShard) => {
        this.#heardAt = this.#options.clock.monotonic()
        if (message.kind === 'ready') {
          this.#state = 'ready'
          this.#beat()
          resolve()
        } else if (message.kind === 'failed') failure = new Error(message.message)
        else if (message.kind === 'fatal') this.#options.onFatal(message.id, message.message)
        else {
          this.#last = message.look
          if (message.kind === 'look') this.#answer(message.number, message.look)
        }
      })
      const init: ShardInit = { ...this.#options.init, index: this.#index, port: port2 }
      // Piscina hands the list to postMessage; its type is read off an overload that takes options instead.
      const transferList = [port2] as object
      this.#ended = pool.run(init, { transferList }).then(
        () => this.#end(failure ?? new Error(`shard ${this.#index} ended`), reject),
        (error: Error) => this.#end(failure ?? error, reject),
      )
    })
  }

  /** The task is over, as told or not. Resolves when the thread is, too, and has given its ports back. */
  async #end(error: Error, reject: (error: Error) => void): Promise<void> {
    const was = this.#state
    this.#heartbeat?.cancel()
    this.#port?.close()
    for (const answer of this.#waiting.values()) if (this.#last !== undefined) answer(this.#last)
    this.#waiting.clear()
    this.#state = was === 'stopping' ? 'stopped' : 'dead'
    const { log, clock, onDied } = this.#options
    const ran = was === 'ready' || was === 'stuck'
    if (ran) {
      const fields = { shard: this.#index, in_ms: this.#restartMs, error: error.message }
      log.error('A shard died and is started again.', fields)
      onDied?.(this.#index, this.#last?.metrics)
    }
    await this.#pool?.destroy()
    if (!ran) reject(error)
    // It may have been told to stop while its thread came to its end.
    if (!ran || this.#state !== 'dead') return
    this.#restart = clock.after(this.#restartMs, () => void this.#startAgain())
    this.#restartMs = Math.min(this.#restartMs * 2, this.#limits.restartAtMostMs)
  }

  async #startAgain(): Promise<void> {
    try {
      await this.start()
      this.#options.log.info('A shard runs again.', { shard: this.#index })
    } catch (error) {
      if (this.#state === 'stopping' || this.#state === 'stopped') return
      this.#options.log.error('A shard could not be started again.', {
        shard: this.#index,
        in_ms: this.#restartMs,
        error: (error as Error).message,
      })
      this.#restart = this.#options.clock.after(this.#restartMs, () => void this.#startAgain())
      this.#restartMs = Math.min(this.#restartMs * 2, this.#limits.restartAtMostMs)
    }
  }

  #beat(): void {
    const { clock, log } = this.#options
    const { heartbeatMs, stuckAfterMs, restartAfterMs } = this.#limits
    let beats = 0
    this.#heartbeat = clock.every(heartbeatMs, () => {
      const silentMs = clock.monotonic() - this.#heardAt
      if (this.#state === 'ready' && silentMs > stuckAfterMs) {
        this.#state = 'stuck'
        log.error('A shard does not answer.', { shard: this.#index, for_ms: Math.round(silentMs) })
      } else if (this.#state === 'stuck' && silentMs <= stuckAfterMs) {
        this.#state = 'ready'
        log.info('A shard answers again.', { shard: this.#index })
      }
      // A shard that has run well for a minute starts its next restart without delay.
      if (++beats * heartbeatMs > 60_000) this.#restartMs = restartAfterMs
      this.#send({ kind: 'look', number: ++this.#number, metrics: true })
    })
  }

  look(metrics: boolean, withinMs: number): Promise<ShardLook | undefined> {
    if (this.#state !== 'ready') return Promise.resolve(this.#last)
    const number = ++this.#number
    return new Promise((resolve) => {
      const timer = this.#options.clock.after(withinMs, () => this.#answer(number, this.#last))
      this.#waiting.set(number, (look) => {
        timer.cancel()
        resolve(look)
      })
      this.#send({ kind: 'look', number, metrics })
    })
  }

  #answer(number: number, look: ShardLook | undefined): void {
    const waiting = this.#waiting.get(number)
    this.#waiting.delete(number)
    waiting?.(look as ShardLook)
  }

  async stop(drainMs: number): Promise<ShardLook | undefined> {
    this.#restart?.cancel()
    if (this.#state === 'stopped' || this.#state === 'dead') {
      this.#state = 'stopped'
      await this.#ended
      return this.#last
    }
    this.#state = 'stopping'
    this.#send({ kind: 'stop', drainMs })
    // A shard that is stuck hears nothing: give it its time and some more, then end the thread.
    const kill = this.#options.clock.after(drainMs + 2_000, () => void this.#pool?.destroy())
    await this.#ended
    kill.cancel()
    return this.#last
  }

  #send(message: ToShard): void {
    this.#port?.postMessage(message)
  }
}
