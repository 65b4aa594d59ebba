// Pages: a listener whose requests have no body to speak of, and whose answers are ready texts. What extensions and our
// own metrics show is served by this; what a request means is the page's.

import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http'
import type { Lifecycle } from '../../graph/component.ts'
import type { Listening } from '../listen.ts'
import { type HttpServerContext, type HttpServerHandle, startHttpServer } from './server.ts'
import type { HttpServerConfig } from './server-config.ts'

export interface PageRequest {
  readonly method: string
  readonly path: string
  readonly query: URLSearchParams
  readonly headers: IncomingHttpHeaders
  /** Undefined on a Unix socket. */
  readonly remoteAddress: string | undefined
  /** Aborts when the client leaves, and when it has its answer. */
  gone(): AbortSignal
}

export interface Answer {
  readonly status: number
  /** Its Content-Type; without it none is sent. */
  readonly type: string | undefined
  readonly body: string
  readonly headers?: Readonly<Record<string, string>>
}

/** Words for people, on lines of their own. */
export const text = (status: number, words: string): Answer => ({
  status,
  type: 'text/plain; charset=utf-8',
  body: words.endsWith('\n') ? words : `${words}\n`,
})

export const json = (status: number, value: object): Answer => ({
  status,
  type: 'application/json',
  body: `${JSON.stringify(value, undefined, 2)}\n`,
})

/** As Go's server words it. */
export const NOT_FOUND: Answer = text(404, '404 page not found')

/** What throws or rejects is answered with 500 and its words. */
export type PageHandler = (request: PageRequest) => Answer | Promise<Answer>

/** Starts listening, as startHttpServer does. */
export function servePages(
  config: HttpServerConfig,
  context: HttpServerContext,
  handler: PageHandler,
): Promise<HttpServerHandle> {
  return startHttpServer(config, context, (request, response) => {
    request.resume()
    void answerOf(request, response, handler).then((answer) => send(request, response, answer))
  })
}

/** The listener of an extension that is made of pages. */
export class PageServer implements Lifecycle {
  readonly #name: string
  readonly #config: HttpServerConfig
  readonly #context: HttpServerContext
  readonly #handler: PageHandler
  #server: HttpServerHandle | undefined

  constructor(name: string, config: HttpServerConfig, context: HttpServerContext, handler: PageHandler) {
    this.#name = name
    this.#config = config
    this.#context = context
    this.#handler = handler
  }

  /** Where it listens, once started. */
  get address(): Listening | undefined {
    return this.#server
  }

  async start(): Promise<void> {
    const { host, port } = (this.#server = await servePages(this.#config, this.#context, this.#handler))
    this.#context.log.info(`${this.#name} listens.`, { endpoint: `${host}:${port}` })
  }

  async stop(deadline: AbortSignal): Promise<void> {
    await this.#server?.close(deadline)
  }
}

async function answerOf(request: IncomingMessage, response: ServerResponse, handler: PageHandler): Promise<Answer> {
  const [path = '', query = ''] = (request.url ?? '').split('?', 2)
  try {
    return await handler({
      method: request.method ?? '',
      path,
      query: new URLSearchParams(query),
      headers: request.headers,
      remoteAddress: request.socket.remoteAddress,
      gone() {
        const gone = new AbortController()
        response.once('close', () => gone.abort())
        return gone.signal
      },
    })
  } catch (error) {
    return text(500, (error as Error).message)
  }
}

function send(request: IncomingMessage, response: ServerResponse, { status, type, body, headers }: Answer): void {
  for (const name in headers) response.setHeader(name, headers[name]!)
  if (type !== undefined) response.setHeader('content-type', type)
  response.writeHead(status, { 'content-length': Buffer.byteLength(body) })
  response.end(request.method === 'HEAD' ? undefined : body)
}
