// Our gRPC clients against the servers that plants have: both doors of ours, @grpc/grpc-js (on node:http2), grpc-go, the
// server of Collectors, grpcio (gRPC's C core) and grpc-java (Netty); plain, and over TLS with ALPN. Each message has a
// number; each arrives once.

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { ServerCredentials } from '@grpc/grpc-js'
import { ByteBudget } from '../../src/net/byte-budget.ts'
import { GRPC_CLIENT_ENGINES, type GrpcClientEngine } from '../../src/net/grpc/client.ts'
import type { GrpcClient } from '../../src/net/grpc/client-engine.ts'
import { GrpcError } from '../../src/net/grpc/client-status.ts'
import type { GrpcCall } from '../../src/net/grpc/engine.ts'
import { createGrpcServer, GRPC_ENGINES, type GrpcEngine } from '../../src/net/grpc/server.ts'
import { GRPC } from '../../src/net/status.ts'
import { UnpackLine } from '../../src/net/unpack-line.ts'
import { certs } from '../support/certs.ts'
import { clientTo } from '../support/grpc-client.ts'
import { EXPORT, grpcPeer } from '../support/grpc-peer.ts'
import { findGrpcio } from '../support/grpcio.ts'
import { memoryLogger } from '../support/harness.ts'
import { findProgram, type Program } from '../support/programs.ts'

interface Options {
  readonly secure: boolean
  /** Connections end politely after so long. */
  readonly ageMs?: number
  readonly streams?: number
  /** Of each call, where the server can be told. */
  readonly delayMs?: number
  readonly windowBytes?: number
}

/** What a server has seen. */
interface Seen {
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

class Counter {
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
  async (t, { secure, ageMs = 0, streams = 100 }) => {
    const counter = new Counter()
    const server = await createGrpcServer(
      {
        listen: { endpoint: '127.0.0.1:0', transport: 'tcp', secure },
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
    t.after(() => server.close(AbortSignal.abort()))
    return { port, seen: async () => counter.seen }
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
  async (t, { secure, ageMs, streams = 100, delayMs, windowBytes }) => {
    if (typeof found === 'string') throw new Error(found)
    const args = ['-streams', String(streams)]
    if (secure) args.push('-cert', certs.server.certFile, '-key', certs.server.keyFile)
    if (ageMs !== undefined) args.push('-age', `${ageMs}${unit}`)
    if (delayMs !== undefined) args.push('-delay', `${delayMs}${unit}`)
    if (windowBytes !== undefined) args.push('-window', String(windowBytes))
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

interface Subject {
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
const LEAN = ['lean'] as const
const SUBJECTS: readonly Subject[] = [
  ...GRPC_ENGINES.map((engine) => ({ name: `our door on ${engine}`, open: door(engine) })),
  { name: '@grpc/grpc-js', open: grpcJs },
  { name: 'grpc-go', open: program(go, 'ms'), skip: reason(go), slow: { windowBytes: 65_536 } },
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

function message(number: number, length: number): Uint8Array[] {
  const head = Buffer.alloc(8)
  head.writeUInt32BE(number, 4)
  // Several parts, as a batch of joined requests has them.
  const rest = Math.max(0, length - head.length)
  const first = Math.floor(rest / 3)
  return [head, new Uint8Array(first).fill(number), new Uint8Array(rest - first).fill(number + 1)]
}

const LENGTHS = [8, 100, 8_192, 16_384, 16_385, 70_000, 1_500_000]

/**
 * Keeps `most` calls running until `more` says no. Returns how many were made, and their bytes. Where a server `refuses`
 * streams, its calls are made again as an exporter would.
 */
async function load(
  client: GrpcClient,
  most: number,
  more: (made: number) => boolean,
  lengths: readonly number[],
  refuses = false,
) {
  const send = async (parts: readonly Uint8Array[], length: number): Promise<void> => {
    for (;;)
      try {
        await client.call(EXPORT.traces, parts, length)
        return
      } catch (error) {
        if (!refuses || !(error instanceof GrpcError) || error.code !== GRPC.UNAVAILABLE) throw error
        await sleep(10)
      }
  }
  let made = 0
  let bytes = 0
  const worker = async (): Promise<void> => {
    while (more(made)) {
      const parts = message(made, lengths[made % lengths.length]!)
      made++
      const length = parts.reduce((sum, part) => sum + part.length, 0)
      bytes += length
      await send(parts, length)
    }
  }
  await Promise.all(Array.from({ length: most }, worker))
  return { made, bytes }
}

for (const { name, open, skip = false, engines = GRPC_CLIENT_ENGINES, ageMs = 150, refuses, slow } of SUBJECTS) {
  for (const engine of engines) {
    for (const secure of [false, true])
      test(`${engine} to ${name}${secure ? ' over TLS' : ''}: messages of all sizes, many at once, arrive once each`, {
        skip,
      }, async (t) => {
        const server = await open(t, { secure, streams: 20 })
        const tls = secure ? { tls: { ca: certs.ca } } : {}
        const client = clientTo(t, `localhost:${server.port}`, { ...tls, timeoutMs: 60_000 }, engine)
        const { made, bytes } = await load(client, 50, (count) => count < 105, LENGTHS, refuses)
        client.close()
        const seen = await server.seen()
        assert.deepEqual([seen.calls, seen.messages, seen.bytes], [made, made, bytes])
      })

    test(`${engine} to ${name}: connections that end politely under load lose and double nothing`, {
      skip,
    }, async (t) => {
      const server = await open(t, { secure: false, ageMs })
      const client = clientTo(t, `127.0.0.1:${server.port}`, { timeoutMs: 60_000 }, engine)
      const end = performance.now() + Math.max(900, 2.5 * ageMs)
      const { made } = await load(client, 20, () => performance.now() < end, [8, 100, 20_000], refuses)
      client.close()
      const seen = await server.seen()
      assert.deepEqual([seen.calls, seen.messages], [made, made])
      assert.ok(seen.connections >= 2, `${seen.connections} connections`)
    })
  }

  if (slow !== undefined)
    test(`lean to ${name}: a thousand calls at once on a slow server all end, and large ones among them`, {
      skip,
    }, async (t) => {
      const server = await open(t, { secure: false, streams: 1000, delayMs: 5, ...slow })
      const client = clientTo(t, `127.0.0.1:${server.port}`, { timeoutMs: 60_000 })
      const lengths = [8, 100, 8, 8, 20_000, 8, 8, 100, 8, 200_000]
      const { made, bytes } = await load(client, 1000, (count) => count < 1500, lengths, refuses)
      client.close()
      const seen = await server.seen()
      assert.deepEqual([seen.calls, seen.messages, seen.bytes], [made, made, bytes])
    })
}
