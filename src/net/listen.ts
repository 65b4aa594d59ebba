// Endpoints as a Collector file writes them, and listening on one.
//
//   localhost:4317   0.0.0.0:4317   :4317 (every address)   [::1]:4317   /run/millrace.sock (transport: unix)

import { unlink } from 'node:fs/promises'
import { connect, createServer, type ListenOptions, type Server } from 'node:net'
import { choice, string } from '../config/schema.ts'
import type { Logger } from '../self/log.ts'

export const transportField = choice('transport', {
  default: 'tcp',
  of: {
    tcp: 'TCP, both families.',
    tcp4: 'TCP over IPv4.',
    tcp6: 'TCP over IPv6.',
    unix: 'A Unix socket; `endpoint` is its path.',
    npipe: 'A Windows named pipe; `endpoint` is its path.',
  },
  doc: 'What the endpoint is an address of.',
})
export type Transport = 'tcp' | 'tcp4' | 'tcp6' | 'unix' | 'npipe'

/** A server's `endpoint` key; the default differs by component. */
export const endpointField = (standard: string) =>
  string('endpoint', {
    default: standard,
    doc: 'Address to listen on, as host:port; an empty host means every address.',
  })

export interface Address {
  /** Empty for every address. */
  readonly host: string
  readonly port: number
}

/** Undefined when `endpoint` is not host:port. */
export function findAddress(endpoint: string): Address | undefined {
  const match = /^(?:\[([^\]]*)\]|([^:[\]]*)):(\d{1,5})$/.exec(endpoint)
  if (match === null) return undefined
  const port = Number(match[3])
  return port > 65535 ? undefined : { host: match[1] ?? match[2] ?? '', port }
}

/** What is wrong with an endpoint, for a schema's check; undefined when nothing is. */
export function endpointProblem(endpoint: string, transport: Transport): { what: string; fix: string } | undefined {
  if (transport === 'unix' || transport === 'npipe') {
    if (endpoint !== '') return undefined
    return { what: 'the path of the socket is empty', fix: 'write a path, for example /run/millrace.sock' }
  }
  if (findAddress(endpoint) !== undefined) return undefined
  return { what: `"${endpoint}" is not host:port`, fix: 'write host:port, for example localhost:4317 or 0.0.0.0:4317' }
}

const isLoopback = (host: string): boolean => host === 'localhost' || host === '::1' || /^127\./.test(host)

export interface Listening {
  /** The address in use: with port 0 in the configuration, the port that the system gave. */
  readonly host: string
  readonly port: number
  /** Another shard listens for this one; there is no address then. */
  readonly elsewhere?: boolean
}

export interface ListenSettings {
  readonly endpoint: string
  readonly transport: Transport
  /** Speaks TLS. */
  readonly secure: boolean
  /** Lets in only those whom an authenticator knows, or whose certificate an authority of ours signed. */
  readonly authenticated?: boolean
  /** The router's shards, when there are several: see PortSharing. */
  readonly sharing?: PortSharing
}

/** How the shards of one router come to listen on one address. */
export interface PortSharing {
  /** Of this shard, from 0. */
  readonly index: number
  readonly count: number
  /**
   * All of them listen, and the kernel spreads connections among them (SO_REUSEPORT). Otherwise shard 0 listens for all,
   * and so it does on sockets that are no TCP ports and on port 0, which each would take for another one.
   */
  readonly sharePorts: boolean
  /** No other shard listens yet. */
  readonly alone: boolean
}

type Listens = 'alone' | 'shared' | 'elsewhere'

function howToListen({
  transport,
  endpoint,
  sharing,
}: Pick<ListenSettings, 'transport' | 'endpoint' | 'sharing'>): Listens {
  if (sharing === undefined || sharing.count === 1) return 'alone'
  const isPort = transport !== 'unix' && transport !== 'npipe' && findAddress(endpoint)?.port !== 0
  if (sharing.sharePorts && isPort) return 'shared'
  return sharing.index === 0 ? 'alone' : 'elsewhere'
}

