// One shard as the supervisor sees it: a thread, its heart, and its restarts.
//
//              ready                    no answer for stuckAfterMs
//   starting ---------> ready  <---------------------------------> stuck
//       |                 |                                          |
//       | failed (first   | thread ends                              | thread ends, or is ended after endAfterMs
//       | start: given up)v                                          v
//       +--------------> dead -- after restartAfterMs, doubled up to restartAtMostMs --> starting
//
// Threads are hosted by piscina, one worker and one task a shard: the task lives as long as the shard.

import { getCompileCacheDir } from 'node:module'
import { dirname } from 'node:path'
import { MessageChannel, type MessagePort } from 'node:worker_threads'
import { Piscina } from 'piscina'
import type { Timer } from '../graph/clock.ts'
import type { PipelineTotals } from '../graph/pipeline.ts'
import { UsageTable } from '../graph/usage-table.ts'
import { prepareShardHeap } from './heap.ts'
import type { ComponentStatus, FromShard, LinkEnd, ShardLook, ShardReload, ToShard } from './messages.ts'
import type { SupervisorOptions } from './supervisor.ts'
import type { ShardThread } from './threads.ts'
import type { ShardInit, ShardPlan } from './worker.ts'

export type ShardState = 'starting' | 'ready' | 'stuck' | 'dead' | 'stopping' | 'stopped'

export interface SupervisorLimits {
  /** How often each shard is asked for its state. */
  readonly heartbeatMs: number
  /** A shard that has not answered for this long is stuck. */
  readonly stuckAfterMs: number
  /** One that is stuck and still silent after this long, all in all, is ended, and started again. */
  readonly endAfterMs: number
  /** How long a thread that is ended may take for it before the log says so, and a stop does not wait for it any more. */
  readonly threadEndMs: number
  readonly restartAfterMs: number
  readonly restartAtMostMs: number
}

export const SUPERVISOR_LIMITS: SupervisorLimits = {
  heartbeatMs: 1_000,
  // Silence is counted in whole heartbeats from the last answer on: seen 3 to 4 s after a shard got stuck.
  stuckAfterMs: 2_500,
  endAfterMs: 15_000,
  threadEndMs: 5_000,
  restartAfterMs: 1_000,
  restartAtMostMs: 30_000,
}

export interface ShardHost extends SupervisorOptions {
  readonly loads: SharedArrayBuffer
  readonly memory: SharedArrayBuffer
  /** Joins the shard, which starts, to those that live. */
  join(index: number): LinkEnd[]
  /** It has come to a meeting point, or has ended. */
  onStep(): void
}

/** As it last said itself; nothing before that. */
export interface ShardReport {
  readonly index: number
  readonly state: ShardState
  readonly components: readonly ComponentStatus[]
  readonly pipelines: readonly PipelineTotals[]
}

/** Beside the times for draining, how long a shard may take for a reload before its thread is ended. */
const RELOAD_MS = 20_000

const WORKER = new URL(import.meta.url.endsWith('.ts') ? './worker.ts' : './worker.js', import.meta.url).href

// A thread does not inherit the compile cache of the process, and only the environment switches it on before the thread's
// first file is read. It saves a thread that runs TypeScript the type stripper: 16 MiB, and a third of its start.
function threadEnvironment(): NodeJS.ProcessEnv {
  const directory = getCompileCacheDir()
  // What is asked for is the folder around the one that the cache names after the version.
  return directory === undefined ? process.env : { NODE_COMPILE_CACHE: dirname(directory), ...process.env }
}

export class Shard {
  readonly index: number
  readonly #options: ShardHost
  readonly #limits: SupervisorLimits
  #state: ShardState = 'stopped'
  #pool: Piscina | undefined
  #port: MessagePort | undefined
  #ended: Promise<void> = Promise.resolve()
  #threadEnded: Promise<void> = Promise.resolve()
  #last: ShardLook | undefined
  /** Heartbeats since it was last heard of. */
  #unanswered = 0
  #number = 0
  #restartMs: number
  #heartbeat: Timer | undefined
  #restart: Timer | undefined
  readonly #waiting = new Map<number, (look: ShardLook | undefined) => void>()
  readonly #reloads = new Map<number, (result: ShardReload) => void>()
  /** The start that is under way or was the last. Never rejects. */
  #starting: Promise<void> = Promise.resolve()
  plan: ShardPlan
  /** What it was started with, or took since. */
  #runs: ShardPlan | undefined
  #hasRun = false
  /** How many meeting points it has come to on the way to its end. */
  met = 0
  #wentOn = 0

