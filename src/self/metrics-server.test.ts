import assert from 'node:assert/strict'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type TestContext, test } from 'node:test'
import { gunzipSync } from 'node:zlib'
import { type Metadata, Server, ServerCredentials, status } from '@grpc/grpc-js'
import { FakeClock } from '../../test/support/fake-clock.ts'
import { parseConfig } from '../config/testing.ts'
import { checkRequest } from '../otlp/check.ts'
import { bytesToJson } from '../otlp/json/index.ts'
import { metricsConfig } from './config.ts'
import type { LogFields, Logger } from './log.ts'
import { MeterRegistry } from './meter-registry.ts'
import {
  type MetricsServers,
  type MetricsServersContext,
  prometheusPages,
  startMetricsServers,
} from './metrics-server.ts'
import type { Snapshot } from './snapshot.ts'

const RESOURCE = { 'service.instance.id': 'i-1', 'service.name': 'millrace', 'service.version': '0.1.0' }

function shard(value: number): Snapshot {
  const registry = new MeterRegistry('normal')
  registry.component('receiver', 'otlp').counter('receiver_accepted_spans', '{span}', 'Words.').add(value)
  registry.meter().observe('process_uptime', 's', 'Words.', () => value, { monotonic: true })
  registry
    .meter()
    .gauge('depth', '1', 'Words.')
    .set(value / 2)
  registry.meter().histogram('sizes', '{item}', 'Words.', [2, 4]).record(value)
  return registry.snapshot()
}

interface Started {
  readonly readers: MetricsServers
  readonly clock: FakeClock
  readonly printed: string[]
  readonly logged: [string, LogFields | undefined][]
}

async function start(t: TestContext, plain: object, more: Partial<MetricsServersContext> = {}): Promise<Started> {
  const clock = new FakeClock()
  const printed: string[] = []
  const logged: [string, LogFields | undefined][] = []
  const say = (message: string, fields?: LogFields): void => {
    logged.push([message, fields])
  }
  const log: Logger = { debug: say, info: say, warn: say, error: say, enabled: () => true, with: () => log }
  const readers = await startMetricsServers(parseConfig(metricsConfig, plain), {
    clock,
    log,
    resource: RESOURCE,
    collect: async () => [shard(3), shard(4)],
    build: { command: 'millrace', description: 'Millrace', version: '0.1.0' },
    print: (line) => printed.push(line),
    ...more,
  })
  t.after(() => readers.stop(AbortSignal.abort()))
  return { readers, clock, printed, logged }
}

const page = (more: object = {}): object => ({
  readers: [{ pull: { exporter: { prometheus: { port: 0, ...more } } } }],
})
const fetchPage = (readers: MetricsServers, path = '/metrics'): Promise<Response> =>
  fetch(`http://${readers.pages[0]!.host}:${readers.pages[0]!.port}${path}`)

