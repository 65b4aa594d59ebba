// Lets in callers with a token that a known issuer has signed (JWT, RFC 7519), for us and for now.
//
//   header --> known? --yes--> attributes         known: digests of tokens that were good, until they end, bounded
//                | no
//                v
//   iss of the token, unverified --> its provider --> keys --> signature, iss, aud, exp, nbf --> attributes
//
// Tokens are signed with asymmetric keys only: `none` and HMAC are not taken, whatever a token says.

import { createHash } from 'node:crypto'
import { createLocalJWKSet, decodeJwt, errors, type JWTPayload, jwtVerify } from 'jose'
import type { Extension, ExtensionContext } from '../../graph/component.ts'
import {
  type AuthAttributes,
  type AuthDecision,
  type AuthExtension,
  AuthRefusal,
  type RequestHeaders,
  type ServerAuthenticator,
} from '../../net/auth/authenticator.ts'
import { MAX_CREDENTIAL_CHARACTERS } from '../../net/auth/compare.ts'
import { WatchedFile } from '../../net/secret-file.ts'
import { GRPC } from '../../net/status.ts'
import { type OidcConfig, type ProviderConfig, providersOf } from './config.ts'
import { IssuerKeys, type KeySet } from './issuer-keys.ts'

const ALGORITHMS = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519']
/** Between the issuer's clock and ours. */
const CLOCK_TOLERANCE_S = 5
/** Good tokens that are remembered. */
const MAX_KNOWN = 4_096
/** A key that its issuer revokes counts for tokens that are known no longer than this. */
const KNOWN_FOR_MS = 300_000
/** Tokens that are being looked at; one more is told to come again. */
export const MAX_CHECKING = 256

interface Provider {
  readonly config: ProviderConfig
  readonly keys: IssuerKeys | undefined
  readonly file: WatchedFile<KeySet> | undefined
}

interface Known {
  readonly attributes: AuthAttributes
  readonly untilMs: number
}

export class Oidc implements Extension, AuthExtension, ServerAuthenticator {
  readonly challenge = 'Bearer'
  readonly serverAuthenticator: ServerAuthenticator = this
  readonly #attribute: string
  readonly #context: ExtensionContext
  readonly #providers: readonly Provider[]
  readonly #known = new Map<string, Known>()
  #checking = 0

