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
    const visit = new Visit(name, worker)
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
      await this.#enter(visit, beginning)
      await this.#pass(ms, AbortSignal.any([signal, visit.ended]))
      enough.resolve()
      return await this.#enter(visit, taking)
    } finally {
      enough.resolve()
      visit.end()
    }
  }

  async usage(name: ThreadName): Promise<ThreadUsage> {
    const worker = this.#find(name)
    if (worker === undefined) return { heap: v8.getHeapStatistics(), cpuSeconds: seconds(threadCpuUsage()) }
    const visit = new Visit(name, worker)
    try {
      const asked = Promise.all([worker.getHeapStatistics(), worker.cpuUsage()])
      const [heap, cpu] = await this.#enter(visit, asked)
      return { heap, cpuSeconds: seconds(cpu) }
    } finally {
      visit.end()
    }
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
  async #enter<T>({ name, ended }: Visit, answer: Promise<T>): Promise<T> {
    const answered = new AbortController()
    const late = this.#pass(this.#enterMs, AbortSignal.any([answered.signal, ended])).then((): never => {
      const waits = `lets nobody in: it has waited for the system for ${this.#enterMs} ms`
      throw new ThreadError('unavailable', `${wordsOf(name)} ${ended.aborted ? 'has ended' : waits}`)
    })
    late.catch(() => {})
    try {
      return await Promise.race([answer, late])
    } catch (error) {
      if (error instanceof ThreadError) throw error
      throw new ThreadError('unavailable', `${wordsOf(name)}: ${(error as Error).message}`)
    } finally {
      answered.abort()
    }
  }

  /** Until the time is over, or the signal aborts. */
  #pass(ms: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const over = (): void => {
        timer.cancel()
        signal.removeEventListener('abort', over)
        resolve()
      }
      const timer = this.#clock.after(ms, over)
      signal.addEventListener('abort', over)
      if (signal.aborted) over()
    })
  }
}

/** Hears of a thread's end, from the first question to the last answer: the end may come between two of them. */
class Visit {
  readonly name: ThreadName
  readonly #worker: Worker | undefined
  readonly #ended = new AbortController()
  readonly #onExit = (): void => this.#ended.abort()

  constructor(name: ThreadName, worker: Worker | undefined) {
    this.name = name
    this.#worker = worker
    worker?.once('exit', this.#onExit)
  }

  get ended(): AbortSignal {
    return this.#ended.signal
  }

  end(): void {
    this.#worker?.off('exit', this.#onExit)
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
