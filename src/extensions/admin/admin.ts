// The requests that steer the router.
//
//   POST /-/reload   200 and what was kept, started and stopped; 422 and what is wrong with the new configuration
//   GET  /-/config   the configuration that runs, with all defaults, secrets masked
//   GET  /-/status   the shards, and what became of the last reload
//
// Reading the configuration again does no harm that the file does not ask for, yet it is for whoever may send a signal:
// this machine, unless the configuration says otherwise. A page in a browser of this machine may not: browsers name the
// page's origin in each POST.

import type { LastReload, SupervisorContext } from '../../graph/supervised.ts'
import { type Answer, json, NOT_FOUND, type PageRequest, text } from '../../net/http/pages.ts'
import type { AdminConfig } from './config.ts'

export type AdminContext = Pick<SupervisorContext, 'health' | 'router'>

export const isLoopback = (address: string | undefined): boolean =>
  // A Unix socket has no address: its file's mode says who may.
  address === undefined || address === '::1' || /^(?:::ffff:)?127\./.test(address)

export class Admin {
  readonly #config: AdminConfig
  readonly #context: AdminContext

  constructor(config: AdminConfig, context: AdminContext) {
    this.#config = config
    this.#context = context
  }

  async answer(request: PageRequest): Promise<Answer> {
    const { method, path } = request
    if (path !== '/-/reload' && path !== '/-/config' && path !== '/-/status') return NOT_FOUND
    const allow = path === '/-/reload' ? ['POST'] : ['GET', 'HEAD']
    if (!allow.includes(method))
      return { ...text(405, `use ${allow.join(' or ')}`), headers: { allow: allow.join(', ') } }
    if (path === '/-/reload') return await this.#reload(request)
    if (path === '/-/status') return json(200, this.#status())
    return { status: 200, type: 'application/yaml', body: await this.#context.router.config() }
  }

  async #reload({ headers, remoteAddress }: PageRequest): Promise<Answer> {
    if (headers.origin !== undefined) return text(403, 'pages in a browser may not reload the configuration')
    if (!this.#config.allowRemoteReload && !isLoopback(remoteAddress))
      return text(403, 'only this machine may reload the configuration: see allow_remote_reload of the admin extension')
    const result = await this.#context.router.reload()
    return result.ok ? json(200, result) : text(422, result.problem)
  }

  #status(): object {
    const { ready, startedAtMs, shards, lastReload } = this.#context.health()
    return {
      ready,
      started_at: formatTime(startedAtMs),
      shards: shards.map(({ index, state }) => ({ index, state })),
      last_reload: lastReload === undefined ? null : reloadStatus(lastReload),
    }
  }
}

const reloadStatus = ({ atMs, result }: LastReload): object => ({ at: formatTime(atMs), ...result })

const formatTime = (ms: number): string => new Date(ms).toISOString()
