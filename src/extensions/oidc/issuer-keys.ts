// The public keys of one issuer, found through its discovery document and kept.
//
//   none --first question--> asking --> keys --KEEP_MS old, or a key that nobody knows--> keys + asking --> new keys
//                              | failed: what there is stays in use; not asked again for COOLDOWN_MS
//
// OpenID Connect Discovery 1.0: the document's `issuer` must be the URL that it was asked by (4.3).

import { createLocalJWKSet, type JSONWebKeySet } from 'jose'
import type { ExtensionContext } from '../../graph/component.ts'
import { HttpClient } from '../../net/http/client.ts'
import { tlsClient } from '../../net/tls/config.ts'
import { loadClientTls } from '../../net/tls/load.ts'
import { userAgent } from '../../net/user-agent.ts'
import type { ProviderConfig } from './config.ts'

export type KeySet = ReturnType<typeof createLocalJWKSet>

/** A key that is revoked is trusted no longer than this. */
const KEEP_MS = 600_000
/** A stranger's tokens with keys that do not exist set off no more than one request in this time. */
export const COOLDOWN_MS = 10_000
const TIMEOUT_MS = 5_000

export class IssuerKeys {
  readonly #issuerUrl: string
  readonly #caFile: string | undefined
  readonly #context: ExtensionContext
  readonly #closing = new AbortController()
  #client: HttpClient | undefined
  #keys: KeySet | undefined
  #askedMs = Number.NEGATIVE_INFINITY
  #gotMs = Number.NEGATIVE_INFINITY
  #asking: Promise<void> | undefined
  #failing = false

  constructor({ issuerUrl = '', issuerCaPath }: ProviderConfig, context: ExtensionContext) {
    this.#issuerUrl = issuerUrl
    this.#caFile = issuerCaPath === '' ? undefined : issuerCaPath
    this.#context = context
  }

  /** Opens the client; begins to ask without waiting for the answer. Throws when the authority's file cannot be used. */
  async open(): Promise<void> {
    const tls = loadClientTls({ ...tlsClient.zero(), caFile: this.#caFile }, true)
    this.#client = new HttpClient({
      tls,
      headers: new Map([['user-agent', userAgent(this.#context.build)]]),
      proxyUrl: undefined,
      maxConnections: 1,
      idleTimeoutMs: 10_000,
      keepAlive: true,
      http2: false,
    })
    await this.#client.open()
    void this.#ask()
  }

  async close(): Promise<void> {
    this.#closing.abort(new Error('the router is stopping'))
    await this.#client?.close()
    await this.#asking
  }

  /** The keys that there are; undefined when the issuer has not answered yet. Asks where it is time to. */
  async current(): Promise<KeySet | undefined> {
    const now = this.#context.clock.monotonic()
    if (this.#keys === undefined) {
      if (this.#asking !== undefined || this.#isRested(now)) await this.#ask()
    } else if (now - this.#gotMs > KEEP_MS && this.#isRested(now)) void this.#ask()
    return this.#keys
  }

  /** Asks again because a token names a key that is not here; resolves to other keys, or undefined when there are none. */
  async renewed(known: KeySet): Promise<KeySet | undefined> {
    if (this.#keys === known) {
      if (this.#asking === undefined && !this.#isRested(this.#context.clock.monotonic())) return undefined
      await this.#ask()
    }
    return this.#keys === known ? undefined : this.#keys
  }

  #isRested(now: number): boolean {
    return now - this.#askedMs >= COOLDOWN_MS
  }

  /** Never rejects. */
  #ask(): Promise<void> {
    this.#asking ??= this.#askOnce().finally(() => {
      this.#asking = undefined
    })
    return this.#asking
  }

  async #askOnce(): Promise<void> {
    const { clock, log } = this.#context
    this.#askedMs = clock.monotonic()
    try {
      this.#keys = await this.#fetch()
      this.#gotMs = clock.monotonic()
      if (this.#failing) log.info('the keys of the issuer are here again', { issuer: this.#issuerUrl })
      this.#failing = false
    } catch (error) {
      if (!this.#failing && !this.#closing.signal.aborted)
        log.error('the keys of the issuer cannot be had; those that are known stay in use', {
          issuer: this.#issuerUrl,
          error: (error as Error).message,
        })
      this.#failing = true
    }
  }

  async #fetch(): Promise<KeySet> {
    const document = await this.#get(`${this.#issuerUrl.replace(/\/$/, '')}/.well-known/openid-configuration`)
    if (document.issuer !== this.#issuerUrl) throw new Error(`it calls itself ${JSON.stringify(document.issuer)}`)
    const { jwks_uri: uri } = document
    if (typeof uri !== 'string' || !/^https?:/.test(uri) || !URL.canParse(uri)) throw new Error('it names no jwks_uri')
    return createLocalJWKSet((await this.#get(uri)) as unknown as JSONWebKeySet)
  }

  async #get(url: string): Promise<Record<string, unknown>> {
    const signal = AbortSignal.any([this.#closing.signal, AbortSignal.timeout(TIMEOUT_MS)])
    const answer = await this.#client!.request('GET', new URL(url), { accept: 'application/json' }, null, signal)
    if (answer.status !== 200) throw new Error(`${url} answered ${answer.status}`)
    const value: unknown = JSON.parse(Buffer.from(answer.body).toString())
    if (typeof value !== 'object' || value === null) throw new Error(`${url} is no JSON object`)
    return value as Record<string, unknown>
  }
}
