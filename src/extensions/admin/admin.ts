// The requests that steer the router.
//
//   POST /-/reload   200 and what was kept, started and stopped; 422 and what is wrong with the new configuration
//   GET  /-/config   the configuration that runs, with all defaults, secrets masked
//   GET  /-/status   the shards, and what became of the last reload
//
// Reading the configuration again does no harm that the file does not ask for, yet it is for whoever may send a signal:
// this machine, unless the configuration says otherwise. A page in a browser of this machine may not: browsers name the
// page's origin in each POST.

import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Extension } from '../../graph/component.ts'
import type { LastReload, SupervisorContext } from '../../graph/supervised.ts'
import { type HttpServerHandle, startHttpServer } from '../../net/http/server.ts'
import type { Listening } from '../../net/listen.ts'
import type { AdminConfig } from './config.ts'

export type AdminContext = Pick<SupervisorContext, 'clock' | 'extension' | 'health' | 'log' | 'report' | 'router'>

interface Answer {
  readonly status: number
  readonly type: string
  readonly body: string
  readonly allow?: string
}

const text = (status: number, words: string): Answer => ({
  status,
  type: 'text/plain; charset=utf-8',
  body: words.endsWith('\n') ? words : `${words}\n`,
})
const json = (status: number, value: object): Answer => ({
  status,
  type: 'application/json',
  body: `${JSON.stringify(value, undefined, 2)}\n`,
})

export const isLoopback = (address: string | undefined): boolean =>
  // A Unix socket has no address: its file's mode says who may.
  address === undefined || address === '::1' || /^(?:::ffff:)?127\./.test(address)

export class Admin implements Extension {
  readonly #config: AdminConfig
  readonly #context: AdminContext
  #server: HttpServerHandle | undefined

  constructor(config: AdminConfig, context: AdminContext) {
    this.#config = config
    this.#context = context
  }

  /** Where it listens, once started. */
  get address(): Listening | undefined {
    return this.#server
  }

  async start(): Promise<void> {
    this.#server = await startHttpServer(this.#config, this.#context, (request, response) => {
      request.resume()
      this.#answer(request).then(
        (answer) => send(request, response, answer),
        (error: Error) => send(request, response, text(500, error.message)),
      )
    })
    this.#context.log.info('admin listens.', { endpoint: `${this.#server.host}:${this.#server.port}` })
  }

  async stop(deadline: AbortSignal): Promise<void> {
    await this.#server?.close(deadline)
  }

  async #answer(request: IncomingMessage): Promise<Answer> {
    const path = (request.url ?? '').split('?', 1)[0]
    const route = path === '/-/reload' || path === '/-/config' || path === '/-/status' ? path : undefined
    if (route === undefined) return text(404, '404 page not found')
    const allow = route === '/-/reload' ? ['POST'] : ['GET', 'HEAD']
    const { method = '' } = request
    if (!allow.includes(method)) return { ...text(405, `use ${allow.join(' or ')}`), allow: allow.join(', ') }
    if (route === '/-/reload') return await this.#reload(request)
    if (route === '/-/status') return json(200, this.#status())
    return { status: 200, type: 'application/yaml', body: await this.#context.router.config() }
  }

  async #reload({ headers, socket }: IncomingMessage): Promise<Answer> {
    if (headers.origin !== undefined) return text(403, 'pages in a browser may not reload the configuration')
    if (!this.#config.allowRemoteReload && !isLoopback(socket.remoteAddress))
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

function send(request: IncomingMessage, response: ServerResponse, { status, type, body, allow }: Answer): void {
  if (allow !== undefined) response.setHeader('allow', allow)
  response.writeHead(status, { 'content-type': type, 'content-length': Buffer.byteLength(body) })
  response.end(request.method === 'HEAD' ? undefined : body)
}
