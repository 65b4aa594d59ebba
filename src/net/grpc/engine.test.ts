import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type ClientHttp2Session, type ClientHttp2Stream, connect } from 'node:http2'
import { connect as connectTcp, type Socket } from 'node:net'
import { type TestContext, test } from 'node:test'
import { certs } from '../../../test/support/certs.ts'
import { memoryLogger } from '../../../test/support/harness.ts'
import { ByteBudget } from '../byte-budget.ts'
import type { RpcError } from '../status.ts'
import { UnpackLine } from '../unpack-line.ts'
import type { GrpcCall, GrpcKeepalive, GrpcServerOptions } from './engine.ts'
import { BytesAhead, encodeGrpcMessage, findTimeoutMs, frameMessage, UnaryReader } from './framing.ts'
import { createGrpcServer, GRPC_ENGINES, type GrpcEngine } from './server.ts'

const PATH = '/test.Service/Export'
const DEFAULTS: GrpcKeepalive = {
  maxConnectionIdleMs: 0,
  maxConnectionAgeMs: 0,
  maxConnectionAgeGraceMs: 0,
  timeMs: 7_200_000,
  timeoutMs: 20_000,
  minTimeMs: 300_000,
  permitWithoutStream: false,
}

type Door = (
  t: TestContext,
  options?: Partial<GrpcServerOptions>,
  keepalive?: Partial<GrpcKeepalive>,
) => ReturnType<typeof openDoor>

async function openDoor(
  engine: GrpcEngine,
  t: TestContext,
  options: Partial<GrpcServerOptions> = {},
  keepalive: Partial<GrpcKeepalive> = {},
) {
  const calls: GrpcCall[] = []
  const refused: string[] = []
  const budget = new ByteBudget(1024 * 1024)
  const server = await createGrpcServer(
    {
      listen: { endpoint: '127.0.0.1:0', transport: 'tcp', secure: options.tls !== undefined },
      handlers: new Map([[PATH, (call) => calls.push(call)]]),
      maxMessageBytes: 4 * 1024 * 1024,
      maxConcurrentStreams: 100,
      maxConnections: 100,
      handshakeMs: 30_000,
      bodySilenceMs: 30_000,
      requestMs: 300_000,
      keepalive: { ...DEFAULTS, ...keepalive },
      budget,
      unpacking: new UnpackLine({ maxWaiting: 16, bytesPerTurn: 1024 * 1024 }),
      random: () => 0.5,
      encodeStatus: () => new Uint8Array(0),
      onRefused: (reason) => refused.push(reason),
      onError: (error) => assert.fail(error),
      ...options,
    },
    memoryLogger(),
    engine,
  )
  const { port } = await server.listen()
  t.after(() => server.close(AbortSignal.abort()))
  return { server, port, calls, refused, budget }
}

/** A promise that both engines keep. */
function both(name: string, run: (t: TestContext, door: Door) => Promise<void>): void {
  for (const engine of GRPC_ENGINES)
    test(`${engine}: ${name}`, { timeout: 20_000 }, (t) =>
      run(t, (on, options, keepalive) => openDoor(engine, on, options, keepalive)),
    )
}

function session(t: TestContext, port: number): ClientHttp2Session {
  const made = connect(`http://127.0.0.1:${port}`)
  made.on('error', () => {})
  t.after(() => made.destroy())
  return made
}

const HEADERS = { ':method': 'POST', ':path': PATH, 'content-type': 'application/grpc', te: 'trailers' }

function open(on: ClientHttp2Session): { stream: ClientHttp2Stream; status: Promise<string | undefined> } {
  const stream = on.request(HEADERS)
  const status = new Promise<string | undefined>((resolve) => {
    let found: unknown
    stream.on('response', (headers) => {
      found = headers['grpc-status']
    })
    stream.on('trailers', (headers) => {
      found = headers['grpc-status']
    })
    stream.on('error', () => {})
    stream.on('close', () => resolve(found as string | undefined))
    stream.resume()
  })
  return { stream, status }
}

const closed = (what: Socket | ClientHttp2Session): Promise<void> =>
  new Promise((resolve) => what.once('close', resolve))
const until = async (condition: () => boolean): Promise<void> => {
  for (let i = 0; i < 500 && !condition(); i++) await new Promise((resolve) => setTimeout(resolve, 4))
  assert.ok(condition())
}

