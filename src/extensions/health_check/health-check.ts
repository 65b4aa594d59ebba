// The listener of health_check: which request gets which answer.
//
// It runs on the supervisor (supervise.ts), whose event loop is free while a shard is busy, stuck or dead. Created in a
// shard it answers for that shard alone.

import type { Timer } from '../../graph/clock.ts'
import type { Extension } from '../../graph/component.ts'
import type { SupervisorContext } from '../../graph/supervised.ts'
import { type Answer, NOT_FOUND, type PageRequest, PageServer } from '../../net/http/pages.ts'
import type { Listening } from '../../net/listen.ts'
import { plainAnswer, treeAnswer } from './answers.ts'
import type { HealthCheckConfig } from './config.ts'
import { StatusTree } from './status.ts'

/** How often the status of components is noted, for recovery_duration and status_time. */
const OBSERVE_MS = 1_000

export type HealthContext = Pick<SupervisorContext, 'clock' | 'extension' | 'health' | 'log' | 'pipelines' | 'report'>

export class HealthCheck implements Extension {
  readonly #config: HealthCheckConfig
  readonly #context: HealthContext
  readonly #tree: StatusTree
  readonly #pages: PageServer | undefined
  #timer: Timer | undefined

  constructor(config: HealthCheckConfig, context: HealthContext) {
    this.#config = config
    this.#context = context
    this.#tree = new StatusTree(context, config.componentHealth)
    const server = config.useV2 ? config.http : config
    if (server !== undefined)
      this.#pages = new PageServer('health_check', server, context, (request) => this.#answer(request))
  }

  /** Where it listens, once started. */
  get address(): Listening | undefined {
    return this.#pages?.address
  }

  async start(): Promise<void> {
    await this.#pages?.start()
    if (this.#config.useV2) this.#timer = this.#context.clock.every(OBSERVE_MS, () => this.#tree.observe())
  }

  async stop(deadline: AbortSignal): Promise<void> {
    this.#timer?.cancel()
    await this.#pages?.stop(deadline)
  }

  #answer({ path, query }: PageRequest): Answer {
    const { clock, health } = this.#context
    const { componentHealth, http, responseBody, useV2 } = this.#config
    const nowMs = clock.now()
    if (!useV2) {
      if (!matches(this.#config.path, path)) return NOT_FOUND
      const { ready, startedAtMs, shards } = health()
      const available = ready && shards.every((shard) => shard.state === 'ready')
      return plainAnswer(available ? startedAtMs : undefined, nowMs, responseBody)
    }
    if (http?.status.enabled !== true || !matches(http.status.path, path)) return NOT_FOUND
    const pipeline = query.get('pipeline')
    const node = pipeline ? this.#tree.pipeline(pipeline) : this.#tree.router()
    if (node === undefined) return { status: 404, type: undefined, body: '' }
    const { startedAtMs, lastReload } = health()
    return treeAnswer(node, { config: componentHealth, startedAtMs, lastReload, nowMs, verbose: query.has('verbose') })
  }
}

// Go's request multiplexer: a pattern that ends in a slash stands for everything below it.
const matches = (pattern: string, path: string): boolean =>
  pattern.endsWith('/') ? path.startsWith(pattern) : path === pattern
