// Which page of zpages is where.

import { memoryUsage, versions } from 'node:process'
import type { SupervisorContext } from '../../graph/supervised.ts'
import { type Answer, NOT_FOUND, type PageRequest } from '../../net/http/pages.ts'
import type { ZpagesConfig } from './config.ts'
import { CONTENT_SECURITY_POLICY } from './html.ts'
import { extensionPage, featurePage, pipelinePage, servicePage } from './pages.ts'
import { usages } from './usage.ts'

export class Zpages {
  readonly #config: ZpagesConfig
  readonly #context: SupervisorContext

  constructor(config: ZpagesConfig, context: SupervisorContext) {
    this.#config = config
    this.#context = context
  }

  async answer({ path, query }: PageRequest): Promise<Answer> {
    if (path === '/debug/expvarz' && this.#config.expvar.enabled) return await this.#expvar()
    const page = await this.#page(path, query)
    if (page === undefined) return NOT_FOUND
    const headers = { 'content-security-policy': CONTENT_SECURITY_POLICY }
    return { status: 200, type: 'text/html; charset=utf-8', body: page, headers }
  }

  async #page(path: string, query: URLSearchParams): Promise<string | undefined> {
    if (path === '/debug/servicez') return servicePage(this.#context, await usages(this.#context))
    if (path === '/debug/pipelinez') return pipelinePage(this.#context, query)
    if (path === '/debug/extensionz') return extensionPage(this.#context)
    if (path === '/debug/featurez') return featurePage()
    return undefined
  }

  async #expvar(): Promise<Answer> {
    const [supervisor, ...shards] = (await usages(this.#context)).map(({ thread, state, usage, error }) => ({
      ...(thread === 'supervisor' ? {} : { shard: thread, state }),
      ...(usage === undefined ? { error } : { cpu_seconds: usage.cpuSeconds, heap: usage.heap }),
    }))
    const body = JSON.stringify({ versions, memory: memoryUsage(), ...supervisor, shards })
    return { status: 200, type: 'application/json; charset=utf-8', body }
  }
}