both(
  'a connection that says nothing is closed after its time, one that spoke HTTP/2 may stay idle',
  async (t, door) => {
    const { port, refused } = await door(t, { handshakeMs: 200 })
    const silent = connectTcp(port, '127.0.0.1').resume()
    const idle = session(t, port)
    await closed(silent)
    assert.deepEqual(refused, ['timeout'])
    assert.equal(idle.destroyed, false)
  },
)

both('over TLS too a connection that says nothing is closed', async (t, door) => {
  const tls = { cert: certs.server.cert, key: certs.server.key }
  const { port } = await door(t, { handshakeMs: 200, tls })
  await closed(connectTcp(port, '127.0.0.1').resume())
})

both(
  'a request that falls silent, or drips for too long, ends with DeadlineExceeded and gives its bytes back',
  async (t, door) => {
    const { port, refused, budget } = await door(t, { bodySilenceMs: 150, requestMs: 400 })
    const on = session(t, port)
    const silent = open(on)
    silent.stream.write(frameMessage(new Uint8Array(1000), false).subarray(0, 500))
    const dripping = open(on)
    dripping.stream.write(frameMessage(new Uint8Array(1000), false).subarray(0, 5))
    const drip = setInterval(() => dripping.stream.destroyed || dripping.stream.write('x'), 40)
    assert.equal(await silent.status, '4')
    assert.equal(await dripping.status, '4')
    clearInterval(drip)
    assert.deepEqual(refused, ['timeout', 'timeout'])
    await until(() => budget.used === 0)
  },
)

both(
  'a call that is reset while its body comes gives its bytes back at once, one in the pipeline when it is answered',
  async (t, door) => {
    const { port, budget, calls } = await door(t)
    const on = session(t, port)
    const half = open(on)
    half.stream.write(frameMessage(new Uint8Array(1000), false).subarray(0, 500))
    await until(() => budget.used === 500)
    half.stream.close(8)
    await until(() => budget.used === 0)
    const whole = open(on)
    whole.stream.end(frameMessage(new Uint8Array(1000), false))
    await until(() => calls.length === 1)
    whole.stream.close(8)
    await whole.status
    assert.equal(budget.used, 1000)
    calls[0]!.respond(new Uint8Array(0))
    assert.equal(budget.used, 0)
  },
)

both(
  'over the budget a call is refused with Unavailable and a time to wait, while others keep their place',
  async (t, door) => {
    const hints: unknown[] = []
    const encodeStatus = (status: RpcError) => {
      hints.push(status.retryAfterMs)
      return new Uint8Array(0)
    }
    const { port, calls, refused } = await door(t, { encodeStatus })
    const on = session(t, port)
    const first = open(on)
    first.stream.end(frameMessage(new Uint8Array(700_000), false))
    await until(() => calls.length === 1)
    const second = open(on)
    second.stream.end(frameMessage(new Uint8Array(700_000), false))
    assert.equal(await second.status, '14')
    assert.deepEqual([refused, hints], [['overload'], [1000]])
    calls[0]!.respond(new Uint8Array(0))
    assert.equal(await first.status, '0')
  },
)

both('an error of any length keeps its code: the words are cut where clients stop reading headers', async (t, door) => {
  const { port, calls } = await door(t)
  const on = session(t, port)
  const long = open(on)
  long.stream.end(frameMessage(new Uint8Array(10), false))
  await until(() => calls.length === 1)
  calls[0]!.fail(14, '%'.repeat(200_000))
  assert.equal(await long.status, '14')
  const lost = on.request({ ...HEADERS, ':path': `/${'%'.repeat(30_000)}` })
  const [head] = (await once(lost, 'response')) as [Record<string, string>]
  assert.equal(head['grpc-status'], '12')
  assert.ok(head['grpc-message']!.length < 8192)
})

both('a client that makes no room for its answer keeps no stream open', async (t, door) => {
  const { port, calls } = await door(t, { bodySilenceMs: 150 })
  const on = connect(`http://127.0.0.1:${port}`, { settings: { initialWindowSize: 0 } })
  on.on('error', () => {})
  t.after(() => on.destroy())
  const { stream, status } = open(on)
  stream.end(frameMessage(new Uint8Array(10), false))
  await until(() => calls.length === 1)
  calls[0]!.respond(new Uint8Array(10))
  assert.equal(await status, undefined)
})