  constructor(config: OidcConfig, context: ExtensionContext) {
    this.#attribute = config.attribute.toLowerCase()
    this.#context = context
    this.#providers = providersOf(config).map(({ provider }) => {
      const { publicKeysFile = '' } = provider
      if (publicKeysFile === '') return { config: provider, keys: new IssuerKeys(provider, context), file: undefined }
      const file = new WatchedFile(publicKeysFile, readKeys, context, () => this.#known.clear())
      return { config: provider, keys: undefined, file }
    })
  }

  async start(): Promise<void> {
    for (const { keys, file } of this.#providers) {
      file?.start()
      await keys?.open()
    }
  }

  async stop(): Promise<void> {
    for (const { keys, file } of this.#providers) {
      file?.stop()
      await keys?.close()
    }
  }

  authenticate(headers: RequestHeaders): AuthDecision | Promise<AuthDecision> {
    const header = headers(this.#attribute)
    if (header === undefined || header === '') return MISSING
    if (header.length > MAX_CREDENTIAL_CHARACTERS) return TOO_LONG
    const token = /^[!-~]+ ([A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+)$/.exec(header)?.[1]
    if (token === undefined) return MALFORMED
    const key = createHash('sha256').update(token).digest('base64')
    const known = this.#known.get(key)
    if (known !== undefined && this.#context.clock.now() < known.untilMs) return known.attributes
    if (this.#checking >= MAX_CHECKING) return BUSY
    const provider = this.#providerOf(token)
    if (provider instanceof AuthRefusal) return provider
    this.#checking++
    return this.#verify(provider, token, key)
      .catch((error: Error) => refusalOf(error))
      .finally(() => {
        this.#checking--
      })
  }

  /** By the issuer that the token names, which is only believed once the signature is. */
  #providerOf(token: string): Provider | AuthRefusal {
    let issuer: string | undefined
    try {
      issuer = decodeJwt(token).iss
    } catch {
      return MALFORMED
    }
    return this.#providers.find(({ config }) => config.issuerUrl === issuer) ?? UNKNOWN_ISSUER
  }

  async #verify({ config, keys, file }: Provider, token: string, key: string): Promise<AuthDecision> {
    const nowMs = this.#context.clock.now()
    const verify = (set: KeySet) =>
      jwtVerify(token, set, {
        algorithms: ALGORITHMS,
        issuer: config.issuerUrl!,
        ...(config.ignoreAudience || config.audience === undefined ? {} : { audience: config.audience }),
        requiredClaims: ['exp'],
        currentDate: new Date(nowMs),
        clockTolerance: CLOCK_TOLERANCE_S,
      })
    const set = file?.value ?? (await keys?.current())
    if (set === undefined) return NO_KEYS
    let payload: JWTPayload
    try {
      payload = (await verify(set)).payload
    } catch (error) {
      // The issuer has changed its keys, or the token is nobody's.
      const others = error instanceof errors.JWKSNoMatchingKey ? await keys?.renewed(set) : undefined
      if (others === undefined) throw error
      payload = (await verify(others)).payload
    }
    const decision = attributesOf(payload, config, token)
    if (!(decision instanceof AuthRefusal))
      this.#remember(key, { attributes: decision, untilMs: Math.min(payload.exp! * 1000, nowMs + KNOWN_FOR_MS) })
    return decision
  }

  #remember(key: string, known: Known): void {
    // A token that is checked again moves to the end; the oldest goes first.
    this.#known.delete(key)
    if (this.#known.size >= MAX_KNOWN) this.#known.delete(this.#known.keys().next().value!)
    this.#known.set(key, known)
  }
}

const MISSING = new AuthRefusal('missing or empty authorization header')
const MALFORMED = new AuthRefusal('invalid authorization header format')
const TOO_LONG = new AuthRefusal('the authorization header is too long')
const UNKNOWN_ISSUER = new AuthRefusal('no OIDC provider is configured for the issuer of the token')
const NO_KEYS = new AuthRefusal('the issuer of the token does not answer, try again later', GRPC.UNAVAILABLE)
const BUSY = new AuthRefusal('too many tokens are being checked, try again later', GRPC.UNAVAILABLE)

/** The reason in our words: a library's might quote what the token says. */
function refusalOf(error: Error): AuthRefusal {
  if (error instanceof errors.JWTExpired) return new AuthRefusal('the token has expired')
  if (error instanceof errors.JWTClaimValidationFailed)
    return new AuthRefusal(`the token's ${error.claim} does not fit`)
  if (error instanceof errors.JWSSignatureVerificationFailed)
    return new AuthRefusal('the signature of the token is wrong')
  if (error instanceof errors.JWKSNoMatchingKey || error instanceof errors.JWKSMultipleMatchingKeys)
    return new AuthRefusal('the token is signed with a key that its issuer does not have')
  return new AuthRefusal('the token cannot be verified')
}

/** As the Collector names them: subject, membership, raw, and every claim. */
function attributesOf(claims: JWTPayload, config: ProviderConfig, raw: string): AuthAttributes | AuthRefusal {
  const { usernameClaim = '', groupsClaim = '' } = config
  const subject = usernameClaim === '' ? (claims.sub ?? '') : claims[usernameClaim]
  if (typeof subject !== 'string') return new AuthRefusal(`the token has no text in its claim ${usernameClaim}`)
  const groups = groupsClaim === '' ? [] : claims[groupsClaim]
  if (groups === undefined) return new AuthRefusal(`the token has no claim ${groupsClaim}`)
  const membership = (Array.isArray(groups) ? groups : [groups]).map(String)
  return new Map<string, unknown>([
    ...Object.entries(claims),
    ['subject', subject],
    ['membership', membership],
    ['raw', raw],
  ])
}

function readKeys(text: string): KeySet {
  const value: unknown = JSON.parse(text)
  const keys = (value as { keys?: unknown } | null)?.keys
  if (!Array.isArray(keys) || keys.length === 0) throw new Error('it is no JWK set with keys')
  return createLocalJWKSet(value as Parameters<typeof createLocalJWKSet>[0])
}
