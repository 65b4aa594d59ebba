// What the supervisor runs beside the shards: extensions that answer while a shard cannot, and the ways out of its own
// metrics. A reload keeps those whose configuration is the same; one that is replaced gives its port to its successor as
// soon as it begins to stop, and answers what is in progress.

import type { Logger } from './self/log.ts'

interface Running {
  stop?(deadline: AbortSignal): Promise<void> | void
  pipelinesStarted?(): void
  pipelinesStopping?(): void
}

export class Service {
  readonly name: string
  /** Creates and starts it. Called again when a reload is taken back. */
  readonly #open: () => Promise<Running>
  readonly #log: Logger
  #running: Running | undefined
  #stopping: Promise<void> | undefined
  #pipelinesRun = false

  constructor(name: string, log: Logger, open: () => Promise<Running>) {
    this.name = name
    this.#log = log
    this.#open = open
  }

  async start(): Promise<void> {
    this.#stopping = undefined
    this.#running = await this.#open()
    if (this.#pipelinesRun) this.#running.pipelinesStarted?.()
  }

  pipelinesStarted(): void {
    this.#pipelinesRun = true
    this.#running?.pipelinesStarted?.()
  }

  pipelinesStopping(): void {
    this.#pipelinesRun = false
    this.#running?.pipelinesStopping?.()
  }

  /** Never rejects: a failure is logged. */
  stop(deadline: AbortSignal): Promise<void> {
    this.#stopping ??= this.#stop(deadline)
    return this.#stopping
  }

  async #stop(deadline: AbortSignal): Promise<void> {
    try {
      await this.#running?.stop?.(deadline)
    } catch (error) {
      this.#log.error('stopping failed', { service: this.name, error: (error as Error).message })
    }
  }
}

/** One change after the other, each with the way back. */
export class Changeover {
  readonly #undo: (() => Promise<void>)[] = []
  readonly #drainMs: number
  /** Services that end, at the latest when their time is over. Never rejects. */
  readonly ending: Promise<void>[] = []

  constructor(drainMs: number) {
    this.#drainMs = drainMs
  }

  /** `before` is stopped where `after` wants its port, and is left to stop() otherwise. */
  async replace(before: readonly Service[], after: Service): Promise<void> {
    try {
      await after.start()
    } catch (error) {
      if (before.length === 0 || (error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error
      for (const service of before) {
        this.#undo.push(() => service.start())
        this.stop(service)
      }
      await after.start()
    }
    this.#undo.push(() => after.stop(AbortSignal.abort()))
  }

  stop(service: Service): void {
    this.ending.push(service.stop(AbortSignal.timeout(this.#drainMs)))
  }

  /** Rejects when what ran before does not start again. */
  async undo(): Promise<void> {
    for (const undo of this.#undo.reverse()) await undo()
  }
}