/** How many shards listen on the address. */
export const listenersOf = (settings: Pick<ListenSettings, 'transport' | 'endpoint' | 'sharing'>): number =>
  howToListen(settings) === 'shared' ? settings.sharing!.count : 1

/** Whether this system lets several threads listen on one port. */
export async function canSharePorts(): Promise<boolean> {
  const probe = createServer()
  try {
    await open(probe, { host: '127.0.0.1', port: 0, reusePort: true })
    return true
  } catch {
    return false
  } finally {
    probe.close()
  }
}

/** What a listener that other machines can reach lacks, in words for the log; undefined when it lacks nothing. */
export function listenWarning(settings: ListenSettings): string | undefined {
  const { endpoint, transport, secure, authenticated = false } = settings
  if (transport === 'unix' || transport === 'npipe' || (secure && authenticated)) return undefined
  const address = findAddress(endpoint)
  if (address === undefined || isLoopback(address.host)) return undefined
  const lacks = secure
    ? 'without an authenticator: add auth or client_ca_file, or use localhost'
    : authenticated
      ? 'without TLS, so that credentials can be read on the way: add a tls section, or use localhost'
      : 'without TLS and without an authenticator: use localhost, a specific address, or add tls and auth sections'
  return `listening on an address that other machines can reach, ${lacks}`
}

/** Opens the socket. Warns once where others on the network can send or listen in. Rejects with the system's error. */
export async function listen(server: Server, settings: ListenSettings, log: Logger): Promise<Listening> {
  const how = howToListen(settings)
  if (how === 'elsewhere') return { host: '', port: 0, elsewhere: true }
  const options = listenOptions(settings)
  if (how === 'shared') {
    if (settings.sharing!.alone) await refuseStrangers(options)
    options.reusePort = true
  }
  if (options.path !== undefined && settings.transport === 'unix') await removeStaleSocket(options.path)
  await open(server, options)
  const { sharing } = settings
  if (how === 'alone' && sharing?.sharePorts && sharing.count > 1)
    log.info('Only shard 0 listens here, for all of them.', { endpoint: settings.endpoint })
  const warning = listenWarning(settings)
  // The others would only say it again.
  if (warning !== undefined && (sharing?.index ?? 0) === 0) log.warn(warning, { endpoint: settings.endpoint })
  const bound = server.address()
  if (bound === null || typeof bound === 'string') return { host: options.path ?? '', port: 0 }
  return { host: bound.address, port: bound.port }
}

function listenOptions(settings: ListenSettings): ListenOptions {
  if (settings.transport === 'unix' || settings.transport === 'npipe') return { path: settings.endpoint }
  const address = findAddress(settings.endpoint)
  if (address === undefined) throw new Error(`endpoint "${settings.endpoint}" is not host:port`)
  const options: ListenOptions = { port: address.port, backlog: 1024 }
  // Go listens on the IPv4 address of localhost where it has one; Node takes whichever the resolver names first.
  const host = address.host === 'localhost' ? (settings.transport === 'tcp6' ? '::1' : '127.0.0.1') : address.host
  if (host !== '') options.host = host
  else if (settings.transport === 'tcp4') options.host = '0.0.0.0'
  else if (settings.transport === 'tcp6') options.host = '::'
  if (settings.transport === 'tcp6') options.ipv6Only = true
  return options
}

const open = (server: Server, options: ListenOptions): Promise<void> =>
  new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(options, () => {
      server.removeListener('error', reject)
      resolve()
    })
  })

/** A port that is shared can be had although another router of the same user shares it already: ask for it alone first. */
async function refuseStrangers(options: ListenOptions): Promise<void> {
  const probe = createServer()
  await open(probe, options)
  await new Promise((resolve) => probe.close(resolve))
}

/** A process that was killed leaves its socket's file behind; one that nobody answers is removed. */
async function removeStaleSocket(path: string): Promise<void> {
  const stale = await new Promise<boolean>((resolve) => {
    const probe = connect(path)
    probe.once('connect', () => {
      probe.destroy()
      resolve(false)
    })
    probe.once('error', (error: NodeJS.ErrnoException) => resolve(error.code === 'ECONNREFUSED'))
  })
  if (stale) await unlink(path)
}
