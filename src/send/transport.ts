// One request out, one outcome back, over gRPC or HTTP.

import { systemClock } from '../graph/clock.ts'
import { compress, type Encoding } from '../net/compression.ts'
import type { ClientTlsOptions } from '../net/tls/load.ts'
import type { SendOptions, SendTls } from './options.ts'
import type { GeneratedSignal } from './template.ts'

export type Outcome =
  /** Taken; `rejected` items of it were not, as a partial success says. */
  | { readonly kind: 'accepted'; readonly rejected: number }
  /** The router answered, and did not take it: `UNAVAILABLE`, `503`. */
  | { readonly kind: 'refused'; readonly reason: string }
  /** No answer. */
  | { readonly kind: 'failed'; readonly reason: string }

export interface Transport {
  /** Never rejects. */
  send(request: Uint8Array): Promise<Outcome>
  close(): Promise<void>
}

const SERVICE = { traces: 'trace.v1.TraceService', metrics: 'metrics.v1.MetricsService', logs: 'logs.v1.LogsService' }
/** Codes that say that no answer came, rather than what it was: CANCELLED, DEADLINE_EXCEEDED. */
const NO_ANSWER = new Set([1, 4])

export const openTransport = (options: SendOptions): Promise<Transport> =>
  options.protocol === 'grpc' ? openGrpc(options) : openHttp(options)

const encodingOf = ({ compression }: SendOptions): Encoding | undefined =>
  compression === 'none' ? undefined : compression

const tlsOf = (tls: SendTls): ClientTlsOptions => ({
  rejectUnauthorized: tls.rejectUnauthorized,
  ...(tls.ca === undefined ? {} : { ca: tls.ca }),
  ...(tls.cert === undefined ? {} : { cert: tls.cert }),
  ...(tls.key === undefined ? {} : { key: tls.key }),
})

async function openGrpc(options: SendOptions): Promise<Transport> {
  const { createGrpcClient } = await import('../net/grpc/client.ts')
  const { parseTarget } = await import('../net/grpc/client-target.ts')
  const { GrpcError } = await import('../net/grpc/client-status.ts')
  const { GRPC } = await import('../net/status.ts')
  const { readExportResponse } = await import('../otlp/response.ts')
  const client = createGrpcClient({
    target: parseTarget(options.address),
    tls: options.tls === undefined ? undefined : tlsOf(options.tls),
    userAgent: 'millrace-send',
    headers: options.headers,
    compression: encodingOf(options),
    timeoutMs: options.timeoutMs,
    clock: systemClock,
    random: Math.random,
  })
  const path = `/opentelemetry.proto.collector.${SERVICE[options.signal]}/Export`
  const nameOf = (code: number): string =>
    Object.entries(GRPC).find(([, value]) => value === code)?.[0] ?? `code ${code}`
  return {
    async send(request) {
      try {
        const answer = await client.call(path, [request], request.length, AbortSignal.timeout(options.timeoutMs))
        return { kind: 'accepted', rejected: readExportResponse(answer)?.rejected ?? 0 }
      } catch (error) {
        if (!(error instanceof GrpcError)) return { kind: 'failed', reason: (error as Error).message }
        const reason = `${nameOf(error.code)}: ${error.message}`
        // A cause is one of our own: no connection, or one that was lost. What a server says comes without.
        const answered = error.cause === undefined && !NO_ANSWER.has(error.code)
        return { kind: answered ? 'refused' : 'failed', reason }
      }
    },
    close: async () => client.close(),
  }
}

async function openHttp(options: SendOptions): Promise<Transport> {
  const { Pool } = await import('undici')
  const { bytesToJson } = await import('../otlp/json/index.ts')
  const { readExportResponse, readExportResponseJson } = await import('../otlp/response.ts')
  const json = options.protocol === 'http/json'
  const encoding = encodingOf(options)
  const scheme = options.tls === undefined ? 'http' : 'https'
  const pool = new Pool(`${scheme}://${options.address}`, {
    connections: options.workers,
    headersTimeout: options.timeoutMs,
    bodyTimeout: options.timeoutMs,
    ...(options.tls === undefined ? {} : { connect: tlsOf(options.tls) }),
  })
  const headers = {
    ...Object.fromEntries(options.headers),
    'content-type': json ? 'application/json' : 'application/x-protobuf',
    'user-agent': 'millrace-send',
    ...(encoding === undefined ? {} : { 'content-encoding': encoding }),
  }
  const rejectedIn = (signal: GeneratedSignal, body: Uint8Array): number =>
    (json ? readExportResponseJson(signal, Buffer.from(body).toString()) : readExportResponse(body))?.rejected ?? 0
  return {
    async send(request) {
      const plain = json ? Buffer.from(bytesToJson(options.signal, [request])) : request
      const body = encoding === undefined ? plain : compress(encoding, [plain])
      try {
        const signal = AbortSignal.timeout(options.timeoutMs)
        const answer = await pool.request({ method: 'POST', path: `/v1/${options.signal}`, headers, body, signal })
        const bytes = new Uint8Array(await answer.body.arrayBuffer())
        if (answer.statusCode === 200) return { kind: 'accepted', rejected: rejectedIn(options.signal, bytes) }
        return { kind: 'refused', reason: `HTTP ${answer.statusCode}` }
      } catch (error) {
        return { kind: 'failed', reason: (error as Error).message || String((error as { code?: string }).code) }
      }
    },
    close: () => pool.destroy(),
  }
}
