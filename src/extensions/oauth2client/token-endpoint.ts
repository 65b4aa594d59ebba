// One request for a token (RFC 6749 4.4.2) and its answer (5.1, 5.2).

import type { BuildInfo } from '../../graph/component.ts'
import { HttpClient } from '../../net/http/client.ts'
import { watchHttpClientTls } from '../../net/http/client-config.ts'
import { loadClientTls } from '../../net/tls/load.ts'
import type { TlsSurroundings } from '../../net/tls/reload.ts'
import { userAgent } from '../../net/user-agent.ts'
import { type OAuth2ClientConfig, parametersOf } from './config.ts'

export interface Token {
  /** The scheme, as the header has it. */
  readonly type: string
  readonly value: string
  /** Infinity where the server does not say. */
  readonly lifeMs: number
}

const DEFAULT_TIMEOUT_MS = 30_000
/** Longest part of the server's own words that is shown. */
const MAX_WORDS = 200

export class TokenEndpoint {
  readonly #config: OAuth2ClientConfig
  readonly #url: URL
  readonly #around: TlsSurroundings & { readonly build: BuildInfo }
  readonly #closing = new AbortController()
  #client: HttpClient | undefined
  /** Servers want id and secret in a header (RFC 6749 2.3.1), some only in the body: what worked last is tried first. */
  #inBody = false

  constructor(config: OAuth2ClientConfig, around: TlsSurroundings & { readonly build: BuildInfo }) {
    this.#config = config
    this.#url = new URL(config.tokenUrl)
    this.#around = around
  }

  /** Where it is, without what may be secret in it. */
  get shown(): string {
    return this.#url.origin + this.#url.pathname
  }

  async open(): Promise<void> {
    const secure = this.#url.protocol === 'https:'
    this.#client = new HttpClient({
      tls: secure ? loadClientTls(this.#config.tls, true) : undefined,
      headers: new Map([['user-agent', userAgent(this.#around.build)]]),
      proxyUrl: undefined,
      maxConnections: 1,
      idleTimeoutMs: 10_000,
      keepAlive: true,
      http2: true,
    })
    if (secure) watchHttpClientTls(this.#client, this.#config.tls, this.#around)
    await this.#client.open()
  }

  async close(): Promise<void> {
    this.#closing.abort(new Error('the router is stopping'))
    await this.#client?.close()
  }

  /** Rejects with an Error whose words quote no secret. */
  async fetch(credentials: { readonly id: string; readonly secret: string }): Promise<Token> {
    const first = await this.#ask(credentials, this.#inBody)
    if (first.status === 200) return readToken(first.body)
    if (first.status >= 500 || first.status === 429) throw refusalOf(first)
    const second = await this.#ask(credentials, !this.#inBody)
    if (second.status !== 200) throw refusalOf(first)
    this.#inBody = !this.#inBody
    return readToken(second.body)
  }

  async #ask({ id, secret }: { readonly id: string; readonly secret: string }, inBody: boolean) {
    const form = new URLSearchParams([['grant_type', 'client_credentials']])
    const { scopes, endpointParams, timeoutMs } = this.#config
    if (scopes.length > 0) form.set('scope', scopes.join(' '))
    for (const [name, value] of parametersOf(endpointParams) ?? []) form.append(name, value)
    const headers: Record<string, string> = {
      'content-type': 'application/x-www-form-urlencoded',
      accept: 'application/json',
    }
    if (inBody) {
      form.set('client_id', id)
      form.set('client_secret', secret)
    } else headers.authorization = `Basic ${Buffer.from(`${formText(id)}:${formText(secret)}`).toString('base64')}`
    const signal = AbortSignal.any([this.#closing.signal, AbortSignal.timeout(timeoutMs || DEFAULT_TIMEOUT_MS)])
    return await this.#client!.post(this.#url, headers, Buffer.from(form.toString()), signal)
  }
}

/** As a form writes it (RFC 6749 appendix B). */
const formText = (text: string): string => new URLSearchParams([['', text]]).toString().slice(1)

function readToken(body: Uint8Array): Token {
  let answer: Record<string, unknown>
  try {
    answer = JSON.parse(Buffer.from(body).toString())
  } catch {
    throw new Error('the answer is no JSON')
  }
  const { access_token: value, token_type: type, expires_in: life } = answer ?? {}
  if (typeof value !== 'string' || !/^[\x21-\x7e]+$/.test(value)) throw new Error('the answer has no access_token')
  const scheme = typeof type === 'string' && /^[A-Za-z0-9._-]+$/.test(type) ? type : 'Bearer'
  const seconds = Number(life)
  return {
    // Servers write it in any case, and those who get the token look for this one.
    type: scheme.toLowerCase() === 'bearer' ? 'Bearer' : scheme,
    value,
    lifeMs: Number.isFinite(seconds) && seconds > 0 ? seconds * 1000 : Number.POSITIVE_INFINITY,
  }
}

function refusalOf({ status, body }: { readonly status: number; readonly body: Uint8Array }): Error {
  let said = ''
  try {
    const { error, error_description: description } = JSON.parse(Buffer.from(body).toString())
    said = [error, description].filter((part) => typeof part === 'string').join(': ')
  } catch {
    // A page of any kind adds nothing to the status.
  }
  return new Error(`it answered ${status}${said === '' ? '' : `, ${said.slice(0, MAX_WORDS)}`}`)
}
