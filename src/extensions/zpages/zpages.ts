// The server of zpages.

import type { IncomingMessage, ServerResponse } from 'node:http'
import { memoryUsage, versions } from 'node:process'
import { getHeapStatistics } from 'node:v8'
import type { Extension, ExtensionContext } from '../../graph/component.ts'
import { type HttpServerHandle, startHttpServer } from '../../net/http/server.ts'
import type { Listening } from '../../net/listen.ts'
import type { ZpagesConfig } from './config.ts'
import { CONTENT_SECURITY_POLICY } from './html.ts'
import { extensionPage, featurePage, pipelinePage, servicePage } from './pages.ts'

export class Zpages implements Extension {
  readonly #config: ZpagesConfig
  readonly #context: ExtensionContext
  #server: HttpServerHandle | undefined

  constructor(config: ZpagesConfig, context: ExtensionContext) {
    this.#config = config
    this.#context = context
  }

  /** Where it listens, once started. */
  get address(): Listening | undefined {
    return this.#server
  }

  async start(): Promise<void> {
    this.#server = await startHttpServer(this.#config, this.#context, (request, response) =>
      this.#handle(request, response),
    )
    this.#context.log.info('zpages listens.', { endpoint: `${this.#server.host}:${this.#server.port}` })
  }

  /** The Collector does not wait for pages under way either. */
  async stop(): Promise<void> {
    await this.#server?.close(AbortSignal.abort())
  }

  #handle(request: IncomingMessage, response: ServerResponse): void {
    request.resume()
    const [path = '', query = ''] = (request.url ?? '').split('?', 2)
    const html = this.#page(path, new URLSearchParams(query))
    if (html !== undefined) {
      response.setHeader('content-security-policy', CONTENT_SECURITY_POLICY)
      response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' }).end(html)
    } else if (path === '/debug/expvarz' && this.#config.expvar.enabled) {
      const json = JSON.stringify({ versions, memory: memoryUsage(), heap: getHeapStatistics() })
      response.writeHead(200, { 'content-type': 'application/json; charset=utf-8' }).end(json)
    } else {
      response.writeHead(404, { 'content-type': 'text/plain; charset=utf-8' }).end('404 page not found\n')
    }
  }

  #page(path: string, query: URLSearchParams): string | undefined {
    if (path === '/debug/servicez') return servicePage(this.#context)
    if (path === '/debug/pipelinez') return pipelinePage(this.#context, query)
    if (path === '/debug/extensionz') return extensionPage(this.#context)
    if (path === '/debug/featurez') return featurePage()
    return undefined
  }
}
