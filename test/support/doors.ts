// The doors of the router with small bounds, for tests that misuse them: whole requests are answered, nothing more.

import assert from 'node:assert/strict'
import { request as httpRequest } from 'node:http'
import { connect as connectH2 } from 'node:http2'
import type { TestContext } from 'node:test'
import { object } from '../../src/config/schema.ts'
import { parseConfig } from '../../src/config/testing.ts'
import { systemClock } from '../../src/graph/clock.ts'
import { ByteBudget } from '../../src/net/byte-budget.ts'
import type { Decoding } from '../../src/net/compression.ts'
import type { GrpcCall } from '../../src/net/grpc/engine.ts'
import { frameMessage } from '../../src/net/grpc/framing.ts'
import { createGrpcServer, type GrpcEngine } from '../../src/net/grpc/server.ts'
import { endConnection, readBody } from '../../src/net/http/body.ts'
import { startHttpServer } from '../../src/net/http/server.ts'
import { httpServerFields } from '../../src/net/http/server-config.ts'
import { type Limits, limitsWith } from '../../src/net/limits.ts'
import { UnpackLine } from '../../src/net/unpack-line.ts'
import { certs } from './certs.ts'
import { memoryLogger } from './harness.ts'

const KiB = 1024
const SMALL: Partial<Limits> = {
  resetsBurst: 50,
  resetsPerSecond: 1,
  controlFramesBurst: 20,
  controlFramesPerSecond: 1,
  overheadBytes: 64 * KiB,
  overheadBytesPerSecond: KiB,
  smallPieces: 64,
  streamsPerConnection: 20,
  headersMs: 300,
  firstByteMs: 300,
  bodySilenceMs: 300,
  requestMs: 700,
  grpcMessageBytes: 256 * KiB,
  httpBodyBytes: 256 * KiB,
  inFlightBytes: 1024 * KiB,
  arrivingBytesPerConnection: 512 * KiB,
  unpackingBytesPerTurn: 256 * KiB,
  unpackingWaiting: 8,
}

export interface Door {
  readonly port: number
  readonly secure: boolean
  readonly limits: Limits
  /** Header fields of a request that the door takes, for frames by hand. */
  readonly headers: Readonly<Record<string, string>>
  /** A whole body as it travels: framed where the protocol frames. */
  body(bytes: Uint8Array): Uint8Array
  /** Requests that reached the handler. */
  handled(): number
  /** Why connections and requests were refused, as counted. */
  readonly refused: string[]
  readonly budget: ByteBudget
  readonly unpacking: UnpackLine
  /** A request of somebody else, on a connection of its own that stays; throws when it is not answered with OK. */
  bystander(): Promise<void>
  /** Nothing is left: no bytes, nobody in line, and with the bystander gone no connection keeps the door open. */
  assertNothingLeft(): Promise<void>
}

export interface DoorOptions {
  readonly limits?: Partial<Limits>
  readonly countLoopback?: boolean
  /** Of each answer. */
  readonly answerBytes?: number
  /** The handler does not answer by itself. */
  readonly hold?: boolean
}

type Parts = Pick<Door, 'port' | 'secure' | 'headers' | 'body' | 'handled' | 'bystander'> & {
  close(deadline: AbortSignal): Promise<void>
  leave(): void
}

function shared(options: DoorOptions) {
  const limits = limitsWith({ ...SMALL, ...options.limits })
  const { arrivingBytesPerConnection, requestBytes, unpackingWaiting, unpackingBytesPerTurn } = limits
  return {
    limits,
    refused: [] as string[],
    budget: new ByteBudget(limits.inFlightBytes, {
      arrivingPerConnection: arrivingBytesPerConnection,
      perRequest: requestBytes,
    }),
    unpacking: new UnpackLine({ maxWaiting: unpackingWaiting, bytesPerTurn: unpackingBytesPerTurn }),
  }
}

function finish(t: TestContext, parts: Parts, common: ReturnType<typeof shared>): Door {
  t.after(async () => {
    parts.leave()
    await parts.close(AbortSignal.abort())
  })
  return {
    ...parts,
    ...common,
    async assertNothingLeft() {
      parts.leave()
      await parts.close(new AbortController().signal)
      assert.equal(common.budget.used, 0)
      assert.equal(common.unpacking.waiting, 0)
    },
  }
}

const PATH = '/test.Service/Export'

