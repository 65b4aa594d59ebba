// A small OTLP receiver for tests, made of node:http, node:http2 and protobufjs alone: it shares no code with the router.

import { createServer as createHttpServer, type IncomingHttpHeaders } from 'node:http'
import { createServer as createHttp2Server, type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2'
import type { AddressInfo, createServer as createNetServer, Server } from 'node:net'
import type { TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import { gunzipSync, zstdDecompressSync } from 'node:zlib'
import protobuf from 'protobufjs'

export type RecordedSignal = 'traces' | 'metrics' | 'logs'

export interface Recorded {
  readonly protocol: 'grpc' | 'http/protobuf' | 'http/json'
  readonly signal: RecordedSignal
  /** Spans, data points or log records. */
  readonly items: number
  // biome-ignore lint/suspicious/noExplicitAny: a whole request as plain objects, read by tests
  readonly request: any
  readonly headers: IncomingHttpHeaders
}

export interface OtlpRecorder {
  /** `127.0.0.1:port`. */
  readonly grpcAddress: string
  readonly httpAddress: string
  readonly requests: Recorded[]
  /** Answer UNAVAILABLE and 503 from now on. */
  refuse: boolean
}

const MESSAGE = {
  traces: 'opentelemetry.proto.collector.trace.v1.ExportTraceServiceRequest',
  metrics: 'opentelemetry.proto.collector.metrics.v1.ExportMetricsServiceRequest',
  logs: 'opentelemetry.proto.collector.logs.v1.ExportLogsServiceRequest',
} as const

function loadProto(): protobuf.Root {
  const folder = fileURLToPath(new URL('../../proto/', import.meta.url))
  const root = new protobuf.Root()
  root.resolvePath = (_origin, target) => folder + target
  return root.loadSync(
    ['trace', 'metrics', 'logs'].map((name) => `opentelemetry/proto/collector/${name}/v1/${name}_service.proto`),
  )
}

function unpack(encoding: string | string[] | undefined, body: Buffer): Buffer {
  if (encoding === 'gzip') return gunzipSync(body)
  if (encoding === 'zstd') return zstdDecompressSync(body)
  return body
}

// biome-ignore lint/suspicious/noExplicitAny: a whole request as plain objects
function countItems(signal: RecordedSignal, request: any): number {
  // biome-ignore lint/suspicious/noExplicitAny: as above
  const sum = (list: any[] | undefined, count: (value: any) => number): number =>
    (list ?? []).reduce((total, value) => total + count(value), 0)
  if (signal === 'traces') return sum(request.resourceSpans, (r) => sum(r.scopeSpans, (s) => s.spans?.length ?? 0))
  if (signal === 'logs') return sum(request.resourceLogs, (r) => sum(r.scopeLogs, (s) => s.logRecords?.length ?? 0))
  return sum(request.resourceMetrics, (r) =>
    sum(r.scopeMetrics, (s) => sum(s.metrics, (m) => (m.gauge ?? m.sum ?? m.histogram)?.dataPoints?.length ?? 0)),
  )
}

/** Listens until the test ends. */
export async function startOtlpRecorder(t: TestContext): Promise<OtlpRecorder> {
  const root = loadProto()
  const requests: Recorded[] = []
  const record = (
    protocol: Recorded['protocol'],
    signal: RecordedSignal,
    body: Buffer,
    headers: IncomingHttpHeaders,
  ): void => {
    const type = root.lookupType(MESSAGE[signal])
    const request =
      protocol === 'http/json' ? JSON.parse(body.toString()) : type.toObject(type.decode(body), { longs: String })
    requests.push({ protocol, signal, items: countItems(signal, request), request, headers })
  }

  const http = createHttpServer((message, response) => {
    const body: Buffer[] = []
    message.on('data', (chunk: Buffer) => body.push(chunk))
    message.on('end', () => {
      const json = message.headers['content-type'] === 'application/json'
      const signal = message.url!.replace('/v1/', '') as RecordedSignal
      if (!recorder.refuse)
        record(
          json ? 'http/json' : 'http/protobuf',
          signal,
          unpack(message.headers['content-encoding'], Buffer.concat(body)),
          message.headers,
        )
      response.writeHead(recorder.refuse ? 503 : 200, { 'content-type': message.headers['content-type'] })
      response.end(json ? '{}' : '')
    })
  })

  const sessions = new Set<ServerHttp2Session>()
  const grpc = createHttp2Server()
  grpc.on('session', (session) => {
    sessions.add(session)
    session.on('close', () => sessions.delete(session))
  })
  grpc.on('stream', (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => {
    const body: Buffer[] = []
    stream.on('data', (chunk: Buffer) => body.push(chunk))
    stream.on('end', () => {
      const message = Buffer.concat(body)
      const signal = /\.(traces?|metrics|logs)\.v1\./.exec(String(headers[':path']))![1]!
      const encoding = message[0] === 1 ? headers['grpc-encoding'] : undefined
      const name = (signal === 'trace' ? 'traces' : signal) as RecordedSignal
      if (!recorder.refuse) record('grpc', name, unpack(encoding, message.subarray(5)), headers)
      stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true })
      stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': recorder.refuse ? '14' : '0' }))
      stream.end(recorder.refuse ? undefined : Buffer.alloc(5))
    })
  })
  const recorder: OtlpRecorder = {
    grpcAddress: await listen(grpc as unknown as Server),
    httpAddress: await listen(http),
    requests,
    refuse: false,
  }
  t.after(() => {
    for (const session of sessions) session.destroy()
    http.closeAllConnections()
    grpc.close()
    http.close()
  })
  return recorder
}

const listen = (server: ReturnType<typeof createNetServer>): Promise<string> =>
  new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => resolve(`127.0.0.1:${(server.address() as AddressInfo).port}`))
  })
