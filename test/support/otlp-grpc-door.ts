// The gRPC door of an OTLP receiver, in each of its engines, and clients of it.

import { type ClientHttp2Session, connect } from 'node:http2'
import { type TestContext, test } from 'node:test'
import { type ChannelCredentials, Client, credentials, Metadata, type ServiceError } from '@grpc/grpc-js'
import { jsonToBytes } from '../../src/otlp/json/index.ts'
import { factory } from '../../src/receivers/otlp/factory.ts'
import type { OtlpReceiver } from '../../src/receivers/otlp/otlp.ts'
import { receiverHarness } from './harness.ts'
import { loopRelief } from './loop-relief.ts'

export const TRACES = '/opentelemetry.proto.collector.trace.v1.TraceService/Export'
export const LOGS = '/opentelemetry.proto.collector.logs.v1.LogsService/Export'
export const METRICS = '/opentelemetry.proto.collector.metrics.v1.MetricsService/Export'

export const spans = (count: number, name = 'GET /cart'): Uint8Array<ArrayBuffer> => {
  const span = { traceId: '5b8efff798038103d269b633813fc60c', spanId: 'eee19b7ec3c1b174', name }
  return jsonToBytes(
    'traces',
    JSON.stringify({ resourceSpans: [{ scopeSpans: [{ spans: Array(count).fill(span) }] }] }),
  )
}

export const GATES = { lean: [], 'node:http2': ['millrace.grpc.nodeHttp2'] } as const
export type Engine = keyof typeof GATES
export type Options = Parameters<typeof receiverHarness>[3]
export type Door = (t: TestContext, grpc?: object, options?: Options) => ReturnType<typeof openDoor>

/** A promise that both engines keep, and that another shard keeps for them. */
export function both(name: string, run: (t: TestContext, door: Door) => Promise<void>): void {
  onEngines(name, run)
  test(`handed over: ${name}`, { timeout: 30_000 }, (t) =>
    run(t, (on, grpc, options) => openDoor('lean', on, grpc, { ...options, relief: loopRelief(on) })),
  )
}

/** What is handed over counts in both shards, and twice where they are one. */
export function onEngines(name: string, run: (t: TestContext, door: Door) => Promise<void>): void {
  for (const engine of Object.keys(GATES) as Engine[])
    test(`${engine}: ${name}`, { timeout: 30_000 }, (t) =>
      run(t, (on, grpc, options) => openDoor(engine, on, grpc, options)),
    )
}

export async function openDoor(engine: Engine, t: TestContext, grpc: object = {}, options: Options = {}) {
  const config = { protocols: { grpc: { endpoint: '127.0.0.1:0', ...grpc } } }
  const rig = await receiverHarness(t, factory, config, { ...options, gates: GATES[engine] })
  const port = (rig.receiver as OtlpReceiver).listening.grpc!.port
  return { ...rig, port, address: `127.0.0.1:${port}` }
}

export function client(
  t: TestContext,
  address: string,
  creds: ChannelCredentials = credentials.createInsecure(),
  options: object = {},
) {
  const stub = new Client(address, creds, options)
  t.after(() => stub.close())
  const identity = (bytes: Uint8Array): Buffer => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
  return (
    path: string,
    message: Uint8Array,
    settings: { deadlineMs?: number; metadata?: Metadata } = {},
  ): Promise<Buffer> =>
    new Promise((resolve, reject) => {
      const deadline = Date.now() + (settings.deadlineMs ?? 8000)
      stub.makeUnaryRequest(
        path,
        identity,
        (bytes: Buffer) => bytes,
        message,
        settings.metadata ?? new Metadata(),
        { deadline },
        (error, answer) => (error === null ? resolve(answer!) : reject(error)),
      )
    })
}

export const code = (call: Promise<unknown>): Promise<number> =>
  call.then(
    () => 0,
    (error: ServiceError) => error.code,
  )

export const HEADERS = { ':method': 'POST', ':path': TRACES, 'content-type': 'application/grpc', te: 'trailers' }

export interface Answer {
  status: number
  headers: Record<string, unknown>
  trailers: Record<string, unknown>
  body: Buffer
  reset: boolean
}

/** One request as written, chunk for chunk. Trailers-only answers show their status in `trailers` too. */
export function raw(
  t: TestContext,
  port: number,
  headers: object,
  chunks: readonly Uint8Array[],
  end = true,
): Promise<Answer> {
  const session: ClientHttp2Session = connect(`http://127.0.0.1:${port}`)
  session.on('error', () => {})
  t.after(() => session.destroy())
  return new Promise((resolve) => {
    const answer: Answer = { status: 0, headers: {}, trailers: {}, body: Buffer.alloc(0), reset: false }
    const stream = session.request({ ...HEADERS, ...headers }, { endStream: end && chunks.length === 0 })
    stream.on('response', (got) => {
      answer.status = got[':status'] ?? 0
      answer.headers = got
      answer.trailers = got
    })
    stream.on('trailers', (got) => {
      answer.trailers = got
    })
    stream.on('data', (chunk: Buffer) => {
      answer.body = Buffer.concat([answer.body, chunk])
    })
    stream.on('error', () => {
      answer.reset = true
    })
    stream.on('close', () => resolve(answer))
    for (const chunk of chunks) stream.write(chunk)
    if (end) stream.end()
  })
}
