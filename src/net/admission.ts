// Who may open a connection: so many from one address, and so many new ones in a time.
//
//   addresses with a connection     at most as many as the door has connections
//   addresses that have left        a bounded memory, first out first forgotten, of those whose rate is used up in part
//
// An IPv6 client owns a whole /64, so that is its address. Unix sockets have no address and are not counted. Loopback
// is not either: everything on this machine, a reverse proxy in front above all, would be one client; what may connect
// there is decided on this machine. The bound over the whole door holds for everybody.

import { isIPv6, type Server, type Socket } from 'node:net'
import type { Limits } from './limits.ts'
import { TokenBucket } from './token-bucket.ts'

export type AdmissionRefusal = 'too_many_connections' | 'connection_rate' | 'timeout'

export interface AdmissionOptions {
  readonly limits: Limits
  /** Loopback addresses are counted like any other: for tests. */
  readonly countLoopback?: boolean
  onRefused(reason: AdmissionRefusal, detail: string): void
}

interface Visitor {
  connections: number
  readonly rate: TokenBucket
}

export class Admission {
  readonly #options: AdmissionOptions
  readonly #present = new Map<string, Visitor>()
  readonly #gone = new Map<string, Visitor>()

  constructor(options: AdmissionOptions) {
    this.#options = options
  }

  /** Addresses that are remembered. */
  get size(): number {
    return this.#present.size + this.#gone.size
  }

  /** True when a connection may stay; `leave` is then due when it ends. Counts what it refuses. */
  enter(address: string | undefined, now: number): boolean {
    const key = this.#keyOf(address)
    if (key === undefined) return true
    const { limits, onRefused } = this.#options
    let visitor = this.#present.get(key)
    if (visitor === undefined) {
      visitor = this.#gone.get(key) ?? {
        connections: 0,
        rate: new TokenBucket(limits.newConnectionsBurst, limits.newConnectionsPerSecond, now),
      }
    } else if (visitor.connections >= limits.connectionsPerAddress) {
      onRefused('too_many_connections', `${key} has ${visitor.connections} connections`)
      return false
    }
    if (!visitor.rate.tryTake(now)) {
      onRefused('connection_rate', `${key} opens more than ${limits.newConnectionsPerSecond} connections a second`)
      return false
    }
    if (visitor.connections === 0) {
      this.#gone.delete(key)
      this.#present.set(key, visitor)
    }
    visitor.connections++
    return true
  }

  leave(address: string | undefined, now: number): void {
    const key = this.#keyOf(address)
    if (key === undefined) return
    const visitor = this.#present.get(key)
    if (visitor === undefined) throw new Error('invariant: an address leaves that did not enter')
    visitor.connections--
    if (visitor.connections > 0) return
    this.#present.delete(key)
    if (visitor.rate.isFull(now)) return
    this.#gone.set(key, visitor)
    if (this.#gone.size <= this.#options.limits.rememberedAddresses) return
    for (const first of this.#gone.keys()) {
      this.#gone.delete(first)
      return
    }
  }

  #keyOf(address: string | undefined): string | undefined {
    if (address === undefined) return undefined
    const key = clientOf(address)
    return this.#options.countLoopback !== true && isLoopbackAddress(key) ? undefined : key
  }
}

/** What counts as one client: an IPv4 address, also one in IPv6's clothes, or the first 64 bits of an IPv6 address. */
export function clientOf(address: string): string {
  if (address.startsWith('::ffff:') && address.includes('.')) return address.slice(7)
  if (!isIPv6(address) || address === '::1') return address
  const [plain] = address.split('%', 1)
  const [head = '', tail] = plain!.split('::', 2)
  const groups = head === '' ? [] : head.split(':')
  if (tail !== undefined) {
    const after = tail === '' ? [] : tail.split(':')
    while (groups.length + after.length < 8) groups.push('0')
    groups.push(...after)
  }
  return `${groups.slice(0, 4).join(':')}::/64`
}

const isLoopbackAddress = (address: string): boolean => address.startsWith('127.') || address === '::1'

/**
 * Puts the admission ahead of everything that `server` does with a new connection, TLS included, and closes
 * connections that never say anything. `server.maxConnections` is set here. Returns what stops the watch.
 */
export function guardConnections(server: Server, options: AdmissionOptions): { stop(): void } {
  const { limits, onRefused } = options
  const admission = new Admission(options)
  const silent = new Map<Socket, number>()
  server.maxConnections = limits.maxConnections
  server.on('drop', () => onRefused('too_many_connections', `the door has ${limits.maxConnections} connections`))
  const inside = server.listeners('connection') as ((this: Server, socket: Socket) => void)[]
  server.removeAllListeners('connection')
  server.on('connection', (socket: Socket) => {
    const now = performance.now()
    const address = socket.remoteAddress
    if (!admission.enter(address, now)) {
      socket.on('error', () => {})
      socket.destroy()
      return
    }
    silent.set(socket, now)
    socket.once('close', () => {
      silent.delete(socket)
      admission.leave(address, performance.now())
    })
    for (const listener of inside) listener.call(server, socket)
  })
  const sweep = (): void => {
    const now = performance.now()
    for (const [socket, since] of silent) {
      if (socket.bytesRead > 0) silent.delete(socket)
      // In the order of arrival: those behind it are younger.
      else if (now - since <= limits.firstByteMs) break
      else {
        silent.delete(socket)
        onRefused('timeout', 'the connection never said anything')
        socket.destroy()
      }
    }
  }
  const timer = setInterval(sweep, sweepEveryMs(limits.firstByteMs)).unref()
  return { stop: () => clearInterval(timer) }
}

/** Often enough that a time is kept within a quarter. */
export const sweepEveryMs = (shortestMs: number, mostMs = 5000): number =>
  Math.min(mostMs, Math.max(20, shortestMs / 4))
