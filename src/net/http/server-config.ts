// The keys of a server that speaks HTTP (Collector reference 2.1): the otlp receiver, health_check, zpages, pprof.

import {
  bool,
  byteSize,
  type Complain,
  duration,
  type Infer,
  ignored,
  int,
  map,
  object,
  section,
  string,
  strings,
} from '../../config/schema.ts'
import { httpServerAuth, middlewares } from '../auth/config.ts'
import { DECODINGS } from '../compression.ts'
import { LIMITS } from '../limits.ts'
import { endpointField, endpointProblem, transportField } from '../listen.ts'
import { tlsServer } from '../tls/config.ts'

/** Content-Encoding values that are understood; the empty name is a body without one. */
export const COMPRESSION_ALGORITHMS: readonly string[] = ['', ...DECODINGS]

export const cors = object({
  allowedOrigins: strings('allowed_origins', {
    default: [],
    doc: 'Origins that scripts may send from; `*` stands for any characters. Empty: none.',
  }),
  allowedHeaders: strings('allowed_headers', {
    default: [],
    doc: 'Headers that scripts may set, beside Accept, Content-Type and X-Requested-With, which stand when the list is empty; `*` for any.',
  }),
  exposedHeaders: strings('exposed_headers', { default: [], doc: 'Response headers that scripts may read.' }),
  maxAgeSeconds: int('max_age', {
    default: 0,
    min: 0,
    doc: 'Seconds that a browser may remember the answer; 0: its own default.',
  }),
})
export type CorsConfig = Infer<typeof cors>

/** Spread these into an object(); give `endpoint` a default of your own after them. */
export const httpServerFields = {
  endpoint: endpointField('localhost:0'),
  transport: transportField,
  dialer: ignored('dialer', { doc: 'Read for compatibility: a server dials nobody.' }),
  tls: section('tls', tlsServer, {
    optional: 'none',
    doc: 'TLS, with a certificate and a key. Offers h2 and http/1.1.',
  }),
  cors: section('cors', cors, { optional: 'none', doc: 'Cross-origin requests from browsers.' }),
  auth: httpServerAuth,
  middlewares,
  maxRequestBodyBytes: byteSize('max_request_body_size', {
    default: LIMITS.httpBodyBytes,
    doc: 'Largest body, as it arrives and again unpacked; 0 or less: 20 MiB.',
  }),
  includeMetadata: bool('include_metadata', {
    default: false,
    doc: "Keep the request's headers with the batch, for components that ask for them.",
  }),
  responseHeaders: map('response_headers', string.of(), { default: {}, doc: 'Headers added to every response.' }),
  compressionAlgorithms: strings('compression_algorithms', {
    default: [...COMPRESSION_ALGORITHMS],
    doc: 'Accepted values of Content-Encoding; the empty one is a body without it.',
  }),
  readTimeoutMs: duration('read_timeout', {
    default: '0s',
    min: '0s',
    doc: `Time for a whole request to arrive; 0: ${LIMITS.requestMs / 1000}s.`,
  }),
  readHeaderTimeoutMs: duration('read_header_timeout', {
    default: '1m',
    min: '0s',
    doc: `Time for a request's headers to arrive; 0: ${LIMITS.headersMs / 1000}s.`,
  }),
  writeTimeoutMs: duration('write_timeout', {
    default: '30s',
    min: '0s',
    doc: "Time from a request's headers to the end of its answer; 0: none.",
  }),
  idleTimeoutMs: duration('idle_timeout', {
    default: '1m',
    min: '0s',
    doc: `Time between two requests on one connection; 0: ${LIMITS.idleMs / 1000}s.`,
  }),
  keepAlivesEnabled: bool('keep_alives_enabled', {
    default: true,
    doc: 'Keep connections open for more than one request.',
  }),
}

const httpServer = object(httpServerFields)
export type HttpServerConfig = Infer<typeof httpServer>

/** For a schema's check: what is wrong with the endpoint and the headers of the server whose keys stand behind `prefix`. */
export function checkHttpServer(
  server: Pick<HttpServerConfig, 'endpoint' | 'transport' | 'responseHeaders'>,
  problem: Complain,
  prefix = '',
): void {
  const found = endpointProblem(server.endpoint, server.transport)
  if (found !== undefined) problem(`${prefix}endpoint`, found.what, found.fix)
  const header = responseHeadersProblem(server.responseHeaders)
  if (header !== undefined) problem(`${prefix}response_headers`, header.what, header.fix)
}

/** What is wrong with `response_headers`, for a schema's check; undefined when nothing is. */
export function responseHeadersProblem(
  headers: ReadonlyMap<string, string>,
): { what: string; fix: string } | undefined {
  for (const [name, value] of headers) {
    // RFC 9110 5.6.2, 5.5.
    if (!/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(name))
      return { what: `"${name}" is not the name of a header`, fix: 'use letters, digits and `-`' }
    if (/[^\t\x20-\x7e\x80-\xff]/.test(value))
      return { what: `the value of "${name}" cannot stand in a header`, fix: 'write it on one line, in ASCII' }
  }
  return undefined
}
