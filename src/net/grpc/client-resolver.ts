// The addresses behind a gRPC target: looked up at first use, and again when a connection is lost, not more often than
// RESOLVE_AT_MOST_EVERY_MS. A name that cannot be resolved is tried again.

import { Resolver as DnsServer, lookup } from 'node:dns/promises'
import { isIPv4 } from 'node:net'
import type { Clock, Timer } from '../../graph/clock.ts'
import type { Address } from './client-connection.ts'
import type { Target } from './client-target.ts'

/** The IP addresses of a host, best first. */
export type Lookup = (host: string) => Promise<readonly string[]>

export const RESOLVE_AT_MOST_EVERY_MS = 5_000

export interface ResolverListener {
  onAddresses(addresses: readonly Address[]): void
  onUnresolved(error: Error): void
}

export class TargetResolver {
  readonly #target: Target
  readonly #lookup: Lookup
  readonly #clock: Clock
  readonly #listener: ResolverListener
  #resolving = false
  #resolvedMs = Number.NEGATIVE_INFINITY
  #timer: Timer | undefined
  #stopped = false

  constructor(target: Target, lookup: Lookup | undefined, clock: Clock, listener: ResolverListener) {
    this.#target = target
    this.#lookup = lookup ?? (target.resolver === '' ? systemLookup : serverLookup(target.resolver))
    this.#clock = clock
    this.#listener = listener
  }

  start(): void {
    const { kind, host, port, path } = this.#target
    if (kind === 'unix') this.#listener.onAddresses([{ path }])
    else if (kind === 'passthrough') this.#listener.onAddresses([{ host, port }])
    else this.again()
  }

  /** Looks again, now or when it may. */
  again(): void {
    if (this.#target.kind !== 'dns' || this.#resolving || this.#stopped) return
    this.#resolving = true
    const dueMs = this.#resolvedMs + RESOLVE_AT_MOST_EVERY_MS - this.#clock.monotonic()
    if (dueMs > 0) this.#timer = this.#clock.after(dueMs, () => this.#resolve())
    else this.#resolve()
  }

  stop(): void {
    this.#stopped = true
    this.#timer?.cancel()
  }

  async #find(host: string): Promise<readonly string[]> {
    const found = await this.#lookup(host)
    if (found.length === 0) throw new Error('it has no addresses')
    return found
  }

  #resolve(): void {
    const { host, port } = this.#target
    this.#resolvedMs = this.#clock.monotonic()
    this.#find(host).then(
      (found) => {
        this.#resolving = false
        if (!this.#stopped) this.#listener.onAddresses(alternate(found).map((address) => ({ host: address, port })))
      },
      (error: Error) => {
        this.#resolving = false
        if (this.#stopped) return
        this.#listener.onUnresolved(new Error(`${host} cannot be resolved: ${error.message}`, { cause: error }))
        this.again()
      },
    )
  }
}

/** In the order of the system (RFC 6724). */
const systemLookup: Lookup = async (host) => (await lookup(host, { all: true })).map(({ address }) => address)

/** Asks one DNS server, `address` or `address:port`. */
function serverLookup(server: string): Lookup {
  const dns = new DnsServer()
  dns.setServers([server])
  return async (host) => {
    const [six, four] = await Promise.allSettled([dns.resolve6(host), dns.resolve4(host)])
    const found = [six, four].flatMap((one) => (one.status === 'fulfilled' ? one.value : []))
    if (found.length === 0 && four.status === 'rejected') throw four.reason
    return found
  }
}

/** One address of each family in turn (RFC 8305 4), beginning with the family of the first. */
export function alternate(addresses: readonly string[]): string[] {
  const first = addresses.filter((address) => isIPv4(address) === isIPv4(addresses[0]!))
  const other = addresses.filter((address) => !first.includes(address))
  const out: string[] = []
  for (let i = 0; i < Math.max(first.length, other.length); i++)
    out.push(...first.slice(i, i + 1), ...other.slice(i, i + 1))
  return out
}
