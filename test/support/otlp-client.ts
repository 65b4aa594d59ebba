// One Export call of encoded spans, points or records over gRPC or HTTP, and what became of it, as a well-behaved client sees it. Made of
// node:http, node:http2 and protobufjs alone: it shares no code with the router.
//
//   ok          answered OK; a partial success says how many items were rejected
//   refused     answered with a status; whether the same bytes may be sent again, and the wait that was asked for
//   unsent      nobody listened: the request never left
//   unanswered  it may have arrived: the connection was lost, or the time was over

import { Agent, type ClientRequest, type IncomingMessage, request } from 'node:http'
import { type ClientHttp2Session, connect, constants, type IncomingHttpHeaders } from 'node:http2'
import protobuf from 'protobufjs'

export type Answer =
  | { readonly kind: 'ok'; readonly rejected: number }
  | {
      readonly kind: 'refused'
      /** Of gRPC or HTTP. */
      readonly status: number
      readonly message: string
      readonly mayRetry: boolean
      /** RetryInfo or Retry-After, where there was one. */
      readonly retryAfterMs: number | undefined
    }
  | { readonly kind: 'unsent' | 'unanswered'; readonly why: string }

export interface OtlpClient {
  export(request: Uint8Array): Promise<Answer>
  close(): void
}

const { Response, Status, RetryInfo } = protobuf.parse(`
  syntax = "proto3";
  message Response { Partial partial_success = 1; }
  message Partial { int64 rejected = 1; string error_message = 2; }
  message Status { int32 code = 1; string message = 2; repeated Any details = 3; }
  message Any { string type_url = 1; bytes value = 2; }
  message RetryInfo { Duration retry_delay = 1; }
  message Duration { int64 seconds = 1; int32 nanos = 2; }
`).root.nested as Record<'Response' | 'Status' | 'RetryInfo', protobuf.Type>

// biome-ignore lint/suspicious/noExplicitAny: messages as plain objects
const decode = (type: protobuf.Type, bytes: Uint8Array): any => type.toObject(type.decode(bytes), { longs: Number })

const readOk = (body: Uint8Array): Answer => ({
  kind: 'ok',
  rejected: decode(Response, body).partialSuccess?.rejected ?? 0,
})

const GRPC_PREFIX_BYTES = 5
type Signal = 'traces' | 'metrics' | 'logs'
const GRPC_PATHS: Readonly<Record<Signal, string>> = {
  traces: '/opentelemetry.proto.collector.trace.v1.TraceService/Export',
  metrics: '/opentelemetry.proto.collector.metrics.v1.MetricsService/Export',
  logs: '/opentelemetry.proto.collector.logs.v1.LogsService/Export',
}
/** OTLP specification, "OTLP/gRPC Response": retryable without RetryInfo; ResourceExhausted (8) only with it. */
const GRPC_RETRYABLE = [1, 4, 10, 11, 14, 15]
/** OTLP specification, "Retryable Response Codes". */
const HTTP_RETRYABLE = [429, 502, 503, 504]

/** All calls over one connection, which is made anew when it is lost. */
export class GrpcClient implements OtlpClient {
  readonly #url: string
  readonly #timeoutMs: number
  readonly #signal: Signal
  #session: ClientHttp2Session | undefined

  constructor(port: number, timeoutMs = 10_000, signal: Signal = 'traces') {
    this.#signal = signal
    this.#url = `http://127.0.0.1:${port}`
    this.#timeoutMs = timeoutMs
  }

