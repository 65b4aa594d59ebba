// Who may connect, and what each client may publish and subscribe to. Knows nothing of sockets.
//
// A client id belongs to the user who holds it, as long as it is connected or has a session: with another's client id one
// would get what is queued for that other.

import { AuthRefusal, type ServerAuthenticator } from '../../net/auth/authenticator.ts'
import { digestOf, isSameSecret, MAX_CREDENTIAL_CHARACTERS } from '../../net/auth/compare.ts'
import type { MqttBrokerConfig, Rights, UserConfig } from './config.ts'
import { compileFilter, covers, type Filter } from './topic-filter.ts'

/** What one client may do. */
export interface Grants {
  readonly username: string
  readonly publish: readonly Filter[]
  readonly subscribe: readonly Filter[]
}

const EVERYTHING: readonly Filter[] = [['#']]

export class Access {
  readonly #users: ReadonlyMap<string, UserConfig>
  readonly #anonymous: Rights | undefined
  readonly #authenticator: ServerAuthenticator | undefined
  /** Everybody may do everything. */
  readonly isOpen: boolean

  constructor({ users, anonymous }: MqttBrokerConfig, authenticator: ServerAuthenticator | undefined) {
    this.#users = new Map(users.map((user) => [user.username, user]))
    this.#anonymous = anonymous
    this.#authenticator = authenticator
    this.isOpen = users.length === 0 && authenticator === undefined
  }

  /** Undefined when the client may not connect. Never rejects. */
  async admit(
    username: string | undefined,
    password: string | undefined,
    clientId: string,
  ): Promise<Grants | undefined> {
    if (this.isOpen) return { username: '', publish: EVERYTHING, subscribe: EVERYTHING }
    if (username === undefined || username === '')
      return this.#anonymous === undefined ? undefined : grantsOf('', this.#anonymous, clientId)
    if (username.length + (password?.length ?? 0) > MAX_CREDENTIAL_CHARACTERS) return undefined
    const user = this.#users.get(username)
    if (!(await this.#knows(username, password ?? '', user))) return undefined
    if (user !== undefined) return grantsOf(username, user, clientId)
    // Known to the authenticator alone: without `users` it decides who may do everything.
    return this.#users.size === 0 ? { username, publish: EVERYTHING, subscribe: EVERYTHING } : undefined
  }

  async #knows(username: string, password: string, user: UserConfig | undefined): Promise<boolean> {
    if (user?.password !== undefined) return isSameSecret(password, user.password.reveal())
    if (this.#authenticator === undefined) {
      digestOf(password) // as long as for a name that there is
      return false
    }
    const basic = `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`
    const decision = await this.#authenticator.authenticate((name) => (name === 'authorization' ? basic : undefined))
    return !(decision instanceof AuthRefusal)
  }
}

function grantsOf(username: string, rights: Rights, clientId: string): Grants {
  const compile = (filters: readonly string[]): Filter[] =>
    filters.map((filter) => compileFilter(filter, username, clientId)).filter((filter) => filter !== undefined)
  return { username, publish: compile(rights.publish), subscribe: compile(rights.subscribe) }
}

export const mayPublish = ({ publish }: Grants, topic: string): boolean =>
  publish === EVERYTHING ? !topic.startsWith('$') : isWithin(topic, publish)

export const maySubscribe = ({ subscribe }: Grants, filter: string): boolean => isWithin(filter, subscribe)

function isWithin(asked: string, allowed: readonly Filter[]): boolean {
  const levels = asked.split('/')
  return allowed.some((filter) => covers(filter, levels))
}
