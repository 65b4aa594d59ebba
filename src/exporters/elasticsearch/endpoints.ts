// The servers, which take turns. One that cannot be reached is left out for a while, twice as long after each further
// failure; when all of them are left out, the one that comes back first is asked.

import type { Clock } from '../../graph/clock.ts'

/** The pauses of Elastic's own clients. */
const FIRST_PAUSE_MS = 60_000
const LONGEST_PAUSE_MS = 32 * 60_000

interface Endpoint {
  readonly url: URL
  failures: number
  /** On the monotonic clock. */
  backMs: number
}

export class Endpoints {
  readonly #clock: Pick<Clock, 'monotonic'>
  #endpoints: Endpoint[]
  #next = 0

  constructor(urls: readonly URL[], clock: Pick<Clock, 'monotonic'>) {
    this.#clock = clock
    this.#endpoints = urls.map(fresh)
  }

  get urls(): readonly URL[] {
    return this.#endpoints.map(({ url }) => url)
  }

  /** How many are not left out. */
  get alive(): number {
    const now = this.#clock.monotonic()
    return this.#endpoints.filter(({ backMs }) => backMs <= now).length
  }

  next(): URL {
    const now = this.#clock.monotonic()
    const count = this.#endpoints.length
    for (let i = 0; i < count; i++) {
      const endpoint = this.#endpoints[this.#next++ % count]!
      if (endpoint.backMs <= now) return endpoint.url
    }
    return this.#endpoints.reduce((first, other) => (other.backMs < first.backMs ? other : first)).url
  }

  failed(url: URL): void {
    const endpoint = this.#find(url)
    if (endpoint === undefined) return
    const pauseMs = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** endpoint.failures++)
    endpoint.backMs = this.#clock.monotonic() + pauseMs
  }

  answered(url: URL): void {
    const endpoint = this.#find(url)
    if (endpoint === undefined || endpoint.failures === 0) return
    endpoint.failures = 0
    endpoint.backMs = Number.NEGATIVE_INFINITY
  }

  /** Those that stay keep what is known of them. */
  replace(urls: readonly URL[]): void {
    if (urls.length > 0) this.#endpoints = urls.map((url) => this.#find(url) ?? fresh(url))
  }

  #find(url: URL): Endpoint | undefined {
    return this.#endpoints.find((endpoint) => endpoint.url.href === url.href)
  }
}

const fresh = (url: URL): Endpoint => ({ url, failures: 0, backMs: Number.NEGATIVE_INFINITY })