  export(body: Uint8Array): Promise<Answer> {
    return new Promise((resolve) => {
      const session = this.#connect()
      const stream = session.request({
        ':method': 'POST',
        ':path': GRPC_PATHS[this.#signal],
        'content-type': 'application/grpc',
        te: 'trailers',
      })
      const timer = setTimeout(() => {
        stream.close(constants.NGHTTP2_CANCEL)
        lost(`no answer within ${this.#timeoutMs} ms`)
      }, this.#timeoutMs)
      const finish = (answer: Answer): void => {
        clearTimeout(timer)
        resolve(answer)
      }
      let sent = !session.connecting
      if (!sent)
        session.once('connect', () => {
          sent = true
        })
      let status: IncomingHttpHeaders | undefined
      const chunks: Buffer[] = []
      const lost = (why: string): void => {
        if (status !== undefined) finish(readGrpcAnswer(status, Buffer.concat(chunks)))
        else finish({ kind: sent ? 'unanswered' : 'unsent', why })
      }
      // A refusal comes as headers alone.
      const onHeaders = (headers: IncomingHttpHeaders): void => {
        if (headers['grpc-status'] !== undefined) status = headers
      }
      stream.on('response', onHeaders)
      stream.on('trailers', onHeaders)
      stream.on('data', (chunk: Buffer) => chunks.push(chunk))
      stream.on('error', (error) => lost(error.message))
      stream.on('close', () => lost('the stream was closed'))
      const message = Buffer.alloc(GRPC_PREFIX_BYTES + body.length)
      message.writeUInt32BE(body.length, 1)
      message.set(body, GRPC_PREFIX_BYTES)
      stream.end(message)
    })
  }

  #connect(): ClientHttp2Session {
    if (this.#session !== undefined && !this.#session.closed && !this.#session.destroyed) return this.#session
    const session = connect(this.#url)
    session.setMaxListeners(0)
    // Its streams tell why; a session that is going away takes no more of them.
    session.on('error', () => {})
    session.on('goaway', () => session.close())
    this.#session = session
    return session
  }

  close(): void {
    this.#session?.destroy()
  }
}

function readGrpcAnswer(headers: IncomingHttpHeaders, message: Buffer): Answer {
  const status = Number(headers['grpc-status'])
  if (status === 0) return readOk(message.subarray(GRPC_PREFIX_BYTES))
  const details = headers['grpc-status-details-bin']
  const retryAfterMs = details === undefined ? undefined : readRetryInfoMs(Buffer.from(String(details), 'base64'))
  const mayRetry = GRPC_RETRYABLE.includes(status) || (status === 8 && retryAfterMs !== undefined)
  return { kind: 'refused', status, message: String(headers['grpc-message']), mayRetry, retryAfterMs }
}

function readRetryInfoMs(status: Uint8Array): number | undefined {
  for (const { typeUrl, value } of decode(Status, status).details ?? []) {
    if (typeUrl !== 'type.googleapis.com/google.rpc.RetryInfo') continue
    const { seconds = 0, nanos = 0 } = decode(RetryInfo, value).retryDelay ?? {}
    return seconds * 1000 + nanos / 1e6
  }
  return undefined
}

/** One connection for each call that is under way; they are kept for the next ones. */
export class HttpClient implements OtlpClient {
  readonly #agent = new Agent({ keepAlive: true })
  readonly #port: number
  readonly #timeoutMs: number
  readonly #signal: Signal

  constructor(port: number, timeoutMs = 10_000, signal: Signal = 'traces') {
    this.#signal = signal
    this.#port = port
    this.#timeoutMs = timeoutMs
  }

  export(body: Uint8Array): Promise<Answer> {
    return new Promise((resolve) => {
      let connected = false
      const call: ClientRequest = request(
        {
          agent: this.#agent,
          host: '127.0.0.1',
          port: this.#port,
          method: 'POST',
          path: `/v1/${this.#signal}`,
          headers: { 'content-type': 'application/x-protobuf' },
        },
        (response) => {
          const chunks: Buffer[] = []
          response.on('data', (chunk: Buffer) => chunks.push(chunk))
          response.on('error', (error) => lost(error.message))
          response.on('end', () => finish(readHttpAnswer(response, Buffer.concat(chunks))))
        },
      )
      const timer = setTimeout(() => call.destroy(new Error(`no answer within ${this.#timeoutMs} ms`)), this.#timeoutMs)
      const finish = (answer: Answer): void => {
        clearTimeout(timer)
        resolve(answer)
      }
      const lost = (why: string): void => finish({ kind: connected ? 'unanswered' : 'unsent', why })
      call.on('socket', (socket) => {
        connected = !socket.connecting
        if (!connected)
          socket.once('connect', () => {
            connected = true
          })
      })
      call.on('error', (error) => lost(error.message))
      call.end(body)
    })
  }

  close(): void {
    this.#agent.destroy()
  }
}

function readHttpAnswer(response: IncomingMessage, body: Buffer): Answer {
  const status = response.statusCode ?? 0
  if (status === 200) return readOk(body)
  const seconds = response.headers['retry-after']
  return {
    kind: 'refused',
    status,
    message: decode(Status, body).message ?? '',
    mayRetry: HTTP_RETRYABLE.includes(status),
    retryAfterMs: seconds === undefined ? undefined : Number(seconds) * 1000,
  }
}

export const otlpClient = (protocol: 'grpc' | 'http', port: number, timeoutMs?: number, signal?: Signal): OtlpClient =>
  protocol === 'grpc' ? new GrpcClient(port, timeoutMs, signal) : new HttpClient(port, timeoutMs, signal)