export async function grpcDoor(
  t: TestContext,
  options: DoorOptions & { readonly secure?: boolean; readonly engine?: GrpcEngine } = {},
): Promise<Door> {
  const common = shared(options)
  const { limits, refused, budget, unpacking } = common
  const secure = options.secure === true
  let handled = 0
  const answer = new Uint8Array(options.answerBytes ?? 0)
  const handler = (call: GrpcCall): void => {
    handled++
    if (options.hold !== true) call.respond(answer)
  }
  const server = await createGrpcServer(
    {
      listen: { endpoint: '127.0.0.1:0', transport: 'tcp', secure },
      ...(secure ? { tls: { cert: certs.server.cert, key: certs.server.key } } : {}),
      handlers: new Map([[PATH, handler]]),
      maxMessageBytes: limits.grpcMessageBytes,
      maxConcurrentStreams: limits.streamsPerConnection,
      maxConnections: limits.maxConnections,
      handshakeMs: limits.headersMs,
      bodySilenceMs: limits.bodySilenceMs,
      requestMs: limits.requestMs,
      keepalive: {
        maxConnectionIdleMs: 0,
        maxConnectionAgeMs: 0,
        maxConnectionAgeGraceMs: 0,
        timeMs: 7_200_000,
        timeoutMs: 20_000,
        minTimeMs: 300_000,
        permitWithoutStream: false,
      },
      budget,
      unpacking,
      limits,
      countLoopback: options.countLoopback ?? false,
      random: () => 0.5,
      encodeStatus: () => new Uint8Array(0),
      onRefused: (reason) => refused.push(reason),
      onError: (error) => assert.fail(error),
    },
    memoryLogger(),
    options.engine,
  )
  const { port } = await server.listen()
  const headers = {
    ':method': 'POST',
    ':scheme': secure ? 'https' : 'http',
    ':path': PATH,
    ':authority': 'localhost',
    'content-type': 'application/grpc',
    te: 'trailers',
  }
  const body = (bytes: Uint8Array): Uint8Array => frameMessage(bytes, false)
  const client = http2Client(
    `${secure ? 'https' : 'http'}://127.0.0.1:${port}`,
    headers,
    body(new Uint8Array(10)),
    'grpc-status',
    '0',
  )
  return finish(
    t,
    { port, secure, headers, body, handled: () => handled, ...client, close: (d) => server.close(d) },
    common,
  )
}

function http2Client(url: string, headers: Record<string, string>, body: Uint8Array, name: string, value: string) {
  let session: ReturnType<typeof connectH2> | undefined
  return {
    bystander: (): Promise<void> => {
      if (session === undefined || session.closed || session.destroyed)
        session = connectH2(url, { ca: certs.ca, servername: 'localhost' }).on('error', () => {})
      const stream = session.request(headers)
      return new Promise((resolve, reject) => {
        let found: unknown
        const look = (answer: Record<string, unknown>): void => {
          found = answer[name] ?? found
        }
        stream
          .on('response', look)
          .on('trailers', look)
          .on('error', () => {})
        stream.on('close', () => (String(found) === value ? resolve() : reject(new Error(`answered ${found}`))))
        stream.resume()
        stream.end(body)
      })
    },
    leave: (): void => session?.destroy(),
  }
}

/** Over TLS it speaks HTTP/2 and HTTP/1.1, else HTTP/1.1. Keys of the Collector are as if they were not written. */
export async function httpDoor(t: TestContext, secure: boolean, options: DoorOptions = {}): Promise<Door> {
  const common = shared(options)
  const { limits, refused, budget, unpacking } = common
  let handled = 0
  const answer = new Uint8Array(options.answerBytes ?? 0)
  const { certFile, keyFile } = certs.server
  const cfg = parseConfig(object(httpServerFields), {
    endpoint: '127.0.0.1:0',
    read_header_timeout: '0s',
    write_timeout: '0s',
    idle_timeout: '0s',
    ...(secure ? { tls: { cert_file: certFile, key_file: keyFile } } : {}),
  })
  const settings = {
    maxBytes: limits.httpBodyBytes,
    silenceMs: limits.bodySilenceMs,
    requestMs: limits.requestMs,
    budget,
    unpacking,
    smallPieces: limits.smallPieces,
  }
  const server = await startHttpServer(
    cfg,
    { clock: systemClock, log: memoryLogger(), report: (_, error) => assert.fail(error) },
    (request, response) => {
      const named = request.headers['content-encoding']
      readBody(request, named as Decoding | undefined, settings, {
        onBody: (_bytes, held) => {
          handled++
          if (options.hold === true) response.once('close', () => held.end())
          else {
            held.end()
            response.writeHead(200).end(answer)
          }
        },
        onProblem: (problem, words) => {
          refused.push(problem)
          request.resume()
          response.writeHead(problem === 'overload' ? 503 : 400).end(words)
          if (problem === 'flood') endConnection(request)
        },
      })
    },
    { limits, countLoopback: options.countLoopback ?? false, onBadConnection: (reason) => refused.push(reason) },
  )
  const { port } = server
  const headers = { ':method': 'POST', ':scheme': 'https', ':path': '/', ':authority': 'localhost' }
  const body = (bytes: Uint8Array): Uint8Array => bytes
  const close = (deadline: AbortSignal): Promise<void> => server.close(deadline)
  const client = secure
    ? http2Client(`https://127.0.0.1:${port}`, headers, new Uint8Array(10), ':status', '200')
    : http1Client(port)
  return finish(t, { port, secure, headers, body, handled: () => handled, ...client, close }, common)
}

function http1Client(port: number) {
  return {
    bystander: (): Promise<void> =>
      new Promise((resolve, reject) => {
        const request = httpRequest({ port, host: '127.0.0.1', method: 'POST', agent: false }, (answer) => {
          answer.resume()
          answer.on('end', () => (answer.statusCode === 200 ? resolve() : reject(new Error(`${answer.statusCode}`))))
        })
        request.on('error', reject)
        request.end('hello')
      }),
    leave: (): void => {},
  }
}
