// The gRPC client on @grpc/grpc-js: what the lean client is compared with, and the way round it. It costs several times as
// much, packs with gzip only, and keeps the certificates that it began with.

import { isIP } from 'node:net'
import { checkServerIdentity, createSecureContext } from 'node:tls'
import type { ChannelCredentials, ChannelOptions, Client, Metadata, ServiceError } from '@grpc/grpc-js'
import { GRPC } from '../status.ts'
import type { ClientTlsOptions } from '../tls/load.ts'
import { MAX_RESPONSE_BYTES } from './client-call.ts'
import { configuredHeaders, type GrpcClient, type GrpcClientOptions } from './client-engine.ts'
import { GrpcError } from './client-status.ts'
import type { Target } from './client-target.ts'

type Library = typeof import('@grpc/grpc-js')

interface Opened {
  readonly grpc: Library
  readonly client: Client
}

/** grpc.default_compression_algorithm. */
const GZIP = 2
/** No timer reaches further; the deadline is only told to the server. */
const LARGEST_TIMEOUT_MS = 2 ** 31 - 1

export class GrpcJsClient implements GrpcClient {
  readonly #options: GrpcClientOptions
  #opening: Promise<Opened> | undefined
  #opened: Opened | undefined
  #closed = false
  readonly #running = new Set<() => void>()

  constructor(options: GrpcClientOptions) {
    const { compression } = options
    if (compression !== undefined && compression !== 'gzip')
      throw new Error(`compression: @grpc/grpc-js has no ${compression}; write gzip or none, or turn its gate off`)
    this.#options = options
  }

  get ready(): boolean {
    const opened = this.#opened
    if (opened === undefined || this.#closed) return false
    return opened.client.getChannel().getConnectivityState(false) === opened.grpc.connectivityState.READY
  }

  connect(): void {
    if (this.#closed) return
    // A call that follows hears why it cannot be loaded.
    this.#open().then(
      ({ client }) => void client.getChannel().getConnectivityState(true),
      () => {},
    )
  }

  async call(
    path: string,
    message: readonly Uint8Array[],
    byteLength: number,
    signal?: AbortSignal,
    headers?: ReadonlyMap<string, string>,
  ): Promise<Uint8Array> {
    if (signal?.aborted) throw aborted(signal)
    const opened = await this.#open()
    if (this.#closed) throw closed()
    if (signal?.aborted) throw aborted(signal)
    const body = Buffer.concat(message, byteLength)
    return this.#send(opened, path, body, signal, headers ?? this.headers())
  }

  headers(): Map<string, string> {
    return configuredHeaders(this.#options)
  }

  close(): void {
    this.#closed = true
    this.#options.onClose?.()
    for (const cancel of [...this.#running]) cancel()
    this.#opened?.client.close()
  }

  /** The library is loaded by those who ask for it alone. */
  #open(): Promise<Opened> {
    this.#opening ??= import('@grpc/grpc-js').then((grpc) => {
      const { target, tls } = this.#options
      const client = new grpc.Client(addressOf(target), credentialsOf(grpc, tls, target.host), this.#channelOptions())
      this.#opened = { grpc, client }
      if (this.#closed) client.close()
      return this.#opened
    })
    return this.#opening
  }

  #send(
    { grpc, client }: Opened,
    path: string,
    body: Buffer,
    signal: AbortSignal | undefined,
    headers: ReadonlyMap<string, string>,
  ): Promise<Uint8Array> {
    const metadata = new grpc.Metadata({ waitForReady: this.#options.waitForReady === true })
    for (const [name, value] of headers) add(metadata, name, value)
    const { timeoutMs = 0 } = this.#options
    const deadline = timeoutMs > 0 ? Date.now() + Math.min(LARGEST_TIMEOUT_MS, timeoutMs) : Number.POSITIVE_INFINITY
    return new Promise((resolve, reject) => {
      const done = (error: ServiceError | null, answer?: Buffer): void => {
        this.#running.delete(cancel)
        signal?.removeEventListener('abort', cancel)
        if (error === null) resolve(answer ?? new Uint8Array(0))
        else if (this.#closed) reject(closed())
        else if (signal?.aborted) reject(aborted(signal))
        else reject(toGrpcError(error))
      }
      const made = client.makeUnaryRequest(path, same, same, body, metadata, { deadline }, done)
      const cancel = (): void => made.cancel()
      this.#running.add(cancel)
      signal?.addEventListener('abort', cancel)
    })
  }

  #channelOptions(): ChannelOptions {
    const { target, tls, authority, userAgent, compression, keepalive, balancer = 'round_robin' } = this.#options
    return {
      'grpc.primary_user_agent': userAgent,
      'grpc.default_authority': authority ?? tls?.servername ?? target.authority,
      'grpc.max_receive_message_length': MAX_RESPONSE_BYTES,
      'grpc.service_config': JSON.stringify({ loadBalancingConfig: [{ [balancer]: {} }] }),
      'grpc.service_config_disable_resolution': 1,
      // Channels to one address must not share their connections: each is closed by its own owner.
      'grpc.use_local_subchannel_pool': 1,
      ...(tls === undefined ? {} : { 'grpc.ssl_target_name_override': sniOf(tls, target.host) }),
      ...(compression === 'gzip' ? { 'grpc.default_compression_algorithm': GZIP } : {}),
      ...(keepalive === undefined
        ? {}
        : {
            'grpc.keepalive_time_ms': keepalive.timeMs,
            'grpc.keepalive_timeout_ms': keepalive.timeoutMs,
            'grpc.keepalive_permit_without_calls': keepalive.permitWithoutStream ? 1 : 0,
          }),
    }
  }
}

const same = (bytes: Buffer): Buffer => bytes
const closed = (): GrpcError => new GrpcError(GRPC.CANCELLED, 'the client is closed')

function aborted({ reason }: AbortSignal): GrpcError {
  return new GrpcError(GRPC.CANCELLED, reason instanceof Error ? reason.message : 'cancelled', { cause: reason })
}

function addressOf({ kind, host, port, resolver, path }: Target): string {
  if (kind === 'unix') return `unix:${path}`
  const family = isIP(host)
  if (family !== 0) return family === 6 ? `ipv6:[${host}]:${port}` : `ipv4:${host}:${port}`
  return resolver === '' ? `dns:${host}:${port}` : `dns://${resolver}/${host}:${port}`
}

function credentialsOf({ credentials }: Library, tls: ClientTlsOptions | undefined, host: string): ChannelCredentials {
  if (tls === undefined) return credentials.createInsecure()
  const { rejectUnauthorized = true, servername = host, secureContext } = tls
  return credentials.createFromSecureContext(secureContext ?? createSecureContext(tls), {
    checkServerIdentity: (_, certificate) => checkServerIdentity(servername, certificate),
    rejectUnauthorized,
  })
}

/** What is asked for in the handshake. The library would name an IP address, which nobody may (RFC 6066 3). */
const sniOf = (tls: ClientTlsOptions, host: string): string => tls.servername ?? (isIP(host) === 0 ? host : 'localhost')

/** Headers that end in -bin are base64 here, and bytes there. */
function add(metadata: Metadata, name: string, value: string): void {
  metadata.set(name, name.endsWith('-bin') ? Buffer.from(value, 'base64') : value)
}

function toGrpcError(error: ServiceError): GrpcError {
  const [details] = error.metadata.get('grpc-status-details-bin')
  return new GrpcError(error.code, error.details, { details: Buffer.isBuffer(details) ? details : undefined })
}
