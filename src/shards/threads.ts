// A look into a thread from outside: profiles, its heap, its processor time. V8 does it between two steps of whatever the
// thread runs, so that nothing is asked of its event loop: a shard that is stuck in a loop shows where.
//
// A thread that waits for the system (a file that does not come) lets nobody in until it comes back.

import { threadCpuUsage } from 'node:process'
import v8 from 'node:v8'
import type { Worker } from 'node:worker_threads'
import type { Clock } from '../graph/clock.ts'
import {
  type ProfileSubject,
  ThreadError,
  type ThreadName,
  type Threads,
  type ThreadUsage,
} from '../graph/supervised.ts'
import type { ShardState } from './shard.ts'

/** How long a thread may take to let us in. */
const ENTER_MS = 5_000

/** A sampled allocation per that many bytes. */
const HEAP_INTERVAL_BYTES = 32768
/** Calls above an allocation that are kept. */
const HEAP_STACK_DEPTH = 64

/** A shard's thread, absent while it has none. */
export interface ShardThread {
  readonly state: ShardState
  readonly worker: Worker | undefined
}

interface Handle {
  stop(): string | Promise<string>
}

/** What a worker gives for itself, and node:v8 for the thread that asks. */
type Profiled = Pick<Worker, 'startCpuProfile' | 'startHeapProfile'> | typeof v8

export class RouterThreads implements Threads {
  readonly #shards: () => readonly ShardThread[]
  readonly #clock: Clock
  readonly #enterMs: number
  /** By thread, so that a shard that starts again is not taken for the one that died. */
  readonly #busy = new WeakMap<object, ProfileSubject['kind']>()

  constructor(shards: () => readonly ShardThread[], clock: Clock, enterMs = ENTER_MS) {
    this.#shards = shards
    this.#clock = clock
    this.#enterMs = enterMs
  }

  async profile(name: ThreadName, subject: ProfileSubject, ms: number, signal: AbortSignal): Promise<string> {
    const worker = this.#find(name)
    const thread = worker ?? v8
    const busy = this.#busy.get(thread)
    if (busy !== undefined)
      throw new ThreadError('busy', `a profile of ${wordsOf(name)} is being taken already: ${busy}`)
    this.#busy.set(thread, subject.kind)
    const enough = Promise.withResolvers<void>()
    const beginning = begin(thread, subject)
    // Comes to its own end also where nobody waits for it any more: until then no other can begin.
    const taking = beginning
      .then(async (handle) => {
        await enough.promise
        return await handle.stop()
      })
      .finally(() => this.#busy.delete(thread))
    taking.catch(() => {})
    try {
      await this.#enter(name, worker, beginning)
      await this.#pass(ms, signal, worker)
      enough.resolve()
      return await this.#enter(name, worker, taking)
    } finally {
      enough.resolve()
    }
  }

  async usage(name: ThreadName): Promise<ThreadUsage> {
    const worker = this.#find(name)
    if (worker === undefined) return { heap: v8.getHeapStatistics(), cpuSeconds: seconds(threadCpuUsage()) }
    const asked = Promise.all([worker.getHeapStatistics(), worker.cpuUsage()])
    const [heap, cpu] = await this.#enter(name, worker, asked)
    return { heap, cpuSeconds: seconds(cpu) }
  }

  /** Undefined: the thread that runs this. */
  #find(name: ThreadName): Worker | undefined {
    if (name === 'supervisor') return undefined
    const shards = this.#shards()
    const shard = shards[name]
    if (shard === undefined) {
      const known = [...shards.keys(), 'supervisor'].join(', ')
      throw new ThreadError('unknown', `there is no shard ${name}: write one of ${known}`)
    }
    if (shard.worker === undefined) throw new ThreadError('unavailable', `shard ${name} is ${shard.state}`)
    return shard.worker
  }

  /** What a thread answers, unless it ends or lets nobody in. */
  async #enter<T>(name: ThreadName, worker: Worker | undefined, answer: Promise<T>): Promise<T> {
    const over = new AbortController()
    const late = this.#pass(this.#enterMs, over.signal, worker).then((how): never => {
      const text =
        how === 'ended' ? 'has ended' : `lets nobody in: it has waited for the system for ${this.#enterMs} ms`
      throw new ThreadError('unavailable', `${wordsOf(name)} ${text}`)
    })
    late.catch(() => {})
    try {
      return await Promise.race([answer, late])
    } catch (error) {
      if (error instanceof ThreadError) throw error
      throw new ThreadError('unavailable', `${wordsOf(name)}: ${(error as Error).message}`)
    } finally {
      over.abort()
    }
  }

  #pass(ms: number, signal: AbortSignal, worker: Worker | undefined): Promise<'over' | 'ended'> {
    return new Promise((resolve) => {
      const finish = (how: 'over' | 'ended'): void => {
        timer.cancel()
        signal.removeEventListener('abort', over)
        worker?.off('exit', ended)
        resolve(how)
      }
      const over = (): void => finish('over')
      const ended = (): void => finish('ended')
      const timer = this.#clock.after(ms, over)
      worker?.on('exit', ended)
      signal.addEventListener('abort', over)
      if (signal.aborted) over()
    })
  }
}

const wordsOf = (name: ThreadName): string => (name === 'supervisor' ? 'the supervisor' : `shard ${name}`)

const seconds = ({ user, system }: NodeJS.CpuUsage): number => (user + system) / 1e6

async function begin(thread: Profiled, subject: ProfileSubject): Promise<Handle> {
  if (!((subject.kind === 'cpu' ? 'startCpuProfile' : 'startHeapProfile') in thread))
    throw new ThreadError('unavailable', `Node ${process.version} takes no such profile of this thread`)
  if (subject.kind === 'cpu') return await thread.startCpuProfile({ sampleInterval: subject.intervalMs })
  return await thread.startHeapProfile({
    sampleInterval: HEAP_INTERVAL_BYTES,
    stackDepth: HEAP_STACK_DEPTH,
    includeObjectsCollectedByMajorGC: subject.garbage,
    includeObjectsCollectedByMinorGC: subject.garbage,
  })
}
