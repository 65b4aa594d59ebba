import assert from 'node:assert/strict'
import { connect, createServer, type Socket } from 'node:net'
import { type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { Metadata, ServerCredentials, status } from '@grpc/grpc-js'
import { certs } from '../../../test/support/certs.ts'
import { EXPORT, grpcPeer, type PeerHandler } from '../../../test/support/grpc-peer.ts'
import { exporterHarness, type Fate } from '../../../test/support/harness.ts'
import { parseConfig } from '../../config/testing.ts'
import { jsonToBytes } from '../../otlp/json/index.ts'
import { encodeExportResponse, encodeRpcStatus } from '../../otlp/response.ts'
import { config } from './config.ts'
import { factory } from './factory.ts'

const spans = (count: number, name = 'span'): Uint8Array =>
  jsonToBytes(
    'traces',
    JSON.stringify({
      resourceSpans: [
        {
          scopeSpans: [
            {
              spans: Array.from({ length: count }, (_, i) => ({
                traceId: '1'.repeat(32),
                spanId: '2'.repeat(16),
                name: `${name}-${i}`,
              })),
            },
          ],
        },
      ],
    }),
  )

const settled = async (fate: Fate): Promise<Fate> => {
  for (let i = 0; i < 1000 && !fate.delivered && fate.refused === undefined; i++) await sleep(2)
  return fate
}

const ENGINES = { lean: [], 'grpc-js': ['millrace.grpc.grpcJsClient'] } as const

function onBoth(name: string, run: (t: TestContext, gates: readonly string[]) => Promise<void>): void {
  for (const [engine, gates] of Object.entries(ENGINES)) test(`${engine}: ${name}`, (t) => run(t, gates))
}

const DIRECT = { sending_queue: { enabled: false }, retry_on_failure: { enabled: false }, tls: { insecure: true } }

async function pair(
  t: TestContext,
  options: { handler?: PeerHandler; config?: object; gates?: readonly string[] } = {},
) {
  const peer = await grpcPeer(t, options.handler === undefined ? {} : { handler: options.handler })
  const exporter = await exporterHarness(
    t,
    factory,
    { endpoint: `127.0.0.1:${peer.port}`, ...DIRECT, ...options.config },
    { id: 'otlp/2', gates: options.gates ?? [] },
  )
  return { peer, ...exporter }
}

onBoth('a request leaves byte for byte as it came, to the service of its signal', async (t, gates) => {
  const { peer, push, metric } = await pair(t, {
    gates,
    config: { compression: 'none' },
  })
  const bytes = spans(3)
  await settled(push('traces', bytes))
  assert.ok(peer.calls[0]!.request.equals(bytes))
  assert.equal(peer.calls[0]!.getPath(), EXPORT.traces)
  const log = { resourceLogs: [{ scopeLogs: [{ logRecords: [{ body: { stringValue: 'x' } }] }] }] }
  assert.equal((await settled(push('logs', log))).delivered, true)
  assert.equal(peer.calls[1]!.getPath(), EXPORT.logs)
  const metrics = {
    resourceMetrics: [{ scopeMetrics: [{ metrics: [{ name: 'm', gauge: { dataPoints: [{ asInt: '1' }] } }] }] }],
  }
  assert.equal((await settled(push('metrics', metrics))).delivered, true)
  assert.equal(peer.calls[2]!.getPath(), EXPORT.metrics)
  const agent = String(peer.calls[0]!.metadata.get('user-agent')[0])
  // grpc-js puts its own name behind ours.
  assert.match(agent, /^Millrace\/0\.0\.0-test \([a-z]+\/[a-z0-9]+\)( grpc-node-js\/[0-9.]+)?$/)
  assert.equal(metric('exporter_sent_spans', { exporter: 'otlp/2', 'server.address': '127.0.0.1' }), 3)
  assert.equal(metric('exporter_sent_log_records'), 1)
})

onBoth('headers arrive as they are written, those that end in -bin as their bytes', async (t, gates) => {
  const { peer, push } = await pair(t, {
    gates,
    config: { headers: { 'X-Tenant': 'line 3', 'trace-bin': 'Läufer\n' } },
  })
  await settled(push('traces', spans(1)))
  const { metadata } = peer.calls[0]!
  assert.deepEqual(metadata.get('x-tenant'), ['line 3'])
  assert.equal(String(metadata.get('trace-bin')[0]), 'Läufer\n')
})

test('a certificate that cannot be used ends the start, and not the shard at the first connection', async (t) => {
  const tls = { cert_pem: 'garbage', key_pem: 'garbage' }
  await assert.rejects(pair(t, { config: { tls, endpoint: 'localhost:1' } }), /the certificate, key or ciphers/)
})

onBoth(
  'whether the server takes data is told: connected, and the last attempt not failed for now',
  async (t, gates) => {
    let code: number = status.OK
    const { push, metric, peer } = await pair(t, {
      gates,
      handler: (_, answer) => answer({ code }),
    })
    const healthy = (): number | undefined => metric('exporter_remote_healthy', { endpoint: `127.0.0.1:${peer.port}` })
    await settled(push('traces', spans(1)))
    assert.equal(healthy(), 1)
    code = status.UNAVAILABLE
    await settled(push('traces', spans(1)))
    assert.equal(healthy(), 0)
    code = status.INVALID_ARGUMENT
    await settled(push('traces', spans(1)))
    assert.equal(healthy(), 1)
  },
)

onBoth('the default packs with gzip', async (t, gates) => {
  const { peer, push } = await pair(t, { gates })
  const bytes = spans(100)
  assert.equal((await settled(push('traces', bytes))).delivered, true)
  assert.ok(peer.calls[0]!.request.equals(bytes))
})

onBoth('codes are tried again or final as OTLP says', async (t, gates) => {
  let code: number = status.OK
  let details: Uint8Array | undefined
  const { push } = await pair(t, {
    gates,
    handler: (_, answer) => {
      const metadata = new Metadata()
      if (details !== undefined) metadata.set('grpc-status-details-bin', Buffer.from(details))
      answer({ code, details: 'no', metadata })
    },
  })
  const retried = [1, 4, 10, 11, 14, 15]
  for (code = 1; code <= 16; code++) {
    const { refused } = await settled(push('traces', spans(1)))
    assert.equal(refused!.retry, retried.includes(code) ? 'backoff' : 'never', `code ${code}`)
    assert.equal(refused!.grpcCode, code)
    assert.equal(refused!.message, 'no')
  }
  code = status.RESOURCE_EXHAUSTED
  details = encodeRpcStatus({ code, message: 'no', retryAfterMs: 1500 })
  assert.deepEqual((await settled(push('traces', spans(1)))).refused!.retry, { afterMs: 1500 })
  details = Buffer.from([0xff])
  assert.equal((await settled(push('traces', spans(1)))).refused!.retry, 'never')
})

onBoth('a partial success is logged and counts as sent, and what it rejected is counted', async (t, gates) => {
  const { push, logs, metric } = await pair(t, {
    gates,
    handler: (_, answer) => answer(null, Buffer.from(encodeExportResponse({ rejected: 2, message: 'too old' }))),
  })
  assert.equal((await settled(push('traces', spans(5)))).delivered, true)
  assert.equal(metric('exporter_sent_spans'), 5)
  assert.equal(metric('exporter_rejected_spans'), 2)
  const line = logs.find(({ level }) => level === 'warn')!
  assert.equal(line.message, 'Partial success response')
  assert.deepEqual(line.fields, { message: 'too old', dropped_items: 2 })
})

onBoth('an answer that is no OTLP response is final', async (t, gates) => {
  const { push } = await pair(t, {
    gates,
    handler: (_, answer) => answer(null, Buffer.from([0xff, 0xff])),
  })
  assert.equal((await settled(push('traces', spans(1)))).refused?.code, 'NEXT_HOP_BAD_ANSWER')
})

onBoth('a server that does not answer in time is DEADLINE_EXCEEDED, to be tried again', async (t, gates) => {
  const { push, clock, peer, metric } = await pair(t, {
    gates,
    handler: () => {},
    config: { timeout: '2s' },
  })
  const fate = push('traces', spans(4))
  while (peer.calls.length === 0) await sleep(2)
  clock.advance(2000)
  const { refused } = await settled(fate)
  assert.equal(refused!.grpcCode, status.DEADLINE_EXCEEDED)
  assert.equal(refused!.retry, 'backoff')
  assert.equal(metric('exporter_send_failed_spans', { 'error.type': 'DeadlineExceeded' }), 4)
})

onBoth('nobody listening is UNAVAILABLE, to be tried again', async (t, gates) => {
  const { push } = await exporterHarness(t, factory, { endpoint: '127.0.0.1:1', ...DIRECT }, { gates })
  const { refused } = await settled(push('traces', spans(1)))
  assert.equal(refused!.grpcCode, status.UNAVAILABLE)
  assert.equal(refused!.retry, 'backoff')
})

onBoth('TLS is on unless it is turned off, and shows our certificate', async (t, gates) => {
  const keys = [{ private_key: Buffer.from(certs.server.key), cert_chain: Buffer.from(certs.server.cert) }]
  const peer = await grpcPeer(t, { credentials: ServerCredentials.createSsl(Buffer.from(certs.ca), keys, true) })
  const tls = { ca_file: certs.caFile, cert_file: certs.client.certFile, key_file: certs.client.keyFile }
  const { push } = await exporterHarness(t, factory, { ...DIRECT, endpoint: `localhost:${peer.port}`, tls }, { gates })
  assert.equal((await settled(push('traces', spans(2)))).delivered, true)
  const plain = await exporterHarness(t, factory, { ...DIRECT, endpoint: `localhost:${peer.port}` }, { gates })
  assert.equal((await settled(plain.push('traces', spans(2)))).refused?.grpcCode, status.UNAVAILABLE)
  // https:// asks for TLS whatever `insecure` says.
  const forced = await exporterHarness(
    t,
    factory,
    {
      ...DIRECT,
      endpoint: `https://localhost:${peer.port}`,
      tls: { ...tls, insecure: true },
    },
    { gates },
  )
  assert.equal((await settled(forced.push('traces', spans(2)))).delivered, true)
})

onBoth(
  'a stalled server fills the queue, senders are refused, and all that was accepted arrives once it recovers',
  async (t, gates) => {
    const waiting: (() => void)[] = []
    let stalled = true
    const { peer, push, metric } = await pair(t, {
      gates,
      handler: (_, answer) => {
        const done = (): void => answer(null, Buffer.alloc(0))
        if (stalled) waiting.push(done)
        else done()
      },
      config: { sending_queue: { queue_size: 20, num_consumers: 4 } },
    })
    const fates = Array.from({ length: 50 }, (_, i) => push('traces', spans(1, `r${i}`)))
    const accepted = fates.filter((fate) => fate.accepted)
    assert.equal(accepted.length, 20)
    assert.equal(fates[30]!.refused?.message, 'sending queue is full')
    while (waiting.length < 4) await sleep(2)
    assert.equal(peer.calls.length, 4)
    stalled = false
    for (const done of waiting) done()
    for (const fate of accepted) assert.equal((await settled(fate)).delivered, true)
    assert.equal(peer.calls.length, 20)
    assert.equal(metric('exporter_sent_spans'), 20)
    assert.equal(metric('exporter_enqueue_failed_spans'), 30)
  },
)

test('connections killed in flight lose nothing that was accepted: it is sent again', async (t) => {
  const { port, calls } = await grpcPeer(t, {
    handler: (_, answer) => setTimeout(() => answer(null, Buffer.alloc(0)), 3),
  })
  // A relay that cuts every connection after some time.
  const open = new Set<Socket>()
  const relay = createServer((inside) => {
    const outside = connect(port, '127.0.0.1')
    inside.pipe(outside).pipe(inside)
    for (const socket of [inside, outside]) {
      open.add(socket)
      socket.setNoDelay(true)
      socket.on('error', () => {})
      socket.on('close', () => open.delete(socket))
    }
  })
  relay.listen(0, '127.0.0.1')
  await new Promise((resolve) => relay.once('listening', resolve))
  t.after(() => {
    relay.close()
    for (const socket of open) socket.destroy()
  })
  const retry = { initial_interval: '1s', max_interval: '1s', randomization_factor: 0 }
  const { push, clock, metric } = await exporterHarness(t, factory, {
    endpoint: `127.0.0.1:${(relay.address() as { port: number }).port}`,
    tls: { insecure: true },
    sending_queue: { num_consumers: 5 },
    retry_on_failure: retry,
    timeout: '1m',
  })
  const fates = Array.from({ length: 100 }, (_, i) => push('traces', spans(1, `r${i}-`)))
  let kills = 0
  for (let i = 0; i < 1500 && fates.some((fate) => !fate.delivered); i++) {
    if (kills < 5 && calls.length > 15 * (kills + 1)) {
      kills++
      for (const socket of open) socket.destroy()
    }
    clock.advance(100)
    await sleep(2)
  }
  assert.equal(kills, 5)
  assert.equal(
    fates.every((fate) => fate.accepted && fate.delivered),
    true,
  )
  assert.equal(metric('exporter_sent_spans'), 100)
  assert.equal(metric('exporter_send_failed_spans'), undefined)
  assert.ok(calls.length >= 100)
})

onBoth('stopping sends what the queue holds, and closes', async (t, gates) => {
  const { peer, push, stop, clock } = await pair(t, {
    gates,
    config: { sending_queue: { num_consumers: 1, batch: {} } },
  })
  const fates = Array.from({ length: 5 }, () => push('traces', spans(2)))
  await stop()
  assert.equal(
    fates.every((fate) => fate.delivered),
    true,
  )
  assert.equal(peer.calls.length, 1)
  assert.equal(clock.pending, 0)
  await stop()
})

test('configuration that cannot work is refused with words', () => {
  const problems = (value: object): string[] => {
    try {
      parseConfig(config, value)
      return []
    } catch (error) {
      return (error as { problems: { path: string }[] }).problems.map(({ path }) => path)
    }
  }
  assert.deepEqual(problems({}), ['endpoint'])
  assert.deepEqual(problems({ endpoint: 'localhost' }), ['endpoint'])
  assert.deepEqual(problems({ endpoint: 'localhost:grpc' }), ['endpoint'])
  assert.deepEqual(problems({ endpoint: 'a:1', auth: { authenticator: 'x/' } }), ['auth.authenticator'])
  assert.deepEqual(problems({ endpoint: 'a:1', auth: {} }), ['auth.authenticator'])
  assert.deepEqual(problems({ endpoint: 'a:1', middlewares: ['x'] }), ['middlewares'])
  assert.deepEqual(problems({ endpoint: 'a:1', auth: { authenticator: 'x' }, middlewares: [] }), [])
  assert.deepEqual(problems({ endpoint: 'a:1', compression: 'lz4' }), ['compression'])
  assert.deepEqual(problems({ endpoint: 'a:1', headers: { 'grpc-timeout': '1' } }), ['headers'])
  assert.deepEqual(problems({ endpoint: 'a:1', headers: { 'x-a': 'two\nlines' } }), ['headers'])
  assert.deepEqual(problems({ endpoint: 'a:1', headers: { 'x-a-bin': 'two\nlines' } }), [])
  assert.deepEqual(
    problems({
      endpoint: 'a:1',
      balancer_name: 'round_robin',
      write_buffer_size: 1,
      keepalive: { time: '20s' },
      compression: '',
    }),
    [],
  )
})

test('grpc-js: packing that it cannot do ends the start with words', async (t) => {
  const config = { ...DIRECT, endpoint: '127.0.0.1:1', compression: 'zstd' }
  const gates = ['millrace.grpc.grpcJsClient']
  await assert.rejects(exporterHarness(t, factory, config, { gates }), /grpc-js has no zstd; write gzip or none/)
})