  constructor(index: number, options: ShardHost) {
    this.index = index
    this.plan = options.init
    this.#options = options
    this.#limits = options.limits ?? SUPERVISOR_LIMITS
    this.#restartMs = this.#limits.restartAfterMs
  }

  describe(): ShardReport {
    const { components = [], pipelines = [] } = this.#last ?? {}
    return { index: this.index, state: this.#state, components, pipelines }
  }

  get thread(): ShardThread {
    return { state: this.#state, worker: this.isUp ? this.#pool?.threads[0] : undefined }
  }

  /** What it starts with from here on. One that was started again with the plan before, meanwhile, catches up. */
  async use(plan: ShardPlan, drainMs: number): Promise<void> {
    this.plan = plan
    if (this.#runs !== plan) await this.reload(plan, drainMs)
  }

  /** Its thread runs, or is being started. */
  get isUp(): boolean {
    return this.#state !== 'dead' && this.#state !== 'stopped'
  }

  link(end: LinkEnd): void {
    this.#port?.postMessage({ kind: 'link', end } satisfies ToShard, [end.port])
  }

  /** All that live have come to so many meeting points. */
  goOn(point: number): void {
    if (point <= this.#wentOn) return
    this.#wentOn = point
    this.#send({ kind: 'go on', point })
  }

  start(): Promise<void> {
    const started = this.#run()
    this.#starting = started.catch(() => {})
    return started
  }

  #run(): Promise<void> {
    this.#state = 'starting'
    this.#runs = this.plan
    const { port1, port2 } = new MessageChannel()
    this.#port = port1
    prepareShardHeap()
    this.met = 0
    this.#wentOn = 0
    const pool = new Piscina({
      filename: this.#options.worker ?? WORKER,
      minThreads: 1,
      maxThreads: 1,
      concurrentTasksPerWorker: 1,
      atomics: 'disabled',
      env: threadEnvironment(),
    })
    this.#pool = pool
    // Piscina does not wait for a thread that it ends twice.
    this.#threadEnded = new Promise((resolve) => pool.threads[0]!.once('exit', () => resolve()))
    // What goes wrong in a thread that has no task: a spare that piscina made for one that died.
    pool.on('error', (error: Error) => this.#options.log.warn('A thread failed.', { error: error.message }))
    return new Promise((resolve, reject) => {
      let failure: Error | undefined
      port1.on('message', (message: FromShard) => {
        this.#unanswered = 0
        if (message.kind === 'ready') {
          this.#state = 'ready'
          this.#hasRun = true
          this.#beat()
          resolve()
        } else if (message.kind === 'failed') failure = new Error(message.message)
        else if (message.kind === 'reloaded') this.#reloads.get(message.number)?.(message.result)
        else if (message.kind === 'met') {
          this.met = message.point
          this.#options.onStep()
        } else if (message.kind === 'fatal') this.#options.onFatal(message.id, message.message)
        else {
          // Without metrics what it had counted before stays known.
          const metrics = message.look.metrics ?? this.#last?.metrics
          this.#last = { ...message.look, metrics }
          if (message.kind === 'look') this.#answer(message.number, message.look)
        }
      })
      const { init: common, shards, sharePorts = false, loads, memory } = this.#options
      const links = this.#options.join(this.index)
      const alone = this.index === 0 && !this.#hasRun
      const place = { index: this.index, count: shards, sharePorts, alone, ...(shards > 1 && { memory }) }
      const init: ShardInit = { ...common, ...this.plan, place, loads, links, port: port2 }
      // Piscina hands the list to postMessage; its type is read off an overload that takes options instead.
      const transferList = [port2, ...links.map(({ port }) => port)] as object
      this.#ended = pool.run(init, { transferList }).then(
        () => this.#end(failure ?? new Error(`shard ${this.index} ended`), reject),
        (error: Error) => this.#end(failure ?? error, reject),
      )
    })
  }

  /** The task is over, as told or not. Resolves when the thread is, too, and has given its ports back. */
  async #end(error: Error, reject: (error: Error) => void): Promise<void> {
    const was = this.#state
    this.#heartbeat?.cancel()
    this.#port?.close()
    for (const answer of this.#waiting.values()) answer(this.#last)
    this.#waiting.clear()
    for (const settle of this.#reloads.values())
      settle({ outcome: 'refused', message: `it ended the shard: ${error.message}` })
    this.#state = was === 'stopping' ? 'stopped' : 'dead'
    new UsageTable(this.#options.memory).publish(this.index, 0)
    this.#options.onStep()
    const { log, clock, onDied } = this.#options
    const ran = was === 'ready' || was === 'stuck'
    if (ran) {
      const fields = { shard: this.index, in_ms: this.#restartMs, error: error.message }
      log.error('A shard died and is started again.', fields)
      onDied?.(this.index, this.#last?.metrics)
    }
    await this.#endThread()
    if (!ran) reject(error)
    // It may have been told to stop while its thread came to its end.
    if (!ran || this.#state !== 'dead') return
    this.#restart = clock.after(this.#restartMs, () => void this.#startAgain())
    this.#restartMs = Math.min(this.#restartMs * 2, this.#limits.restartAtMostMs)
  }

  /** One that waits for the system ends when it comes back: until then it has its ports and files, and no other could. */
  async #endThread(): Promise<void> {
    const { clock, log } = this.#options
    const late = clock.after(this.#limits.threadEndMs, () =>
      log.error('The thread of a shard does not end: it waits for the system.', { shard: this.index }),
    )
    await Promise.all([this.#pool?.destroy(), this.#threadEnded])
    late.cancel()
  }

  async #startAgain(): Promise<void> {
    try {
      await this.start()
      this.#options.log.info('A shard runs again.', { shard: this.index })
    } catch (error) {
      if (this.#state === 'stopping' || this.#state === 'stopped') return
      this.#options.log.error('A shard could not be started again.', {
        shard: this.index,
        in_ms: this.#restartMs,
        error: (error as Error).message,
      })
      this.#restart = this.#options.clock.after(this.#restartMs, () => void this.#startAgain())
      this.#restartMs = Math.min(this.#restartMs * 2, this.#limits.restartAtMostMs)
    }
  }

  #beat(): void {
    const { clock, log } = this.#options
    const { heartbeatMs, stuckAfterMs, endAfterMs, restartAfterMs } = this.#limits
    let beats = 0
    this.#heartbeat = clock.every(heartbeatMs, () => {
      // Counted, not timed: when the whole process was stopped for a while, nobody had a chance to answer.
      const silentMs = this.#unanswered++ * heartbeatMs
      if (this.#state === 'ready' && silentMs > stuckAfterMs) {
        this.#state = 'stuck'
        log.error('A shard does not answer.', { shard: this.index, for_ms: silentMs })
      } else if (this.#state === 'stuck' && silentMs <= stuckAfterMs) {
        this.#state = 'ready'
        log.info('A shard answers again.', { shard: this.index })
      }
      if (this.#state === 'stuck' && silentMs > endAfterMs) {
        log.error('A shard that does not answer is ended.', { shard: this.index, for_ms: silentMs })
        void this.#pool?.destroy()
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

  /** A shard that is dead has nothing to change, and nothing against it. */
  async reload(next: ShardPlan, drainMs: number): Promise<ShardReload> {
    await this.#starting
    if (this.#state !== 'ready' && this.#state !== 'stuck')
      return { outcome: 'ok', changes: { kept: [], started: [], stopped: [] } }
    const number = ++this.#number
    return new Promise((resolve) => {
      // What came before may still drain, then what is replaced stops.
      const timer = this.#options.clock.after(2 * drainMs + RELOAD_MS, () => void this.#pool?.destroy())
      this.#reloads.set(number, (result) => {
        timer.cancel()
        this.#reloads.delete(number)
        if (result.outcome === 'ok') this.#runs = next
        resolve(result)
      })
      this.#send({ kind: 'reload', number, next, drainMs })
    })
  }

  #answer(number: number, look: ShardLook | undefined): void {
    const waiting = this.#waiting.get(number)
    this.#waiting.delete(number)
    waiting?.(look)
  }

  async stop(drainMs: number): Promise<ShardLook | undefined> {
    this.#restart?.cancel()
    const { clock } = this.#options
    const isUp = this.isUp
    this.#state = isUp ? 'stopping' : 'stopped'
    if (isUp) this.#send({ kind: 'stop', drainMs })
    // A shard that is stuck hears nothing: give it its time and some more, then end the thread.
    const killMs = isUp ? drainMs + 2_000 : 0
    const kill = clock.after(killMs, () => void this.#pool?.destroy())
    const late = Promise.withResolvers<void>()
    const giveUp = clock.after(killMs + this.#limits.threadEndMs, late.resolve)
    await Promise.race([this.#ended, late.promise])
    kill.cancel()
    giveUp.cancel()
    return this.#last
  }

  #send(message: ToShard): void {
    this.#port?.postMessage(message)
  }
}
