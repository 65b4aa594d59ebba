// The flags of `millrace send`. Where telemetrygen (reference/otelcol-core.md 8.2) has a flag that means the same, its
// spelling is understood too.

import { readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { tryDuration } from '../config/units.ts'
import type { GeneratedSignal } from './template.ts'

export const SIGNAL_NAMES = ['traces', 'metrics', 'logs'] as const
export const PROTOCOLS = ['grpc', 'http/protobuf', 'http/json'] as const
export const COMPRESSIONS = ['none', 'gzip', 'zstd'] as const
export type SendProtocol = (typeof PROTOCOLS)[number]
export type SendCompression = (typeof COMPRESSIONS)[number]

export interface SendTls {
  readonly ca?: string
  readonly cert?: string
  readonly key?: string
  readonly rejectUnauthorized: boolean
}

export interface SendOptions {
  readonly signal: GeneratedSignal
  readonly protocol: SendProtocol
  readonly compression: SendCompression
  /** `host:port`. */
  readonly address: string
  /** Absent: no TLS. */
  readonly tls?: SendTls
  readonly headers: ReadonlyMap<string, string>
  readonly workers: number
  /** Items per second of each worker; 0: as fast as answers come. */
  readonly rate: number
  readonly itemsPerRequest: number
  readonly attributes: number
  readonly service: string
  readonly resource: ReadonlyMap<string, string>
  /** Infinity: until it is stopped. */
  readonly durationMs: number
  /** Requests of each worker; Infinity: no limit. */
  readonly requests: number
  readonly reportEveryMs: number
  readonly goOnAfterFailure: boolean
  readonly timeoutMs: number
  readonly seed: number
}

/** A flag that cannot be followed; the message says what to write. */
export class SendUsageError extends Error {}

export const SEND_HELP = `Send generated telemetry to a router, and count what it answers.

Usage: millrace send [traces|metrics|logs] [flags]

  --signal traces|metrics|logs       what to send (default traces)
  --endpoint HOST:PORT               default localhost:4317, or localhost:4318 over HTTP; also --otlp-endpoint.
                                     http:// or https:// in front says whether to use TLS; without, TLS is used
                                     for every host but this one
  --protocol grpc|http/protobuf|http/json   default grpc; --otlp-http means http/protobuf
  --compression none|gzip|zstd       default none
  --headers k=v,k2=v2                also --otlp-header k=v, repeated
  --workers N                        senders side by side, each with one request under way (default 1)
  --rate N                           items per second of each worker, 0: as fast as answers come (default 100)
  --items-per-request N              default 10
  --attributes N                     of each item (default 10)
  --otlp-attributes k=v              of the resource, repeated
  --service NAME                     service.name (default millrace-send)
  --duration 10s                     or inf (default 10s)
  --requests N                       stop after so many requests of each worker
  --timeout 10s                      for each request
  --interval 1s                      between lines of progress
  --allow-export-failures            go on after a refusal, and end with 0 if anything was accepted
  --insecure                         no TLS; also --otlp-insecure
  --insecure-skip-verify             do not check the certificate; also --otlp-insecure-skip-verify
  --ca-cert, --client-cert, --client-key FILE
  --seed N                           equal seeds send equal ids and values (default: another each time)

Exit code: 0 when everything was accepted, 1 when something was refused or failed, 2 for a flag it does not understand.
`

const FLAGS = {
  signal: { type: 'string' },
  endpoint: { type: 'string' },
  'otlp-endpoint': { type: 'string' },
  protocol: { type: 'string' },
  'otlp-http': { type: 'boolean' },
  compression: { type: 'string', default: 'none' },
  headers: { type: 'string' },
  'otlp-header': { type: 'string', multiple: true },
  workers: { type: 'string', default: '1' },
  rate: { type: 'string', default: '100' },
  'items-per-request': { type: 'string', default: '10' },
  attributes: { type: 'string', default: '10' },
  'otlp-attributes': { type: 'string', multiple: true },
  service: { type: 'string', default: 'millrace-send' },
  duration: { type: 'string', default: '10s' },
  requests: { type: 'string' },
  timeout: { type: 'string', default: '10s' },
  interval: { type: 'string', default: '1s' },
  'allow-export-failures': { type: 'boolean' },
  insecure: { type: 'boolean' },
  'otlp-insecure': { type: 'boolean' },
  'insecure-skip-verify': { type: 'boolean' },
  'otlp-insecure-skip-verify': { type: 'boolean' },
  'ca-cert': { type: 'string' },
  'client-cert': { type: 'string' },
  'client-key': { type: 'string' },
  seed: { type: 'string' },
  help: { type: 'boolean', short: 'h' },
} as const

/** Undefined when help was asked for. Throws a SendUsageError. `randomSeed` stands in where no seed is given. */
export function readSendOptions(argv: readonly string[], randomSeed: number): SendOptions | undefined {
  const { values, positionals } = parse(argv)
  if (values.help === true) return undefined
  if (positionals.length > 1) throw new SendUsageError(`one signal at a time, not ${positionals.join(' and ')}`)
  const signal = oneOf('signal', SIGNAL_NAMES, positionals[0] ?? values.signal ?? 'traces')
  const protocol = oneOf('protocol', PROTOCOLS, values.protocol ?? (values['otlp-http'] ? 'http/protobuf' : 'grpc'))
  const given =
    values.endpoint ?? values['otlp-endpoint'] ?? (protocol === 'grpc' ? 'localhost:4317' : 'localhost:4318')
  const [, scheme, rest = ''] = /^(https?:\/\/)?(.*?)\/?$/.exec(given)!
  if (!/:\d+$/.test(rest)) throw new SendUsageError(`--endpoint ${given} has no port: write for example ${rest}:4317`)
  const insecure = values.insecure ?? values['otlp-insecure'] ?? (scheme ? scheme === 'http://' : isThisHost(rest))
  const file = (flag: 'ca-cert' | 'client-cert' | 'client-key'): string | undefined => {
    const path = values[flag]
    try {
      return path === undefined ? undefined : readFileSync(path, 'utf8')
    } catch (error) {
      throw new SendUsageError(`--${flag}: ${(error as Error).message}`)
    }
  }
  const ca = file('ca-cert')
  const cert = file('client-cert')
  const key = file('client-key')
  const skip = values['insecure-skip-verify'] ?? values['otlp-insecure-skip-verify'] ?? false
  return {
    signal,
    protocol,
    compression: oneOf('compression', COMPRESSIONS, values.compression),
    address: rest,
    ...(insecure
      ? {}
      : { tls: { rejectUnauthorized: !skip, ...(ca && { ca }), ...(cert && { cert }), ...(key && { key }) } }),
    headers: pairs('headers', [...(values.headers?.split(',') ?? []), ...(values['otlp-header'] ?? [])], true),
    workers: whole('workers', values.workers, 1, 1_000),
    rate: number('rate', values.rate),
    itemsPerRequest: whole('items-per-request', values['items-per-request'], 1, 100_000),
    attributes: whole('attributes', values.attributes, 0, 1_000),
    service: values.service,
    resource: pairs('otlp-attributes', values['otlp-attributes'] ?? [], false),
    durationMs: values.duration === 'inf' ? Number.POSITIVE_INFINITY : duration('duration', values.duration),
    requests: values.requests === undefined ? Number.POSITIVE_INFINITY : whole('requests', values.requests, 1, 1e9),
    reportEveryMs: duration('interval', values.interval),
    goOnAfterFailure: values['allow-export-failures'] ?? false,
    timeoutMs: duration('timeout', values.timeout),
    seed: values.seed === undefined ? randomSeed : whole('seed', values.seed, 0, 2 ** 32 - 1),
  }
}

function parse(argv: readonly string[]) {
  try {
    return parseArgs({ args: [...argv], options: FLAGS, allowPositionals: true })
  } catch (error) {
    throw new SendUsageError((error as Error).message)
  }
}

const isThisHost = (address: string): boolean => /^(localhost|127\.\d+\.\d+\.\d+|\[::1\]):\d+$/.test(address)

function oneOf<T extends string>(flag: string, allowed: readonly T[], value: string): T {
  const found = allowed.find((name) => name === value)
  if (found === undefined) throw new SendUsageError(`--${flag} ${value}: write one of ${allowed.join(', ')}`)
  return found
}

function number(flag: string, text: string): number {
  const value = Number(text)
  if (text.trim() === '' || !(value >= 0 && value < 1e12))
    throw new SendUsageError(`--${flag} ${text}: write a number of 0 or more`)
  return value
}

function whole(flag: string, text: string, min: number, max: number): number {
  const value = number(flag, text)
  if (!Number.isInteger(value) || value < min || value > max)
    throw new SendUsageError(`--${flag} ${text}: write a whole number from ${min} to ${max}`)
  return value
}

function duration(flag: string, text: string): number {
  const value = tryDuration(text)
  if (value === undefined || value <= 0)
    throw new SendUsageError(`--${flag} ${text}: write a duration, for example 10s or 500ms`)
  return value
}

/** `key=value`, the value perhaps in quotes, as telemetrygen wants it. Names of headers are lower-case. */
function pairs(flag: string, texts: readonly string[], lowerCase: boolean): Map<string, string> {
  const map = new Map<string, string>()
  for (const text of texts) {
    const at = text.indexOf('=')
    if (at < 1) throw new SendUsageError(`--${flag} ${text}: write key=value`)
    const key = text.slice(0, at).trim()
    map.set(lowerCase ? key.toLowerCase() : key, text.slice(at + 1).replace(/^"(.*)"$/, '$1'))
  }
  return map
}
