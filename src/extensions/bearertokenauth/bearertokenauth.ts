// Checks a token that callers send, or sends one: `<scheme> <token>` in one header.
//
// Listeners know tokens by their digests alone. A file is read again when it changes; while it cannot be used, the
// tokens it held before stay good.

import type { Extension, ExtensionContext } from '../../graph/component.ts'
import {
  type AuthDecision,
  type AuthExtension,
  AuthRefusal,
  type ClientAuthenticator,
  NO_ATTRIBUTES,
  type RequestHeaders,
  type ServerAuthenticator,
} from '../../net/auth/authenticator.ts'
import { digestOf, findSecret, MAX_CREDENTIAL_CHARACTERS } from '../../net/auth/compare.ts'
import { WatchedFile } from '../../net/secret-file.ts'
import { type BearerTokenAuthConfig, isHeaderText } from './config.ts'

export class BearerTokenAuth implements Extension, AuthExtension {
  readonly #config: BearerTokenAuthConfig
  readonly #context: ExtensionContext
  readonly #header: string
  #file: WatchedFile<string[]> | undefined
  #value = ''
  #digests: readonly Buffer[] = []

  constructor(config: BearerTokenAuthConfig, context: ExtensionContext) {
    this.#config = config
    this.#context = context
    this.#header = config.header.toLowerCase()
  }

  start(): void {
    const { filename = '', token, tokens } = this.#config
    const given = [...(token === undefined || token.isEmpty ? [] : [token]), ...tokens].map((one) => one.reveal())
    if (filename === '') {
      this.#use(given)
      return
    }
    if (given.length > 0) this.#context.log.warn('filename is given, so that token and tokens are not used')
    this.#file = new WatchedFile(filename, readTokens, this.#context, (found) => this.#use(found))
    this.#use(this.#file.start())
  }

  stop(): void {
    this.#file?.stop()
  }

  readonly serverAuthenticator: ServerAuthenticator = {
    challenge: 'Bearer',
    authenticate: (headers) => this.#authenticate(headers),
  }

  readonly clientAuthenticator: ClientAuthenticator = {
    authorize: (headers) => {
      headers.set(this.#header, this.#value)
    },
  }

  #use(tokens: readonly string[]): void {
    const { scheme } = this.#config
    const values = tokens.map((token) => (scheme === '' ? token : `${scheme} ${token}`))
    this.#value = values[0] ?? ''
    this.#digests = values.map(digestOf)
  }

  #authenticate(headers: RequestHeaders): AuthDecision {
    const value = headers(this.#header)
    if (value === undefined || value === '') return MISSING
    if (value.length > MAX_CREDENTIAL_CHARACTERS) return TOO_LONG
    return findSecret(value, this.#digests) < 0 ? WRONG : NO_ATTRIBUTES
  }
}

const MISSING = new AuthRefusal('missing or empty authorization header')
const TOO_LONG = new AuthRefusal('the authorization header is too long')
const WRONG = new AuthRefusal('scheme or token does not match')

/** A token a line, blank ones left out. */
export function readTokens(text: string): string[] {
  const tokens = text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '')
  if (tokens.length === 0) throw new Error('there is no token in it')
  const odd = tokens.findIndex((token) => !isHeaderText(token))
  if (odd >= 0) throw new Error(`token ${odd + 1} cannot stand in a header`)
  return tokens
}
