// Where the endpoints come from: a fixed list, or all the addresses that a name has, asked again and again.
//
// A resolver says the whole list each time it changes. A question that fails, or finds nothing, leaves the last list in
// force and is counted. At most one question is open: while the system's resolver hangs, the next ones fail in its place.

import { lookup } from 'node:dns/promises'
import { isIPv6 } from 'node:net'
import type { Clock, Timer } from '../../graph/clock.ts'
import type { Logger } from '../../self/log.ts'
import type { Meter } from '../../self/meter.ts'
import type { DnsConfig, StaticConfig } from './config.ts'

export interface Resolver {
  /**
   * Calls `use` with the sorted endpoints, at first and whenever they change; where `use` throws, the same list is tried
   * again with the next answer. Resolves after the first question.
   */
  start(use: (endpoints: readonly string[]) => void): Promise<void> | void
  stop(): void
}

/** Every address of a name; rejects when there is none. */
export type Lookup = (hostname: string) => Promise<readonly string[]>

export const systemLookup: Lookup = async (hostname) =>
  (await lookup(hostname, { all: true })).map(({ address }) => address)

/** What a resolver counts; names and words are the Collector's. */
export class ResolverMetrics {
  readonly #succeeded
  readonly #failed
  readonly #backends
  readonly #updates

  constructor(meter: Meter, resolver: 'static' | 'dns') {
    const resolutions = (success: boolean) =>
      meter.counter(
        'loadbalancer_num_resolutions',
        '{resolutions}',
        'Number of times the resolver has triggered new resolutions.',
        { labels: { resolver, success: String(success) }, onceUsed: !success },
      )
    const labels = { resolver }
    this.#succeeded = resolutions(true)
    this.#failed = resolutions(false)
    this.#backends = meter.gauge('loadbalancer_num_backends', '{backends}', 'Current number of backends in use.', {
      labels,
      merge: 'max',
    })
    this.#updates = meter.counter(
      'loadbalancer_num_backend_updates',
      '{updates}',
      'Number of times the list of backends was updated.',
      { labels },
    )
  }

  resolved(success: boolean): void {
    ;(success ? this.#succeeded : this.#failed).add(1)
  }

  updated(backends: number): void {
    this.#backends.set(backends)
    this.#updates.add(1)
  }
}

export class StaticResolver implements Resolver {
  readonly #hostnames: readonly string[]
  readonly #metrics: ResolverMetrics

  constructor({ hostnames }: StaticConfig, meter: Meter) {
    this.#hostnames = [...new Set(hostnames)].sort()
    this.#metrics = new ResolverMetrics(meter, 'static')
  }

  start(use: (endpoints: readonly string[]) => void): void {
    this.#metrics.resolved(true)
    this.#metrics.updated(this.#hostnames.length)
    use(this.#hostnames)
  }

  stop(): void {}
}

export interface DnsSurroundings {
  readonly clock: Clock
  readonly log: Logger
  readonly meter: Meter
}

export class DnsResolver implements Resolver {
  readonly #config: DnsConfig
  readonly #clock: Clock
  readonly #log: Logger
  readonly #metrics: ResolverMetrics
  readonly #lookup: Lookup
  #use: (endpoints: readonly string[]) => void = () => {}
  #endpoints: readonly string[] = []
  #asking = false
  #failing = false
  #timer: Timer | undefined
  #giveUp: () => void = () => {}
  #stopped = false

  constructor(config: DnsConfig, { clock, log, meter }: DnsSurroundings, ask: Lookup = systemLookup) {
    this.#config = config
    this.#clock = clock
    this.#log = log
    this.#metrics = new ResolverMetrics(meter, 'dns')
    this.#lookup = ask
  }

  async start(use: (endpoints: readonly string[]) => void): Promise<void> {
    this.#use = use
    this.#schedule()
    await this.#resolve()
  }

  stop(): void {
    this.#stopped = true
    this.#timer?.cancel()
    this.#giveUp()
  }

  #schedule(): void {
    this.#timer = this.#clock.after(this.#config.intervalMs, () => {
      this.#schedule()
      void this.#resolve()
    })
  }

  async #resolve(): Promise<void> {
    const { hostname, timeoutMs } = this.#config
    try {
      if (this.#asking) throw new Error('the question before this one has no answer yet')
      const addresses = await this.#ask(hostname, timeoutMs)
      if (addresses.length === 0) throw new Error('it has no address')
      if (!this.#stopped) this.#take(addresses)
    } catch (error) {
      if (!this.#stopped) this.#fail(error instanceof Error ? error : new Error(String(error)))
    }
  }

  #ask(hostname: string, timeoutMs: number): Promise<readonly string[]> {
    this.#asking = true
    return new Promise((resolve, reject) => {
      const timeout = this.#clock.after(timeoutMs, () => reject(new Error(`no answer within ${timeoutMs} ms`)))
      this.#giveUp = () => {
        timeout.cancel()
        reject(new Error('the resolver is stopped'))
      }
      const end = (): void => {
        this.#asking = false
        timeout.cancel()
      }
      this.#lookup(hostname).then(
        (addresses) => {
          end()
          resolve(addresses)
        },
        (error) => {
          end()
          reject(error)
        },
      )
    })
  }

  #take(addresses: readonly string[]): void {
    const endpoints = [...new Set(addresses.map((address) => withPort(address, this.#config.port)))].sort()
    const changed =
      endpoints.length !== this.#endpoints.length || endpoints.some((one, i) => one !== this.#endpoints[i])
    if (changed) this.#use(endpoints)
    this.#metrics.resolved(true)
    if (this.#failing) this.#log.info('The endpoints are resolved again', { hostname: this.#config.hostname })
    this.#failing = false
    if (!changed) return
    this.#endpoints = endpoints
    this.#metrics.updated(endpoints.length)
  }

  // The first of a row of failures is a warning; the counter has the others.
  #fail(error: Error): void {
    this.#metrics.resolved(false)
    const fields = { hostname: this.#config.hostname, error: error.message, endpoints: this.#endpoints.length }
    if (this.#failing) this.#log.debug('The endpoints cannot be resolved or used; the last ones stay in use', fields)
    else this.#log.warn('The endpoints cannot be resolved or used; the last ones stay in use', fields)
    this.#failing = true
  }
}

function withPort(address: string, port: string): string {
  const host = isIPv6(address) ? `[${address}]` : address
  return port === '' ? host : `${host}:${port}`
}
