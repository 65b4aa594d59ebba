// The keys of a gRPC client (Collector reference 4.1, 2.2), and the client that they describe.

import {
  bool,
  type Complain,
  choice,
  type Decoded,
  duration,
  group,
  ignored,
  map,
  object,
  secret,
  section,
  string,
} from '../../config/schema.ts'
import { clientAuth, middlewares } from '../auth/config.ts'
import { tlsClient } from '../tls/config.ts'
import { loadClientTls } from '../tls/load.ts'
import { type TlsSurroundings, watchClientTls } from '../tls/reload.ts'
import { userAgent } from '../user-agent.ts'
import { createGrpcClient } from './client.ts'
import type { GrpcClient, GrpcClientOptions } from './client-engine.ts'
import { parseTarget, type Target } from './client-target.ts'

const keepalive = object({
  timeMs: duration('time', {
    default: '10s',
    min: '0s',
    doc: 'Time after which a ping is sent on a connection. Less than 10s counts as 10s, as gRPC wants it.',
  }),
  timeoutMs: duration('timeout', {
    default: '10s',
    min: '0s',
    doc: 'How long to wait for the answer to a ping before the connection is given up.',
  }),
  permitWithoutStream: bool('permit_without_stream', {
    default: false,
    doc: 'Ping also while nothing is being sent.',
  }),
})

/** grpc/grpc, doc/keepalive.md: a client does not ping more often. */
const MIN_KEEPALIVE_MS = 10_000

/** Words for what requests are packed with. */
export const COMPRESSIONS = {
  gzip: 'Understood by every server.',
  zstd: 'Smaller than gzip and cheaper, for servers that understand it.',
  snappy: 'Larger than gzip and no cheaper here; for servers that ask for it.',
  none: 'As it is: the least CPU, the most network.',
  '': 'The same as `none`.',
} as const

/** Spread it into an exporter's `object({...})`, and call checkGrpcClient in its check. */
export const grpcClientFields = {
  endpoint: string('endpoint', {
    required: true,
    doc: 'Where to send: `host:port`, `https://host:port` (always with TLS), `dns:///host:port`, `dns://dns-server/host:port`, `passthrough:///host:port` or `unix:///path`.',
  }),
  compression: choice('compression', { default: 'gzip', of: COMPRESSIONS, doc: 'How requests are packed.' }),
  tls: group('tls', tlsClient, { doc: 'TLS is on by default; `insecure: true` turns it off.' }),
  headers: map('headers', secret.of(), { default: {}, doc: 'Headers (gRPC metadata) sent with every request.' }),
  userAgent: string('user_agent', { optional: true, doc: 'Sent instead of our own name and version.' }),
  balancerName: choice('balancer_name', {
    default: 'round_robin',
    of: {
      round_robin: 'A connection to each address that the endpoint has; requests take turns.',
      pick_first: 'One connection, to the first address that answers.',
    },
    doc: 'How requests are spread over the addresses of the endpoint.',
  }),
  authority: string('authority', { optional: true, doc: 'Sent as `:authority` instead of the endpoint.' }),
  waitForReady: bool('wait_for_ready', {
    default: false,
    doc: 'Let requests wait for a connection until their timeout instead of failing at once.',
  }),
  keepalive: section('keepalive', keepalive, {
    optional: 'none',
    doc: 'Pings that notice a connection which is dead.',
  }),
  readBufferSize: ignored('read_buffer_size', { doc: 'Read for compatibility: answers are small.' }),
  writeBufferSize: ignored('write_buffer_size', {
    doc: 'Read for compatibility: what is sent is never copied into a buffer.',
  }),
  auth: clientAuth,
  middlewares,
}

export type GrpcClientConfig = Decoded<typeof grpcClientFields>

export function checkGrpcClient(client: GrpcClientConfig, problem: Complain): void {
  if (client.endpoint === '') {
    problem('endpoint', 'is empty', 'write host:port, for example localhost:4317')
    return
  }
  try {
    parseTarget(client.endpoint)
  } catch (error) {
    problem('endpoint', (error as Error).message, 'write host:port, for example localhost:4317')
  }
  for (const [name, value] of client.headers) {
    if (!/^[0-9a-zA-Z_.-]+$/.test(name) || name.toLowerCase().startsWith('grpc-'))
      problem('headers', `"${name}" cannot be a gRPC header`, 'use letters, digits, `_`, `-`, `.`; `grpc-` is reserved')
    // grpc/grpc, doc/PROTOCOL-HTTP2.md, "Custom-Metadata".
    else if (!isBinary(name) && /[^\x20-\x7e]/.test(value.reveal()))
      problem('headers', `the value of "${name}" cannot stand in a gRPC header`, 'write it on one line, in ASCII')
  }
}

const isBinary = (name: string): boolean => name.toLowerCase().endsWith('-bin')

/** Headers that end in -bin travel as base64. */
const headerText = (name: string, value: string): string =>
  isBinary(name) ? Buffer.from(value).toString('base64').replace(/=+$/, '') : value

export interface GrpcClientSurroundings extends TlsSurroundings {
  readonly build: { readonly description: string; readonly version: string }
  readonly random: () => number
  /** Feature gates that are on. */
  readonly gates: ReadonlySet<string>
}

/** Where the client of this configuration connects to. */
export const targetOf = (client: GrpcClientConfig): Target => parseTarget(client.endpoint)

/**
 * Reads certificates; opens nothing. Throws an Error that names the key and the file when one cannot be read, or what the
 * engine of the gates cannot do.
 */
export function makeGrpcClient(
  client: GrpcClientConfig,
  timeoutMs: number,
  around: GrpcClientSurroundings,
): GrpcClient {
  const { build, clock, random, gates } = around
  const target = targetOf(client)
  const tls = loadClientTls(client.tls, target.forcesTls)
  // Every connection takes the options as they are when it begins.
  const watch = tls && watchClientTls(client.tls, (fresh) => Object.assign(tls, fresh), around)
  const { compression } = client
  const options: GrpcClientOptions = {
    target,
    tls,
    onClose: () => watch?.stop(),
    authority: client.authority,
    userAgent: client.userAgent ?? userAgent(build),
    headers: Array.from(client.headers, ([name, value]) => [name, headerText(name, value.reveal())] as const),
    compression: compression === 'none' || compression === '' ? undefined : compression,
    compressionLevel: compression === 'gzip' ? GZIP_LEVEL : undefined,
    timeoutMs,
    waitForReady: client.waitForReady,
    keepalive:
      client.keepalive === undefined
        ? undefined
        : { ...client.keepalive, timeMs: Math.max(MIN_KEEPALIVE_MS, client.keepalive.timeMs) },
    balancer: client.balancerName,
    clock,
    random,
  }
  return createGrpcClient(options, gates.has('millrace.grpc.grpcJsClient') ? 'grpc-js' : 'lean')
}

/** The Collector packs at zlib's 6; level 1 makes telemetry a sixth larger for half of the CPU (bench: packing/). */
export const GZIP_LEVEL = 1