both(
  'half-sent requests that fill the budget give way to a request of another connection that asks for less',
  async (t, door) => {
    const { port, calls, refused, budget } = await door(t)
    const hostile = [session(t, port), session(t, port)].map((on) => {
      const half = open(on)
      half.stream.write(frameMessage(new Uint8Array(1_000_000), false).subarray(0, 500_000))
      return half
    })
    await until(() => budget.used === 1_000_000)
    const good = open(session(t, port))
    good.stream.end(frameMessage(new Uint8Array(100_000), false))
    await until(() => calls.length === 1)
    calls[0]!.respond(new Uint8Array(0))
    assert.equal(await good.status, '0')
    assert.deepEqual(refused, ['overload'])
    const ended = await Promise.race(hostile.map(({ status }) => status))
    assert.equal(ended, '14')
    assert.equal(budget.used, 500_000)
  },
)

both(
  'one connection has its own bound for requests that are still arriving, and each counts more than its bytes',
  async (t, door) => {
    const budget = new ByteBudget(10_000_000, { arrivingPerConnection: 1_000_000, perRequest: 1000 })
    const { port, calls, refused } = await door(t, { budget, maxMessageBytes: 800_000 })
    const on = session(t, port)
    for (const size of [0, 400_000]) {
      const half = open(on)
      half.stream.write(frameMessage(new Uint8Array(600_000), false).subarray(0, size))
      await until(() => budget.used === (size === 0 ? 1000 : 402_000))
    }
    const second = open(on)
    second.stream.end(frameMessage(new Uint8Array(700_000), false))
    assert.equal(await second.status, '14')
    assert.deepEqual(refused, ['overload'])
    const other = open(session(t, port))
    other.stream.end(frameMessage(new Uint8Array(700_000), false))
    await until(() => calls.length === 1)
    assert.equal(budget.used, 402_000 + 701_000)
    calls[0]!.fail(14, 'no')
    assert.equal(await other.status, '14')
    on.destroy()
    await until(() => budget.used === 0)
  },
)

both(
  'max_connection_age and max_connection_idle end connections politely: the call in progress is answered first',
  async (t, door) => {
    const aged = await door(t, {}, { maxConnectionAgeMs: 200, maxConnectionAgeGraceMs: 5000 })
    const on = session(t, aged.port)
    const goaway = new Promise((resolve) => on.once('goaway', resolve))
    const call = open(on)
    call.stream.end(frameMessage(new Uint8Array(1), false))
    assert.equal(await goaway, 0)
    aged.calls[0]!.respond(new Uint8Array(0))
    assert.equal(await call.status, '0')

    const idle = await door(t, {}, { maxConnectionIdleMs: 150 })
    await closed(session(t, idle.port))

    const stubborn = await door(t, {}, { maxConnectionAgeMs: 100, maxConnectionAgeGraceMs: 150 })
    const held = session(t, stubborn.port)
    open(held).stream.end(frameMessage(new Uint8Array(1), false))
    await closed(held)
  },
)

both('a client that pings too often is told to calm down, one that pings within bounds is not', async (t, door) => {
  const strict = await door(t)
  const rude = session(t, strict.port)
  const goaway = new Promise((resolve) => rude.once('goaway', (code) => resolve(code)))
  rude.once('connect', () => {
    for (let i = 0; i < 5; i++) rude.ping(() => {})
  })
  assert.equal(await goaway, 11)
  assert.deepEqual(strict.refused, ['protocol'])

  const lenient = await door(t, {}, { minTimeMs: 1, permitWithoutStream: true })
  const polite = session(t, lenient.port)
  for (let i = 0; i < 5; i++) {
    await new Promise<void>((resolve) => polite.ping(() => resolve()))
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
  assert.equal(polite.destroyed, false)
})

both('a client that does not answer the ping of the door is cut off', async (t, door) => {
  const { port } = await door(t, {}, { timeMs: 100, timeoutMs: 100 })
  const alive = session(t, port)
  const dead = connectTcp(port, '127.0.0.1')
  // Preface and empty SETTINGS, then nothing, not even acknowledgements.
  dead.write('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n')
  dead.write(Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0]))
  dead.resume()
  await closed(dead)
  assert.equal(alive.destroyed, false)
})

both('parallel calls are bounded and the bound is announced; one connection too many is closed', async (t, door) => {
  const { port } = await door(t, { maxConcurrentStreams: 7, maxConnections: 2 })
  const first = session(t, port)
  await new Promise((resolve) => first.once('remoteSettings', resolve))
  assert.equal(first.remoteSettings.maxConcurrentStreams, 7)
  const second = session(t, port)
  await new Promise((resolve) => second.once('remoteSettings', resolve))
  await closed(connectTcp(port, '127.0.0.1').on('error', () => {}))
  assert.equal(first.destroyed, false)
})

