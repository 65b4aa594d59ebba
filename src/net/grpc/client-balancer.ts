// Which of a target's addresses a call goes to.
//
//   round_robin  a connection to each address; calls take turns
//   pick_first   one connection, to the first address that answers (grpc/proposal A61): the next one is tried when an
//                attempt fails, and beside it when it takes longer than HAPPY_EYEBALLS_MS (RFC 8305 5)

import type { Clock, Timer } from '../../graph/clock.ts'
import type { ClientSession } from '../http2/client-session.ts'
import { type Address, addressKey, Connection, type ConnectionSettings } from './client-connection.ts'

export const BALANCERS = ['round_robin', 'pick_first'] as const
export type BalancerName = (typeof BALANCERS)[number]

export interface BalancerListener {
  /** Calls may be started, more than before. */
  onReady(): void
  /** An address cannot be reached, or was lost. */
  onLost(): void
}

export interface Balancer {
  /** Whether a connection stands. */
  readonly ready: boolean
  /** Why there is neither a connection nor one that is being made; undefined where there is, or no address yet. */
  readonly error: Error | undefined
  /** The session that takes a call now. */
  pick(): ClientSession | undefined
  /** The addresses of the target; connections to those that are no longer among them finish their calls. */
  use(addresses: readonly Address[]): void
  /** Calls that run go on until `now`. */
  close(now: boolean): void
}

export function createBalancer(name: BalancerName, settings: ConnectionSettings, listener: BalancerListener): Balancer {
  return name === 'pick_first' ? new PickFirst(settings, listener) : new RoundRobin(settings, listener)
}

/** The last address's reason, once each of them has one. */
function commonError(connections: readonly Connection[]): Error | undefined {
  let error: Error | undefined
  for (const connection of connections) {
    if (connection.error === undefined) return undefined
    error = connection.error
  }
  return error
}

/** Takes the connections to other addresses out of the list, and puts new ones in; in the order of the addresses. */
function replace(
  connections: readonly Connection[],
  addresses: readonly Address[],
  make: (address: Address) => Connection,
): Connection[] {
  const known = new Map(connections.map((connection) => [addressKey(connection.address), connection]))
  const wanted = new Map(addresses.map((address) => [addressKey(address), address]))
  const kept = Array.from(wanted, ([key, address]) => known.get(key) ?? make(address))
  for (const [key, connection] of known) if (!wanted.has(key)) connection.close(false)
  return kept
}

class RoundRobin implements Balancer {
  readonly #make: (address: Address) => Connection
  #connections: Connection[] = []
  #turn = 0

  constructor(settings: ConnectionSettings, listener: BalancerListener) {
    this.#make = (address) => new Connection(address, settings, listener)
  }

  get ready(): boolean {
    return this.#connections.some((connection) => connection.ready)
  }

  get error(): Error | undefined {
    return commonError(this.#connections)
  }

  pick(): ClientSession | undefined {
    const { length } = this.#connections
    for (let step = 0; step < length; step++) {
      const at = (this.#turn + step) % length
      const session = this.#connections[at]!.free
      if (session === undefined) continue
      this.#turn = (at + 1) % length
      return session
    }
    return undefined
  }

  use(addresses: readonly Address[]): void {
    this.#connections = replace(this.#connections, addresses, this.#make)
    for (const connection of this.#connections) connection.connect()
  }

  close(now: boolean): void {
    for (const connection of this.#connections) connection.close(now)
  }
}

export const HAPPY_EYEBALLS_MS = 250

class PickFirst implements Balancer {
  readonly #make: (address: Address) => Connection
  readonly #listener: BalancerListener
  readonly #clock: Clock
  #connections: Connection[] = []
  #chosen: Connection | undefined
  /** The address that is tried next, while one is looked for. */
  #next = 0
  #timer: Timer | undefined

  constructor(settings: ConnectionSettings, listener: BalancerListener) {
    this.#listener = listener
    this.#clock = settings.clock
    this.#make = (address) => {
      const connection: Connection = new Connection(address, settings, {
        onReady: () => this.#ready(connection),
        onLost: () => this.#lost(connection),
      })
      return connection
    }
  }

  get ready(): boolean {
    return this.#chosen !== undefined
  }

  get error(): Error | undefined {
    return commonError(this.#connections)
  }

  pick(): ClientSession | undefined {
    return this.#chosen?.free
  }

  use(addresses: readonly Address[]): void {
    this.#connections = replace(this.#connections, addresses, this.#make)
    if (this.#chosen !== undefined && this.#connections.includes(this.#chosen)) return
    this.#chosen = undefined
    this.#look()
  }

  close(now: boolean): void {
    this.#timer?.cancel()
    for (const connection of this.#connections) connection.close(now)
  }

  /** From the first address on. */
  #look(): void {
    this.#next = 0
    this.#tryNext()
  }

  #tryNext(): void {
    this.#timer?.cancel()
    let connection: Connection | undefined
    // One that backs off comes by itself when its time is over.
    do connection = this.#connections[this.#next++]
    while (connection?.connect() === false)
    if (connection !== undefined) this.#timer = this.#clock.after(HAPPY_EYEBALLS_MS, () => this.#tryNext())
  }

  #ready(connection: Connection): void {
    if (this.#chosen === undefined) {
      this.#timer?.cancel()
      this.#chosen = connection
      for (const other of this.#connections) if (other !== connection) other.rest()
    }
    if (this.#chosen === connection) this.#listener.onReady()
  }

  #lost(connection: Connection): void {
    if (connection === this.#chosen) {
      this.#chosen = undefined
      connection.rest()
      this.#look()
    } else if (this.#chosen === undefined && this.#connections[this.#next - 1] === connection) this.#tryNext()
    this.#listener.onLost()
  }
}
