// The listener of health_check: which request gets which answer.
//
// It runs on the supervisor (supervise.ts), whose event loop is free while a shard is busy, stuck or dead. Created in a
// shard it answers for that shard alone.

import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Timer } from '../../graph/clock.ts'
import type { Extension } from '../../graph/component.ts'
import type { SupervisorContext } from '../../graph/supervised.ts'
import { type HttpServerHandle, startHttpServer } from '../../net/http/server.ts'
import type { Listening } from '../../net/listen.ts'
import { type Answer, plainAnswer, treeAnswer } from './answers.ts'
import type { HealthCheckConfig } from './config.ts'
import { StatusTree } from './status.ts'

/** How often the status of components is noted, for recovery_duration and status_time. */
const OBSERVE_MS = 1_000

export type HealthContext = Pick<SupervisorContext, 'clock' | 'extension' | 'health' | 'log' | 'pipelines' | 'report'>

export class HealthCheck implements Extension {
  readonly #config: HealthCheckConfig
  readonly #context: HealthContext
  readonly #tree: StatusTree
  #server: HttpServerHandle | undefined
  #timer: Timer | undefined

  constructor(config: HealthCheckConfig, context: HealthContext) {
    this.#config = config
    this.#context = context
    this.#tree = new StatusTree(context, config.componentHealth)
  }

  /** Where it listens, once started. */
  get address(): Listening | undefined {
    return this.#server
  }

  async start(): Promise<void> {
    const { clock, log } = this.#context
    const server = this.#config.useV2 ? this.#config.http : this.#config
    if (server === undefined) return
    if (this.#config.useV2) this.#timer = clock.every(OBSERVE_MS, () => this.#tree.observe())
    this.#server = await startHttpServer(server, this.#context, (request, response) => this.#handle(request, response))
    log.info('health_check listens.', { endpoint: `${this.#server.host}:${this.#server.port}` })
  }

  async stop(deadline: AbortSignal): Promise<void> {
    this.#timer?.cancel()
    await this.#server?.close(deadline)
  }

  #handle(request: IncomingMessage, response: ServerResponse): void {
    request.resume()
    const [path = '', query = ''] = (request.url ?? '').split('?', 2)
    const { status, contentType, body } = this.#answer(path, new URLSearchParams(query))
    if (contentType !== undefined) response.setHeader('content-type', contentType)
    response.writeHead(status, { 'content-length': Buffer.byteLength(body) })
    response.end(request.method === 'HEAD' ? undefined : body)
  }

  #answer(path: string, query: URLSearchParams): Answer {
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
    if (node === undefined) return { status: 404, contentType: undefined, body: '' }
    const { startedAtMs, lastReload } = health()
    return treeAnswer(node, { config: componentHealth, startedAtMs, lastReload, nowMs, verbose: query.has('verbose') })
  }
}

const NOT_FOUND: Answer = { status: 404, contentType: 'text/plain; charset=utf-8', body: '404 page not found\n' }

// Go's request multiplexer: a pattern that ends in a slash stands for everything below it.
const matches = (pattern: string, path: string): boolean =>
  pattern.endsWith('/') ? path.startsWith(pattern) : path === pattern