both('the deadline cuts calls that are never answered when the door closes', async (t, door) => {
  const { server, port, calls } = await door(t)
  const on = session(t, port)
  open(on).stream.end(frameMessage(new Uint8Array(1), false))
  await until(() => calls.length === 1)
  const started = performance.now()
  await server.close(AbortSignal.timeout(150))
  assert.ok(performance.now() - started < 2000)
  calls[0]!.respond(new Uint8Array(0))
})

both(
  'deadlines end calls in the order in which they fall due, and a call that is answered in time has none',
  async (t, door) => {
    const { port, calls, refused } = await door(t)
    const on = session(t, port)
    const call = (timeout: string): Promise<string> =>
      new Promise((resolve) => {
        const stream = on.request({ ...HEADERS, 'grpc-timeout': timeout })
        stream.on('response', (headers) => resolve(String(headers['grpc-status'] ?? 'OK')))
        stream.on('error', () => {})
        stream.end(frameMessage(new Uint8Array(1), false))
      })
    const ended: string[] = []
    const late = call('300m').then((status) => ended.push(`late ${status}`))
    const early = call('40m').then((status) => ended.push(`early ${status}`))
    const none = call('1n').then((status) => ended.push(`none ${status}`))
    const far = call('99999999H')
    await until(() => calls.length === 4 || refused.length > 0)
    await Promise.all([late, early, none])
    assert.deepEqual(ended, ['none 4', 'early 4', 'late 4'])
    calls.at(-1)!.respond(new Uint8Array(0))
    assert.equal(await far, 'OK')
    assert.deepEqual(refused, ['timeout', 'timeout', 'timeout'])
  },
)

test('memory is taken ahead of a message up to a bound, beyond which it grows with what has come', () => {
  const ahead = new BytesAhead(5000)
  const bytes = frameMessage(
    Uint8Array.from({ length: 3000 }, (_, i) => i),
    false,
  )
  const [first, second] = [new UnaryReader(4000, ahead), new UnaryReader(4000, ahead)]
  for (const reader of [first, second]) assert.equal(reader.push(bytes.subarray(0, 1000)), undefined)
  assert.equal(ahead.tryTake(5000 - 3000 + 995 + 1), false)
  for (const reader of [first, second]) {
    assert.equal(reader.push(bytes, 1000), undefined)
    assert.ok(Buffer.from(reader.take()).equals(bytes.subarray(5)))
  }
  const gone = new UnaryReader(4000, ahead)
  assert.equal(gone.push(bytes.subarray(0, 100)), undefined)
  gone.clear()
  gone.clear()
  assert.ok(ahead.tryTake(5000))
  assert.equal(ahead.tryTake(1), false)
})

test('a message is gathered from chunks of any size, and what is not one message is named', () => {
  const bytes = frameMessage(
    Uint8Array.from({ length: 3000 }, (_, i) => i),
    false,
  )
  for (const size of [1, 2, 4, 5, 6, 7, 1000, 3005]) {
    const reader = new UnaryReader(4000)
    for (let at = 0; at < bytes.length; at += size) assert.equal(reader.push(bytes.subarray(at, at + size)), undefined)
    assert.ok(reader.whole)
    const message = reader.take()
    assert.ok(Buffer.from(message).equals(bytes.subarray(5)), `chunks of ${size}`)
    assert.equal(message.buffer.byteLength, 3000)
    assert.equal(reader.push(Uint8Array.of(0)), 'second_message')
  }
  assert.equal(new UnaryReader(2999).push(bytes), 'too_large')
  assert.equal(new UnaryReader(4000).push(Uint8Array.of(2, 0, 0, 0, 0)), 'bad_flag')
})

test('timeouts and messages follow the protocol text', () => {
  const cases: [string, number | undefined][] = [
    ['1H', 3_600_000],
    ['2M', 120_000],
    ['3S', 3000],
    ['250m', 250],
    ['5000u', 5],
    ['1000000n', 1],
    ['123456789S', undefined],
    ['5', undefined],
    ['-1S', undefined],
    ['', undefined],
  ]
  for (const [text, ms] of cases) assert.equal(findTimeoutMs(text), ms, text)
  assert.equal(encodeGrpcMessage('plain text'), 'plain text')
  assert.equal(encodeGrpcMessage('100 % für\n'), '100 %25 f%C3%BCr%0A')
  // RFC 9113 8.2.1: no field begins or ends with a blank.
  assert.equal(encodeGrpcMessage(' refused: '), '%20refused:%20')
  assert.equal(encodeGrpcMessage(' '), '%20')
})