test('the page at /metrics shows the sum of all shards; other paths are not found', async (t) => {
  const { readers } = await start(t, page())
  const response = await fetchPage(readers)
  assert.equal(response.status, 200)
  assert.equal(response.headers.get('content-type'), 'text/plain; version=0.0.4; charset=utf-8')
  const text = await response.text()
  assert.match(text, /^otelcol_receiver_accepted_spans\{receiver="otlp"\} 7$/m)
  assert.match(text, /^target_info\{service_instance_id="i-1",service_name="millrace",service_version="0.1.0"\} 1$/m)
  const names = [...text.matchAll(/^# TYPE (\S+)/gm)].map((match) => match[1])
  assert.deepEqual(names, [...names].sort())
  for (const path of ['/', '/metrics/', '/debug']) {
    const other = await fetchPage(readers, path)
    assert.deepEqual([other.status, await other.text()], [404, '404 page not found\n'])
  }
  assert.equal((await fetchPage(readers, '/metrics?name[]=x')).status, 200)
})

test('a page that cannot be made is a 500, counted, and the next one is fine', async (t) => {
  let fail = true
  const collect = async (): Promise<Snapshot[]> => {
    if (fail) throw new Error('no shard answered')
    return [shard(1)]
  }
  const { readers, logged } = await start(t, page(), { collect })
  const broken = await fetchPage(readers)
  assert.deepEqual([broken.status, await broken.text()], [500, 'no shard answered\n'])
  assert.deepEqual(logged, [['The metrics page could not be made.', { error: 'no shard answered' }]])
  fail = false
  assert.match(
    await (await fetchPage(readers)).text(),
    /^promhttp_metric_handler_errors_total\{cause="gathering"\} 1$/m,
  )
})

test('scrapes at the same time ask the shards once', async (t) => {
  let asked = 0
  const { readers } = await start(t, page(), {
    collect: async () => {
      asked++
      await new Promise((resolve) => setTimeout(resolve, 50))
      return [shard(1)]
    },
  })
  await Promise.all([1, 2, 3].map(async () => (await fetchPage(readers)).text()))
  assert.equal(asked, 1)
})

test('a reader may carry resource attributes as labels on every series', async (t) => {
  const labels = async (lists: object | null): Promise<string | undefined> => {
    const { readers } = await start(t, page({ with_resource_constant_labels: lists }))
    return (await (await fetchPage(readers)).text()).split('\n').find((line) => line.startsWith('otelcol_depth'))
  }
  assert.equal(await labels(null), 'otelcol_depth 3.5')
  assert.equal(await labels({ included: [] }), 'otelcol_depth 3.5')
  assert.equal(await labels({ included: ['service.n?me'] }), 'otelcol_depth{service_name="millrace"} 3.5')
  assert.equal(
    await labels({ included: ['service.*'], excluded: ['*.id', 'service.version'] }),
    'otelcol_depth{service_name="millrace"} 3.5',
  )
})

test('without readers the page is on localhost:8888, the older address moves it, and level none removes it', () => {
  const endpoints = (plain: object): string[] =>
    prometheusPages(parseConfig(metricsConfig, plain)).map((one) => one.endpoint)
  assert.deepEqual(endpoints({}), ['localhost:8888'])
  assert.deepEqual(endpoints({ address: ':8889' }), [':8889'])
  assert.deepEqual(endpoints({ address: '' }), [])
  assert.deepEqual(endpoints({ level: 'none' }), [])
  assert.deepEqual(endpoints({ readers: [{ periodic: { exporter: { console: null } } }] }), [])
  const two = [{ pull: { exporter: { prometheus: { host: '::1' } } } }, { pull: { exporter: { prometheus: null } } }]
  assert.deepEqual(endpoints({ readers: two }), ['[::1]:8888', 'localhost:8888'])
})

test('an address that is taken rejects the start and leaves nothing open', async (t) => {
  const { readers } = await start(t, page())
  const taken = { pull: { exporter: { prometheus: { port: readers.pages[0]!.port } } } }
  const free = { pull: { exporter: { prometheus: { port: 0 } } } }
  await assert.rejects(start(t, { readers: [free, taken] }), /EADDRINUSE/)
})

interface Received {
  readonly url: string
  readonly headers: IncomingMessage['headers']
  readonly body: Buffer
}

async function sink(t: TestContext, status = 200): Promise<{ url: string; received: Received[] }> {
  const received: Received[] = []
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk)
    received.push({ url: request.url!, headers: request.headers, body: Buffer.concat(chunks) })
    response.writeHead(status).end()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => server.close())
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, received }
}

const EXPECTED_METRICS = [
  {
    name: 'otelcol_depth',
    description: 'Words.',
    unit: '1',
    gauge: {
      dataPoints: [
        {
          attributes: [],
          startTimeUnixNano: '1767225600000000000',
          timeUnixNano: '1767225605000000000',
          asDouble: 3.5,
        },
      ],
    },
  },
  {
    name: 'otelcol_process_uptime',
    description: 'Words.',
    unit: 's',
    sum: {
      aggregationTemporality: 2,
      isMonotonic: true,
      dataPoints: [
        { attributes: [], startTimeUnixNano: '1767225600000000000', timeUnixNano: '1767225605000000000', asDouble: 7 },
      ],
    },
  },
  {
    name: 'otelcol_receiver_accepted_spans',
    description: 'Words.',
    unit: '{span}',
    sum: {
      aggregationTemporality: 2,
      isMonotonic: true,
      dataPoints: [
        {
          attributes: [{ key: 'receiver', value: { stringValue: 'otlp' } }],
          startTimeUnixNano: '1767225600000000000',
          timeUnixNano: '1767225605000000000',
          asInt: '7',
        },
      ],
    },
  },
  {
    name: 'otelcol_sizes',
    description: 'Words.',
    unit: '{item}',
    histogram: {
      aggregationTemporality: 2,
      dataPoints: [
        {
          attributes: [],
          startTimeUnixNano: '1767225600000000000',
          timeUnixNano: '1767225605000000000',
          count: '2',
          sum: 7,
          bucketCounts: ['0', '2', '0'],
          explicitBounds: [2, 4],
        },
      ],
    },
  },
]

const periodic = (exporter: object): object => ({ readers: [{ periodic: { interval: 5000, exporter } }] })

