// The keys of an HTTP client (Collector reference 4.2, 2.2), and the client that they describe.

import {
  bool,
  type Complain,
  choice,
  type Decoded,
  duration,
  group,
  ignored,
  int,
  map,
  object,
  secret,
  section,
  string,
} from '../../config/schema.ts'
import { clientAuth, middlewares } from '../auth/config.ts'
import type { Encoding } from '../compression.ts'
import { type TlsClientConfig, tlsClient } from '../tls/config.ts'
import { loadClientTls } from '../tls/load.ts'
import { type TlsSurroundings, watchClientTls } from '../tls/reload.ts'
import { userAgent } from '../user-agent.ts'
import { HttpClient } from './client.ts'

const COMPRESSIONS = {
  gzip: 'Understood by every server.',
  zstd: 'Smaller than gzip and cheaper, for servers that understand it.',
  zlib: 'The zlib format, named zlib.',
  deflate: 'The zlib format, named deflate.',
  snappy: 'One block of snappy: larger than gzip and no cheaper here.',
  'x-snappy-framed': 'The framed format of snappy.',
  lz4: 'Not supported.',
  none: 'As it is: the least CPU, the most network.',
  '': 'The same as `none`.',
} as const

/** Spread it into an exporter's `object({...})`, and call checkHttpClient in its check. */
export const httpClientFields = {
  compression: choice('compression', { default: 'gzip', of: COMPRESSIONS, doc: 'How requests are packed.' }),
  compressionParams: group(
    'compression_params',
    object({
      level: int('level', {
        optional: true,
        doc: 'gzip, zlib, deflate: -1 (6) or 0 to 9, 1 if not given; zstd: 1 to 22, 3 if not given.',
      }),
    }),
    { doc: 'How hard to pack.' },
  ),
  timeoutMs: duration('timeout', { default: '30s', min: '0s', doc: 'How long one try may take. 0: no limit.' }),
  tls: group('tls', tlsClient, { doc: 'TLS for https endpoints.' }),
  headers: map('headers', secret.of(), { default: {}, doc: 'Headers sent with every request; `Host` is honoured.' }),
  proxyUrl: string('proxy_url', {
    optional: true,
    doc: 'Proxy to go through; without it the environment (HTTP_PROXY, HTTPS_PROXY, NO_PROXY) decides.',
  }),
  cookies: section('cookies', object({}), { optional: 'none', doc: 'A cookie jar. Not available.' }),
  maxConnsPerHost: int('max_conns_per_host', {
    default: 0,
    min: 0,
    doc: 'Connections to one server at most. 0: no bound of its own.',
  }),
  idleConnTimeoutMs: duration('idle_conn_timeout', {
    default: '90s',
    min: '0s',
    doc: 'A connection without requests is closed after this.',
  }),
  disableKeepAlives: bool('disable_keep_alives', { default: false, doc: 'A new connection for every request.' }),
  forceAttemptHttp2: bool('force_attempt_http2', { default: true, doc: 'Offer HTTP/2 to https servers.' }),
  maxIdleConns: ignored('max_idle_conns', { doc: 'Read for compatibility: idle connections end by time.' }),
  maxIdleConnsPerHost: ignored('max_idle_conns_per_host', {
    doc: 'Read for compatibility: idle connections end by time.',
  }),
  readBufferSize: ignored('read_buffer_size', { doc: 'Read for compatibility: answers are small.' }),
  writeBufferSize: ignored('write_buffer_size', { doc: 'Read for compatibility: bodies are written as they are.' }),
  http2ReadIdleTimeout: ignored('http2_read_idle_timeout', { doc: 'Read for compatibility: requests have a timeout.' }),
  http2PingTimeout: ignored('http2_ping_timeout', { doc: 'Read for compatibility: requests have a timeout.' }),
  auth: clientAuth,
  middlewares,
}

export type HttpClientConfig = Decoded<typeof httpClientFields>

/** What packs a body: undefined for one that travels as it is. */
export interface Packing {
  readonly encoding: Encoding
  readonly level: number | undefined
}

/** The Collector packs at zlib's 6; level 1 makes telemetry a sixth larger for half of the CPU (bench: packing/). */
const GZIP_LEVEL = 1

export function packingOf(client: HttpClientConfig): Packing | undefined {
  const { compression } = client
  if (compression === 'none' || compression === '' || compression === 'lz4') return undefined
  const zlib = compression === 'gzip' || compression === 'zlib' || compression === 'deflate'
  return { encoding: compression, level: client.compressionParams.level ?? (zlib ? GZIP_LEVEL : undefined) }
}

export function checkHttpClient(client: HttpClientConfig, problem: Complain): void {
  if (client.cookies !== undefined) problem('cookies', 'a cookie jar is not available', 'remove it')
  if (client.compression === 'lz4')
    problem('compression', 'lz4 is not supported', 'write gzip, zstd, zlib, deflate, snappy, x-snappy-framed or none')
  checkLevel(client, problem)
  if (client.proxyUrl !== undefined && client.proxyUrl !== '' && !isHttpUrl(client.proxyUrl))
    problem('proxy_url', `"${client.proxyUrl}" is not the URL of a proxy`, 'write http://host:port')
  for (const [name, value] of client.headers) {
    if (!/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(name))
      problem('headers', `"${name}" is not the name of a header`, 'use letters, digits and `-`')
    // RFC 9110 5.5: a line break would end the header.
    if (/[^\t\x20-\x7e\x80-\xff]/.test(value.reveal()))
      problem('headers', `the value of "${name}" cannot stand in a header`, 'write it on one line, in ASCII')
  }
}

function checkLevel({ compression, compressionParams: { level } }: HttpClientConfig, problem: Complain): void {
  if (level === undefined) return
  const range = compression === 'zstd' ? [1, 22] : ['gzip', 'zlib', 'deflate'].includes(compression) ? [-1, 9] : [0, 0]
  if (level < range[0]! || level > range[1]!)
    problem(
      'compression_params.level',
      `${level} is not a level of ${compression === '' ? 'none' : compression}`,
      range[1] === 0 ? 'remove it' : `write ${range[0]} to ${range[1]}`,
    )
}

export function isHttpUrl(text: string): boolean {
  const url = URL.canParse(text) ? new URL(text) : undefined
  return url !== undefined && (url.protocol === 'http:' || url.protocol === 'https:') && url.hostname !== ''
}

/**
 * Reads certificates where it is to be `secure`; opens nothing. Throws an Error that names the key and the file when one
 * cannot be read or used.
 */
export function makeHttpClient(
  client: HttpClientConfig,
  secure: boolean,
  around: TlsSurroundings & { readonly build: { readonly description: string; readonly version: string } },
): HttpClient {
  const headers = new Map([['user-agent', userAgent(around.build)]])
  for (const [name, value] of client.headers) headers.set(name.toLowerCase(), value.reveal())
  const made = new HttpClient({
    tls: secure ? loadClientTls(client.tls, true) : undefined,
    headers,
    proxyUrl: client.proxyUrl === '' ? undefined : client.proxyUrl,
    maxConnections: client.maxConnsPerHost,
    idleTimeoutMs: client.idleConnTimeoutMs,
    keepAlive: !client.disableKeepAlives,
    http2: client.forceAttemptHttp2,
  })
  if (secure) watchHttpClientTls(made, client.tls, around)
  return made
}

/** Certificates that change go into the client's new connections, until it closes. */
export function watchHttpClientTls(client: HttpClient, tls: TlsClientConfig, around: TlsSurroundings): void {
  const watch = watchClientTls(tls, (options) => client.useTls(options), around)
  client.closesWith(() => watch.stop())
}
