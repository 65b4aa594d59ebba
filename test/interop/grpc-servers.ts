// The gRPC servers that plants have, for the tests of our clients: both doors of ours, @grpc/grpc-js (on node:http2), grpc-go,
// the server of Collectors, grpcio (gRPC's C core) and grpc-java (Netty). Each counts what it takes.

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import type { TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import { ServerCredentials } from '@grpc/grpc-js'
import { ByteBudget } from '../../src/net/byte-budget.ts'
import type { GrpcClientEngine } from '../../src/net/grpc/client.ts'
import type { GrpcCall } from '../../src/net/grpc/engine.ts'
import { createGrpcServer, GRPC_ENGINES, type GrpcEngine } from '../../src/net/grpc/server.ts'
import { UnpackLine } from '../../src/net/unpack-line.ts'
import { certs } from '../support/certs.ts'
import { EXPORT, grpcPeer } from '../support/grpc-peer.ts'
import { findGrpcio } from '../support/grpcio.ts'
import { memoryLogger } from '../support/harness.ts'
import { findProgram, type Program } from '../support/programs.ts'

export interface Options {
  readonly secure: boolean
  /** Connections end politely after so long. */
  readonly ageMs?: number
  readonly streams?: number
  /** Of each call, where the server can be told. */
  readonly delayMs?: number
  readonly windowBytes?: number
  /** Where a server can be told; otherwise any. */
  readonly port?: number
}

/** What a server has seen. */
export interface Seen {
  readonly calls: number
  readonly messages: number
  readonly bytes: number
  readonly connections: number
}

interface Server {
  readonly port: number
  seen(): Promise<Seen>
}

type Open = (t: TestContext, options: Options) => Promise<Server>

export class Counter {
  calls = 0
  bytes = 0
  readonly #numbers = new Set<number>()
  readonly #peers = new Set<string>()

  add(message: Uint8Array, peer: string): void {
    this.#peers.add(peer)
    this.calls++
    this.bytes += message.length
    this.#numbers.add(Buffer.from(message).readUInt32BE(4))
  }

  get seen(): Seen {
    return { calls: this.calls, messages: this.#numbers.size, bytes: this.bytes, connections: this.#peers.size }
  }
}

const door =
  (engine: GrpcEngine): Open =>
  async (t, options) => {
    const counter = new Counter()
    const { port, cut } = await serve(counter, options, engine)
    t.after(cut)
    return { port, seen: async () => counter.seen }
  }

/** Our own, which can be cut off. */
export async function serve(
  counter: Counter,
  { secure, ageMs = 0, streams = 100, port: wanted = 0 }: Options,
  engine: GrpcEngine = 'lean',
): Promise<{ port: number; cut(): Promise<void> }> {
  const server = await createGrpcServer(
    {
      listen: { endpoint: `127.0.0.1:${wanted}`, transport: 'tcp', secure },
      ...(secure ? { tls: { cert: certs.server.cert, key: certs.server.key } } : {}),
      handlers: new Map([
        [
          EXPORT.traces,
          (call: GrpcCall) => {
            counter.add(call.message, call.peer)
            setImmediate(() => call.respond(new Uint8Array(0)))
          },
        ],
      ]),
      maxMessageBytes: 4 * 1024 * 1024,
      maxConcurrentStreams: streams,
      maxConnections: 1000,
      handshakeMs: 30_000,
      bodySilenceMs: 30_000,
      requestMs: 300_000,
      keepalive: {
        maxConnectionIdleMs: 0,
        maxConnectionAgeMs: ageMs,
        maxConnectionAgeGraceMs: 0,
        timeMs: 7_200_000,
        timeoutMs: 20_000,
        minTimeMs: 0,
        permitWithoutStream: true,
      },
      budget: new ByteBudget(256 * 1024 * 1024),
      unpacking: new UnpackLine({ maxWaiting: 100, bytesPerTurn: 16 * 1024 * 1024 }),
      random: () => 0.5,
      encodeStatus: () => new Uint8Array(0),
      onRefused: (reason, detail) => assert.fail(`${reason}: ${detail}`),
      onError: (error) => assert.fail(error),
    },
    memoryLogger(),
    engine,
  )
  const { port } = await server.listen()
  return { port, cut: () => server.close(AbortSignal.abort()) }
}

const grpcJs: Open = async (t, { secure, ageMs, streams = 100 }) => {
  const counter = new Counter()
  const pair = { private_key: Buffer.from(certs.server.key), cert_chain: Buffer.from(certs.server.cert) }
  const { port } = await grpcPeer(t, {
    ...(secure ? { credentials: ServerCredentials.createSsl(null, [pair]) } : {}),
    server: {
      'grpc.max_concurrent_streams': streams,
      ...(ageMs === undefined ? {} : { 'grpc.max_connection_age_ms': ageMs }),
    },
    handler(call, answer) {
      counter.add(call.request, call.getPeer())
      setImmediate(() => answer(null, Buffer.alloc(0)))
    },
  })
  return { port, seen: async () => counter.seen }
}

/** A program of this folder. `unit` is what its times end with. */
const program =
  (found: Started | string, unit = ''): Open =>
  async (t, { secure, ageMs, streams = 100, delayMs, windowBytes, port: wanted }) => {
    if (typeof found === 'string') throw new Error(found)
    const args = ['-streams', String(streams)]
    if (secure) args.push('-cert', certs.server.certFile, '-key', certs.server.keyFile)
    if (ageMs !== undefined) args.push('-age', `${ageMs}${unit}`)
    if (delayMs !== undefined) args.push('-delay', `${delayMs}${unit}`)
    if (windowBytes !== undefined) args.push('-window', String(windowBytes))
    if (wanted !== undefined) args.push(`127.0.0.1:${wanted}`)
    const { env = process.env } = found
    const child = spawn(found.command, [...found.args, ...args], { stdio: ['pipe', 'pipe', 'inherit'], env })
    t.after(() => child.kill())
    const lines = createInterface(child.stdout)
    const [port] = (await once(lines, 'line')) as [string]
    return {
      port: Number(port),
      async seen() {
        child.stdin.end()
        const [line] = (await once(lines, 'line')) as [string]
        return JSON.parse(line) as Seen
      },
    }
  }

type Started = Program & { readonly env?: NodeJS.ProcessEnv }

function grpcio(): Started | string {
  const found = findGrpcio()
  if (typeof found === 'string') return found
  return { ...found, args: [fileURLToPath(new URL('python/server.py', import.meta.url))] }
}

export interface Subject {
  readonly name: string
  readonly open: Open
  readonly skip?: string | false
  readonly engines?: readonly GrpcClientEngine[]
  /** The shortest life of a connection that the server can be given. */
  readonly ageMs?: number
  /** It refuses streams that it allows, while it still cleans up behind those that it has answered (RFC 9113 8.7). */
  readonly refuses?: boolean
  /** It can be told to be slow. */
  readonly slow?: Partial<Options>
}

const reason = (found: Started | string): string | false => typeof found === 'string' && found
const [go, python, java] = [findProgram('grpc-go server'), grpcio(), findProgram('grpc-java server')]
export const grpcGo: Subject = {
  name: 'grpc-go',
  open: program(go, 'ms'),
  skip: reason(go),
  slow: { windowBytes: 65_536 },
}
const LEAN = ['lean'] as const
export const SUBJECTS: readonly Subject[] = [
  ...GRPC_ENGINES.map((engine) => ({ name: `our door on ${engine}`, open: door(engine) })),
  { name: '@grpc/grpc-js', open: grpcJs },
  grpcGo,
  { name: 'grpcio', open: program(python), skip: reason(python), engines: LEAN, refuses: true, slow: {} },
  {
    name: 'grpc-java',
    open: program(java),
    skip: reason(java),
    engines: LEAN,
    ageMs: 1000,
    slow: { windowBytes: 65_536 },
  },
]