test('a periodic reader posts OTLP/JSON at its interval and once more at the end', async (t) => {
  const { url, received } = await sink(t)
  const headers = [{ name: 'x-key', value: 'abc' }]
  const otlp = { protocol: 'http/json', endpoint: url, headers, compression: 'gzip' }
  const { readers, clock } = await start(t, periodic({ otlp }))
  clock.advance(5000)
  await readers.stop(AbortSignal.timeout(5000))
  assert.equal(received.length, 2)
  const { url: path, headers: sent, body } = received[0]!
  assert.equal(path, '/v1/metrics')
  assert.deepEqual(
    [sent['content-type'], sent['content-encoding'], sent['x-key'], sent['user-agent']?.split(' ')[0]],
    ['application/json', 'gzip', 'abc', 'Millrace/0.1.0'],
  )
  const { resourceMetrics } = JSON.parse(gunzipSync(body).toString())
  assert.deepEqual(resourceMetrics[0].scopeMetrics[0].metrics, EXPECTED_METRICS)
  assert.deepEqual(resourceMetrics[0].resource.attributes[1], {
    key: 'service.name',
    value: { stringValue: 'millrace' },
  })
  clock.advance(60_000)
  assert.equal(received.length, 2)
})

test('a report that is refused is logged without its headers, and the next one is sent all the same', async (t) => {
  const { url, received } = await sink(t, 503)
  const otlp = { protocol: 'http/json', endpoint: `${url}/own/path`, headers: { authorization: 'hunter2' } }
  const { readers, clock, logged } = await start(t, periodic({ otlp }))
  clock.advance(5000)
  await readers.stop(AbortSignal.timeout(5000))
  assert.deepEqual(
    received.map((one) => one.url),
    ['/own/path', '/own/path'],
  )
  const message = { error: `${new URL(url).host} answered 503` }
  assert.deepEqual(logged, Array(2).fill(['Own metrics could not be reported.', message]))
  assert.doesNotMatch(JSON.stringify(logged), /hunter2/)
})

test('the console exporter prints one JSON object a line', async (t) => {
  const { readers, clock, printed } = await start(t, periodic({ console: null }))
  clock.advance(5000)
  await readers.stop(AbortSignal.timeout(5000))
  assert.equal(printed.length, 2)
  assert.deepEqual(JSON.parse(printed[0]!).resourceMetrics[0].scopeMetrics[0].metrics, EXPECTED_METRICS)
})

const namesIn = (bytes: Uint8Array): string[] => {
  assert.equal(checkRequest('metrics', bytes), 4)
  const { resourceMetrics } = JSON.parse(bytesToJson('metrics', [bytes]))
  return resourceMetrics[0].scopeMetrics[0].metrics.map((metric: { name: string }) => metric.name)
}
const NAMES = EXPECTED_METRICS.map((metric) => metric.name)

test('a periodic reader posts protobuf unless it is told otherwise', async (t) => {
  const { url, received } = await sink(t)
  const { readers, logged } = await start(t, periodic({ otlp: { endpoint: url } }))
  await readers.stop(AbortSignal.timeout(5000))
  assert.deepEqual(logged, [])
  assert.equal(received[0]!.headers['content-type'], 'application/x-protobuf')
  assert.deepEqual(namesIn(received[0]!.body), NAMES)
})

test('a periodic reader sends by gRPC, and says why when it is refused', async (t) => {
  const received: Buffer[] = []
  const metadata: Metadata[] = []
  const server = new Server()
  const identity = (bytes: Buffer): Buffer => bytes
  const method = {
    path: '/opentelemetry.proto.collector.metrics.v1.MetricsService/Export',
    requestStream: false,
    responseStream: false,
    requestSerialize: identity,
    requestDeserialize: identity,
    responseSerialize: identity,
    responseDeserialize: identity,
  } as const
  server.addService(
    { Export: method },
    {
      Export(call: { request: Buffer; metadata: Metadata }, done: (error: object | null, answer?: Buffer) => void) {
        received.push(call.request)
        metadata.push(call.metadata)
        if (received.length === 1) done(null, Buffer.alloc(0))
        else done({ code: status.RESOURCE_EXHAUSTED, details: 'enough' })
      },
    },
  )
  const port = await new Promise<number>((resolve, reject) =>
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
      error ? reject(error) : resolve(bound),
    ),
  )
  t.after(() => server.forceShutdown())
  const otlp = {
    protocol: 'grpc',
    endpoint: `127.0.0.1:${port}`,
    insecure: true,
    headers: { 'X-Key': 'abc' },
    compression: 'gzip',
  }
  const { readers, clock, logged } = await start(t, periodic({ otlp }))
  clock.advance(5000)
  await readers.stop(AbortSignal.timeout(5000))
  assert.equal(received.length, 2)
  assert.deepEqual(namesIn(received[0]!), NAMES)
  assert.deepEqual(metadata[0]!.get('x-key'), ['abc'])
  assert.deepEqual(logged, [['Own metrics could not be reported.', { error: 'enough' }]])
})

test('a certificate that cannot be read is said at the start', async (t) => {
  const otlp = { protocol: 'grpc', endpoint: 'https://localhost:4317', certificate: '/nowhere/ca.pem' }
  await assert.rejects(start(t, periodic({ otlp })), /ca_file.*\/nowhere\/ca\.pem/)
})
