// A token of an authorization server in every request.
//
//   no token --request--> fetching ----> token --buffer before its end--> token + fetching --> next token
//                            | failed                    (requests go on with the token that there is)
//                            v
//                       refused for RETRY_MS, then fetched again with the next request
//
// One fetch at a time, whoever waits for it. A token that the next hop refuses is dropped.

import { readFile } from 'node:fs/promises'
import { DeliveryError } from '../../delivery/error.ts'
import type { Extension, ExtensionContext } from '../../graph/component.ts'
import type { AuthExtension, ClientAuthenticator } from '../../net/auth/authenticator.ts'
import { warnOfOpenFile } from '../../net/secret-file.ts'
import type { OAuth2ClientConfig } from './config.ts'
import { type Token, TokenEndpoint } from './token-endpoint.ts'

/** After a fetch that failed, requests are refused so long without another one. */
const RETRY_MS = 1_000
/** A refused token that is younger was refused for what it is: another one would be refused too. */
const FRESH_MS = 10_000

export class OAuth2Client implements Extension, AuthExtension, ClientAuthenticator {
  readonly #config: OAuth2ClientConfig
  readonly #context: ExtensionContext
  readonly #endpoint: TokenEndpoint
  readonly clientAuthenticator: ClientAuthenticator = this
  #header = ''
  #fetchedMs = 0
  #renewMs = Number.NEGATIVE_INFINITY
  #endsMs = Number.NEGATIVE_INFINITY
  #fetching: Promise<void> | undefined
  #failed: DeliveryError | undefined
  #retryMs = Number.NEGATIVE_INFINITY

  constructor(config: OAuth2ClientConfig, context: ExtensionContext) {
    this.#config = config
    this.#context = context
    this.#endpoint = new TokenEndpoint(config, context)
  }

  async start(): Promise<void> {
    const { clientSecretFile = '' } = this.#config
    if (clientSecretFile !== '') warnOfOpenFile(clientSecretFile, this.#context.log)
    await this.#endpoint.open()
  }

  async stop(): Promise<void> {
    await this.#endpoint.close()
    await this.#fetching?.catch(() => {})
  }

  authorize(headers: Map<string, string>): void | Promise<void> {
    const now = this.#context.clock.monotonic()
    if (now < this.#endsMs) {
      headers.set('authorization', this.#header)
      // What goes wrong here is in the log, and the next request tries again.
      if (now >= this.#renewMs && now >= this.#retryMs) this.#fetch().catch(() => {})
      return
    }
    if (this.#failed !== undefined && now < this.#retryMs) throw this.#failed
    return this.#fetch().then(() => {
      headers.set('authorization', this.#header)
    })
  }

  rejected(headers: ReadonlyMap<string, string>): boolean {
    // Calls that were under way with a token that is gone already say nothing of the one that there is.
    if (headers.get('authorization') !== this.#header) return true
    const isFresh = this.#context.clock.monotonic() - this.#fetchedMs < FRESH_MS
    this.#endsMs = Number.NEGATIVE_INFINITY
    return !isFresh
  }

  #fetch(): Promise<void> {
    this.#fetching ??= this.#fetchOnce().finally(() => {
      this.#fetching = undefined
    })
    return this.#fetching
  }

  async #fetchOnce(): Promise<void> {
    const { clock, log } = this.#context
    try {
      this.#use(await this.#endpoint.fetch(await this.#credentials()))
    } catch (cause) {
      const message = `no token from ${this.#endpoint.shown}: ${(cause as Error).message}`
      if (this.#failed === undefined) log.error('oauth2client has no token', { error: message })
      this.#failed = new DeliveryError('AUTH_NO_CREDENTIAL', message, { retry: 'backoff', cause })
      this.#retryMs = clock.monotonic() + RETRY_MS
      throw this.#failed
    }
  }

  #use({ type, value, lifeMs }: Token): void {
    const now = this.#context.clock.monotonic()
    if (this.#failed !== undefined) this.#context.log.info('oauth2client has a token again')
    this.#failed = undefined
    this.#header = `${type} ${value}`
    this.#fetchedMs = now
    this.#endsMs = now + lifeMs
    this.#renewMs = this.#endsMs - Math.min(this.#config.expiryBufferMs, lifeMs / 2)
  }

  async #credentials(): Promise<{ id: string; secret: string }> {
    const { clientId = '', clientIdFile = '', clientSecret, clientSecretFile = '' } = this.#config
    return {
      id: clientIdFile === '' ? clientId : await readCredential(clientIdFile),
      secret: clientSecretFile === '' ? (clientSecret?.reveal() ?? '') : await readCredential(clientSecretFile),
    }
  }
}

async function readCredential(path: string): Promise<string> {
  const text = (await readFile(path, 'utf8')).trim()
  if (text === '') throw new Error(`${path} is empty`)
  return text
}
