// Who is let in by name and password (RFC 7617).
//
//   header --> known? --yes--> attributes          known: digests under a key of this process, bounded, forgotten when
//                | no                              the htpasswd file changes, wrong ones after a while too
//                v
//   name:password --> entry of that name --quick--> right or wrong, at once
//                            | slow: bcrypt, apr1
//                            v
//                      the verifier's thread, where the same header waits only once and others are bounded

import { createHmac, randomBytes } from 'node:crypto'
import type { ExtensionContext } from '../../graph/component.ts'
import {
  type AuthAttributes,
  type AuthDecision,
  AuthRefusal,
  type RequestHeaders,
  type ServerAuthenticator,
} from '../../net/auth/authenticator.ts'
import { MAX_CREDENTIAL_CHARACTERS } from '../../net/auth/compare.ts'
import { WatchedFile } from '../../net/secret-file.ts'
import { GRPC } from '../../net/status.ts'
import type { BasicAuthConfig } from './config.ts'
import { type Entry, type Htpasswd, readHtpasswd } from './htpasswd.ts'
import { Verifier } from './verifier.ts'

/** Headers whose outcome is remembered. Wrong ones have a place of their own, so that they drive out no right one. */
const MAX_RIGHT = 4_096
const MAX_WRONG = 1_024
/** A wrong password that comes again and again, as from a client that was set up wrongly, is checked so often. */
const WRONG_FOR_MS = 10_000

export class BasicServer implements ServerAuthenticator {
  readonly challenge = 'Basic realm="millrace", charset="UTF-8"'
  readonly #context: ExtensionContext
  readonly #verifier = new Verifier()
  readonly #key = randomBytes(32)
  readonly #inline: Htpasswd
  readonly #file: WatchedFile<Htpasswd> | undefined
  readonly #right = new Map<string, AuthAttributes>()
  /** Until when each is not checked again. */
  readonly #wrong = new Map<string, number>()
  readonly #asking = new Map<string, Promise<AuthDecision>>()
  #entries: Htpasswd = new Map()
  /** Counts the readings of the file: an answer that was asked for before the last one is not remembered. */
  #reading = 0
  /** What is asked for a name that nobody has, so that it takes as long as a name that somebody has. */
  #decoy: Entry | undefined

  constructor(htpasswd: NonNullable<BasicAuthConfig['htpasswd']>, context: ExtensionContext) {
    this.#context = context
    this.#inline = readHtpasswd(htpasswd.inline?.reveal() ?? '')
    const { file = '' } = htpasswd
    if (file !== '')
      this.#file = new WatchedFile<Htpasswd>(file, readHtpasswd, context, (entries) => this.#use(entries))
  }

  start(): void {
    this.#use(this.#file?.start() ?? new Map())
  }

  async stop(): Promise<void> {
    this.#file?.stop()
    await this.#verifier.stop()
  }

  #use(fromFile: Htpasswd): void {
    this.#entries = new Map([...fromFile, ...this.#inline])
    this.#decoy = [...this.#entries.values()].find((entry) => entry.slow)
    this.#reading++
    this.#right.clear()
    this.#wrong.clear()
    this.#asking.clear()
  }

  authenticate(headers: RequestHeaders): AuthDecision | Promise<AuthDecision> {
    const header = headers('authorization')
    if (header === undefined || header === '') return MISSING
    if (header.length > MAX_CREDENTIAL_CHARACTERS) return TOO_LONG
    const key = createHmac('sha256', this.#key).update(header).digest('base64')
    const known = this.#right.get(key)
    if (known !== undefined) return known
    const wrongUntilMs = this.#wrong.get(key)
    if (wrongUntilMs !== undefined && this.#context.clock.monotonic() < wrongUntilMs) return WRONG
    const credentials = readBasic(header)
    if (credentials === undefined) return MALFORMED
    return this.#asking.get(key) ?? this.#decide(key, credentials)
  }

  #decide(key: string, credentials: Credentials): AuthDecision | Promise<AuthDecision> {
    const { name, password, raw } = credentials
    const found = this.#entries.get(name)
    const entry = found ?? this.#decoy
    if (entry === undefined) return WRONG
    const outcome = (right: boolean): AuthDecision => (right && found !== undefined ? attributesOf(name, raw) : WRONG)
    if (!entry.slow) return outcome(entry.isPassword(password))
    const answer = this.#verifier.verify(password, entry.hash)
    if (answer === undefined) return BUSY
    const reading = this.#reading
    const decision = answer.then((right) => {
      if (right === undefined) return BUSY
      const decided = outcome(right)
      if (reading === this.#reading) {
        this.#asking.delete(key)
        this.#remember(key, decided)
      }
      return decided
    })
    this.#asking.set(key, decision)
    return decision
  }

  #remember(key: string, decision: AuthDecision): void {
    if (decision instanceof AuthRefusal) {
      makeRoom(this.#wrong, MAX_WRONG)
      this.#wrong.set(key, this.#context.clock.monotonic() + WRONG_FOR_MS)
    } else {
      makeRoom(this.#right, MAX_RIGHT)
      this.#right.set(key, decision)
    }
  }
}

/** The oldest goes first; one that is still in use is checked once more and comes back. */
function makeRoom(map: Map<string, unknown>, max: number): void {
  if (map.size >= max) map.delete(map.keys().next().value!)
}

const MISSING = new AuthRefusal('no basic auth provided')
const MALFORMED = new AuthRefusal('invalid format of the authorization header')
const TOO_LONG = new AuthRefusal('the authorization header is too long')
const WRONG = new AuthRefusal('invalid credentials')
const BUSY = new AuthRefusal('too many passwords are being checked, try again later', GRPC.UNAVAILABLE)

const attributesOf = (name: string, raw: string): AuthAttributes =>
  new Map([
    ['username', name],
    ['raw', raw],
  ])

interface Credentials {
  readonly name: string
  readonly password: string
  /** As it came, in base64. */
  readonly raw: string
}

/** Undefined when the header is no `Basic` with `name:password` in base64. */
export function readBasic(header: string): Credentials | undefined {
  const match = /^basic +([A-Za-z0-9+/]+={0,2})$/i.exec(header)
  if (match === null || match[1]!.length % 4 !== 0) return undefined
  const text = Buffer.from(match[1]!, 'base64').toString()
  const colon = text.indexOf(':')
  if (colon < 0) return undefined
  return { name: text.slice(0, colon), password: text.slice(colon + 1), raw: match[1]! }
}
