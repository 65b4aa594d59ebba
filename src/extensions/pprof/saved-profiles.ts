// save_to_file: the processor time of every shard, from when everything runs until stopping begins.
//
// A shard that dies takes its profile along; its successor gets a new one.

import { writeFile } from 'node:fs/promises'
import { join, parse } from 'node:path'
import type { Timer } from '../../graph/clock.ts'
import { type ProfileSubject, type SupervisorContext, ThreadError } from '../../graph/supervised.ts'

/** A profile ends by itself after this long, because V8 keeps all samples in memory. */
const MAX_MS = 3_600_000
/** How often it looks for shards that run anew. */
const LOOK_MS = 1_000
/** Over hours, a sample every 10 ms as Go takes them. */
const SUBJECT: ProfileSubject = { kind: 'cpu', intervalMs: 10 }

type Context = Pick<SupervisorContext, 'clock' | 'health' | 'log' | 'threads'>

export class SavedProfiles {
  readonly #file: string
  readonly #context: Context
  readonly #end: AbortSignal
  /** By shard, also when it has been saved. */
  readonly #saving = new Map<number, Promise<void>>()
  #timer: Timer | undefined

  /** `end` ends all profiles, which are then saved. */
  constructor(file: string, context: Context, end: AbortSignal) {
    this.#file = file
    this.#context = context
    this.#end = end
  }

  start(): void {
    this.#look()
    this.#timer ??= this.#context.clock.every(LOOK_MS, () => this.#look())
  }

  /** Resolves when all is saved, or logged as lost. */
  async stop(): Promise<void> {
    this.#timer?.cancel()
    await Promise.all(this.#saving.values())
  }

  #look(): void {
    if (this.#end.aborted) return
    const { shards } = this.#context.health()
    for (const { index, state } of shards) {
      if (state !== 'ready' || this.#saving.has(index)) continue
      this.#saving.set(index, this.#save(index, shards.length === 1 ? this.#file : nameFor(this.#file, index)))
    }
  }

  async #save(shard: number, file: string): Promise<void> {
    const { log, threads } = this.#context
    try {
      await writeFile(file, await threads.profile(shard, SUBJECT, MAX_MS, this.#end))
      log.info('The profile is saved.', { shard, file })
    } catch (error) {
      if (error instanceof ThreadError) this.#saving.delete(shard)
      // Somebody looks at the thread just now.
      if (error instanceof ThreadError && error.reason === 'busy') return
      log.error('The profile could not be saved.', { shard, file, error: (error as Error).message })
    }
  }
}

/** `mill.cpuprofile` of shard 1 is `mill-1.cpuprofile`. */
function nameFor(file: string, shard: number): string {
  const { dir, name, ext } = parse(file)
  return join(dir, `${name}-${shard}${ext}`)
}
