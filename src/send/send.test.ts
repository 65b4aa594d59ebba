import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FakeClock } from '../../test/support/fake-clock.ts'
import { startOtlpRecorder } from '../../test/support/otlp-recorder.ts'
import { systemClock } from '../graph/clock.ts'
import { COMPRESSIONS, PROTOCOLS, readSendOptions, SendUsageError, SIGNAL_NAMES } from './options.ts'
import { exitCodeOf, Sending } from './sending.ts'
import { openTransport, type Transport } from './transport.ts'

async function send(flags: readonly string[]) {
  const options = readSendOptions(flags, 1)!
  const transport = await openTransport(options)
  try {
    return await new Sending(options, transport, systemClock).run()
  } finally {
    await transport.close()
  }
}

for (const protocol of PROTOCOLS)
  for (const compression of COMPRESSIONS)
    test(`sends every signal over ${protocol} with compression ${compression}`, async (t) => {
      const recorder = await startOtlpRecorder(t)
      const endpoint = protocol === 'grpc' ? recorder.grpcAddress : recorder.httpAddress
      for (const signal of SIGNAL_NAMES) {
        const flags = ['--endpoint', endpoint, '--protocol', protocol, '--compression', compression]
        const totals = await send([signal, ...flags, '--rate', '0', '--requests', '3', '--items-per-request', '7'])
        assert.deepEqual([totals.accepted, totals.refused, totals.failed], [21, 0, 0])
      }
      assert.deepEqual(
        recorder.requests.map((request) => [request.signal, request.protocol, request.items]),
        SIGNAL_NAMES.flatMap((signal) => Array(3).fill([signal, protocol, 7])),
      )
    })

test('a refusal is counted with its reason, ends the sending, and the exit code says so', async (t) => {
  const recorder = await startOtlpRecorder(t)
  recorder.refuse = true
  for (const [flags, reason] of [
    [['--endpoint', recorder.grpcAddress], /^UNAVAILABLE/],
    [['--endpoint', recorder.httpAddress, '--otlp-http'], /^HTTP 503/],
  ] as const) {
    const totals = await send([...flags, '--rate', '0', '--requests', '5'])
    assert.deepEqual([totals.requests, totals.accepted, totals.refused], [1, 0, 10])
    assert.match([...totals.reasons.keys()][0]!, reason)
    assert.equal(exitCodeOf(totals, false), 1)
  }
})

test('where nobody listens nothing was refused: it failed', async () => {
  for (const protocol of PROTOCOLS) {
    const totals = await send(['--endpoint', '127.0.0.1:1', '--protocol', protocol, '--requests', '1'])
    assert.deepEqual([totals.accepted, totals.refused, totals.failed], [0, 0, 10])
    assert.match([...totals.reasons.keys()][0]!, /ECONNREFUSED/)
  }
})

test('with --allow-export-failures it goes on after a refusal', async (t) => {
  const recorder = await startOtlpRecorder(t)
  recorder.refuse = true
  const totals = await send([
    '--endpoint',
    recorder.grpcAddress,
    '--rate',
    '0',
    '--requests',
    '5',
    '--allow-export-failures',
  ])
  assert.equal(totals.requests, 5)
  assert.equal(exitCodeOf(totals, true), 1)
})

test('headers travel with every request', async (t) => {
  const recorder = await startOtlpRecorder(t)
  await send([
    '--endpoint',
    recorder.grpcAddress,
    '--requests',
    '1',
    '--headers',
    'x-plant=north',
    '--otlp-header',
    'X-Line="3"',
  ])
  await send(['--endpoint', recorder.httpAddress, '--otlp-http', '--requests', '1', '--headers', 'x-plant=north'])
  assert.deepEqual(
    recorder.requests.map(({ headers }) => [headers['x-plant'], headers['x-line']]),
    [
      ['north', '3'],
      ['north', undefined],
    ],
  )
})

test('the rate is kept by the plan: requests leave when they are due, and those that a slow answer kept leave at once', async () => {
  const clock = new FakeClock()
  const leftMs: number[] = []
  const slowMs = new Map([[3, 45]])
  const transport: Transport = {
    async send() {
      const slow = slowMs.get(leftMs.length)
      leftMs.push(clock.monotonic())
      if (slow !== undefined) await new Promise<void>((resolve) => clock.after(slow, resolve))
      return { kind: 'accepted', rejected: 0 }
    },
    close: async () => {},
  }
  const flags = ['--rate', '1000', '--items-per-request', '10', '--duration', '100ms']
  const done = new Sending(readSendOptions(flags, 1)!, transport, clock).run()
  await clock.run(100, 1)
  assert.deepEqual(leftMs, [0, 10, 20, 30, 75, 75, 75, 75, 80, 90])
  assert.equal((await done).requests, 10)
})

test('TLS is used for other hosts unless told otherwise, and flags of telemetrygen are understood', () => {
  const tlsOf = (...flags: string[]): boolean => readSendOptions(flags, 1)!.tls !== undefined
  assert.equal(tlsOf(), false)
  assert.equal(tlsOf('--otlp-endpoint', 'router.plant.example:4317'), true)
  assert.equal(tlsOf('--otlp-endpoint', 'router.plant.example:4317', '--otlp-insecure'), false)
  assert.equal(tlsOf('--endpoint', 'https://localhost:4317'), true)
  assert.equal(readSendOptions(['--otlp-http'], 1)!.address, 'localhost:4318')
  assert.equal(readSendOptions(['--duration', 'inf'], 1)!.durationMs, Number.POSITIVE_INFINITY)
})

test('a flag that cannot be followed says what to write', () => {
  for (const [flags, words] of [
    [['--rate', 'fast'], /--rate fast: write a number/],
    [['--signal', 'events'], /write one of traces, metrics, logs/],
    [['--duration', '10'], /write a duration/],
    [['--endpoint', 'router'], /has no port/],
    [['--headers', 'x'], /write key=value/],
    [['--nonsense'], /--nonsense/],
  ] as const)
    assert.throws(
      () => readSendOptions(flags, 1),
      (error) => error instanceof SendUsageError && words.test(error.message),
    )
})
