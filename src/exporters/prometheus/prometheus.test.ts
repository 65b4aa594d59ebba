import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { type TestContext, test } from 'node:test'
import { gunzipSync } from 'node:zlib'
import { Agent, request } from 'undici'
import { certs } from '../../../test/support/certs.ts'
import { exporterHarness } from '../../../test/support/harness.ts'
import { until } from '../../../test/support/until.ts'
import { parseConfig } from '../../config/testing.ts'
import type { Extension } from '../../graph/component.ts'
import { AuthRefusal, NO_ATTRIBUTES } from '../../net/auth/authenticator.ts'
import { config } from './config.ts'
import { factory } from './factory.ts'
import { chooseFormat, takesGzip } from './format.ts'
import type { Prometheus } from './prometheus.ts'
import { decodeFamilies, fetchMetrics, OPENMETRICS, PROTOBUF } from './testing.ts'

type Attributes = Readonly<Record<string, string>>

const attributes = (values: Attributes): object[] =>
  Object.entries(values).map(([key, stringValue]) => ({ key, value: { stringValue } }))

interface Point {
  readonly name?: string
  readonly value?: number | string
  readonly attributes?: Attributes
  readonly flags?: number
  readonly at?: number
}

/** Gauges, a metric for each point. */
const gauges = (points: readonly Point[], resource: Attributes = {}): object => ({
  resourceMetrics: [
    {
      resource: { attributes: attributes(resource) },
      scopeMetrics: [
        {
          metrics: points.map(({ name = 'speed', value = 1, flags = 0, at = 1, ...own }) => ({
            name,
            gauge: {
              dataPoints: [
                { asDouble: value, flags, timeUnixNano: String(at), attributes: attributes(own.attributes ?? {}) },
              ],
            },
          })),
        },
      ],
    },
  ],
})

const many = (count: number, from = 0): object =>
  gauges(Array.from({ length: count }, (_, n) => ({ value: n, attributes: { machine: `press-${from + n}` } })))

async function exporter(t: TestContext, settings: object = {}, extensions: Record<string, Extension> = {}) {
  const quiet = { endpoint: 'localhost:0', without_scope_info: true, ...settings }
  const base = await exporterHarness(t, factory, quiet, { extensions })
  const show = async (headers: Record<string, string> = {}): Promise<string> =>
    await (await fetchMetrics(base.exporter, headers)).text()
  const samples = async (): Promise<string[]> =>
    (await show()).split('\n').filter((line) => line !== '' && !line.startsWith('#'))
  const dropped = (reason: string): number | undefined => base.metric('exporter_prometheus_dropped_points', { reason })
  const { port } = (base.exporter as Prometheus).address!
  return { ...base, show, samples, dropped, port }
}

test('nothing but /metrics is shown, and an exporter without series shows an empty page', async (t) => {
  const { port, show } = await exporter(t)
  const other = await fetch(`http://127.0.0.1:${port}/other`)
  assert.equal(other.status, 404)
  assert.equal(await other.text(), '404 page not found\n')
  assert.equal(await show(), '')
  assert.equal(await show({ accept: PROTOBUF }), '')
  const head = await fetch(`http://127.0.0.1:${port}/metrics`, { method: 'HEAD' })
  assert.equal(head.headers.get('content-type'), 'text/plain; version=0.0.4; charset=utf-8; escaping=underscores')
})

test('a series is shown until metric_expiration after its last point, whether somebody scrapes or not', async (t) => {
  const { push, samples, clock, metric } = await exporter(t, { metric_expiration: '1m' })
  push('metrics', gauges([{ attributes: { n: '1' } }, { attributes: { n: '2' } }]))
  clock.advance(40_000)
  push('metrics', gauges([{ attributes: { n: '2' }, value: 2, at: 2 }]))
  clock.advance(30_000)
  assert.deepEqual(await samples(), ['speed{n="2"} 2'])
  clock.advance(120_000)
  assert.equal(metric('exporter_prometheus_series'), 0)
  push('metrics', gauges([{ value: 3, at: 1 }]))
  assert.deepEqual(await samples(), ['speed 3'])
})

test('a flood of series stops at max_series: those that are there go on, the others are dropped and counted', async (t) => {
  const { push, samples, dropped, metric, logs } = await exporter(t, { max_series: 100 })
  assert.ok(push('metrics', many(100)).delivered)
  assert.ok(push('metrics', many(50_000, 100)).delivered)
  push('metrics', gauges([{ value: 77, attributes: { machine: 'press-5' }, at: 2 }]))
  assert.equal(metric('exporter_prometheus_series'), 100)
  assert.equal(dropped('max_series'), 50_000)
  assert.ok((await samples()).includes('speed{machine="press-5"} 77'))
  assert.equal(logs.filter(({ level }) => level === 'warn').length, 1, 'a flood of points must be no flood of lines')
})

test('series that end make room again', async (t) => {
  const { push, samples, dropped } = await exporter(t, { max_series: 1 })
  push('metrics', gauges([{ attributes: { n: '1' } }]))
  push('metrics', gauges([{ attributes: { n: '1' }, flags: 1 }]))
  push('metrics', gauges([{ attributes: { n: '2' }, value: 5 }]))
  assert.deepEqual(await samples(), ['speed{n="2"} 5'])
  assert.equal(dropped('max_series'), 0)
})

test('a type that conflicts is dropped until the family is gone, and counted', async (t) => {
  const { push, show, clock, dropped } = await exporter(t)
  const sum = (asInt: string): object => ({
    resourceMetrics: [
      {
        scopeMetrics: [
          {
            metrics: [
              { name: 'speed_total', sum: { aggregationTemporality: 2, isMonotonic: true, dataPoints: [{ asInt }] } },
            ],
          },
        ],
      },
    ],
  })
  push('metrics', gauges([{ name: 'speed_total' }]))
  push('metrics', sum('5'))
  assert.match(await show(), /# TYPE speed_total gauge\nspeed_total 1\n/)
  assert.equal(dropped('type_conflict'), 1)
  clock.advance(601_000)
  push('metrics', sum('6'))
  assert.match(await show(), /# TYPE speed_total counter\nspeed_total 6\n/)
})

test('a value of a megabyte, and one in any letters, is shown as it is', async (t) => {
  const { push, show } = await exporter(t)
  const large = 'ü'.repeat(500_000)
  push('metrics', gauges([{ attributes: { large, machine: 'press-1' } }, { name: 'other', value: 'NaN' }]))
  const text = await show()
  assert.ok(text.includes(`speed{large="${large}",machine="press-1"} 1\n`))
  assert.ok(text.includes('other NaN\n'))
})

test('text, OpenMetrics and protobuf tell the same of many series, packed or not', async (t) => {
  const { exporter: own, push, samples } = await exporter(t, { enable_open_metrics: true })
  push('metrics', many(5_000))
  const lines = await samples()
  assert.equal(lines.length, 5_000)
  assert.equal(new Set(lines).size, 5_000)
  const openMetrics = await (await fetchMetrics(own, { accept: OPENMETRICS })).text()
  assert.ok(openMetrics.endsWith('# EOF\n'))
  assert.ok(openMetrics.includes('speed{machine="press-4999"} 4999.0\n'))
  const [family] = decodeFamilies(new Uint8Array(await (await fetchMetrics(own, { accept: PROTOBUF })).arrayBuffer()))
  assert.equal(family.metric.length, 5_000)
  assert.deepEqual(family.metric[7].label, [{ name: 'machine', value: 'press-7' }])
  assert.equal(family.metric[7].gauge.value, 7)
  const { port } = (own as Prometheus).address!
  const gzip = await request(`http://127.0.0.1:${port}/metrics`, { headers: { 'accept-encoding': 'gzip' } })
  assert.equal(gzip.headers['content-encoding'], 'gzip')
  const unpacked = gunzipSync(Buffer.from(await gzip.body.arrayBuffer())).toString()
  assert.deepEqual(
    unpacked.split('\n').filter((line) => line !== '' && !line.startsWith('#')),
    lines,
  )
})

test('while a slow reader has half of a scrape, series come and go, and no line of it is missing or twice', async (t) => {
  // More than the buffers of two sockets hold.
  const settings = { const_labels: { description: 'x'.repeat(300) } }
  const { port, push, samples } = await exporter(t, settings)
  push('metrics', many(60_000))
  const socket = connect(port, '127.0.0.1')
  const closed = new Promise((resolve) => socket.once('close', resolve))
  const begun = new Promise<void>((resolve) => {
    socket.once('data', () => {
      socket.pause()
      resolve()
    })
  })
  let received = ''
  socket.setEncoding('latin1').on('data', (text: string) => {
    received += text
  })
  socket.write('GET /metrics HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n')
  await begun
  const ended = Array.from({ length: 500 }, (_, n) => `press-${n * 100}`)
  push('metrics', gauges(ended.map((machine) => ({ attributes: { machine }, flags: 1 }))))
  push('metrics', many(500, 100_000))
  push('metrics', gauges([{ attributes: { machine: 'press-100' }, value: 5 }]))
  socket.resume()
  await closed
  const machines = [...received.matchAll(/machine="(press-\d+)"/g)].map(([, machine]) => machine)
  const seen = new Set(machines)
  assert.equal(seen.size, machines.length, 'a series stands twice in a scrape')
  const gone = new Set(ended)
  const missing = Array.from({ length: 60_000 }, (_, n) => `press-${n}`).filter(
    (one) => !gone.has(one) && !seen.has(one),
  )
  assert.deepEqual(missing, [])
  assert.equal((await samples()).length, 60_001)
})

test('a reader that leaves in the middle holds nothing', async (t) => {
  const { port, push, metric } = await exporter(t)
  push('metrics', many(60_000))
  for (const encoding of ['identity', 'gzip']) {
    const socket = connect(port, '127.0.0.1')
    const begun = new Promise((resolve) => socket.once('data', resolve))
    socket.write(`GET /metrics HTTP/1.1\r\nhost: x\r\naccept-encoding: ${encoding}\r\n\r\n`)
    await begun
    socket.destroy()
  }
  push('metrics', gauges([{ attributes: { machine: 'press-1' }, flags: 1 }]))
  // What has ended is given back once no scrape is on its way.
  await until(() => metric('exporter_prometheus_series') === 59_999)
})

test('the listener speaks TLS, and asks for a password where it is told to', async (t) => {
  const serverAuthenticator = {
    challenge: 'Basic realm="plant"',
    authenticate: (headers: (name: string) => string | undefined) =>
      headers('authorization') === 'Basic cGxhbnQ6cGE1NQ==' ? NO_ATTRIBUTES : new AuthRefusal('who are you?'),
  }
  const settings = {
    tls: { cert_file: certs.server.certFile, key_file: certs.server.keyFile },
    auth: { authenticator: 'basicauth' },
  }
  const { port, push } = await exporter(t, settings, { basicauth: { serverAuthenticator } as Extension })
  push('metrics', many(2))
  const dispatcher = new Agent({ connect: { ca: certs.ca } })
  t.after(() => dispatcher.close())
  const get = (headers: Record<string, string>) => request(`https://localhost:${port}/metrics`, { dispatcher, headers })
  const refused = await get({})
  assert.equal(refused.statusCode, 401)
  assert.equal(refused.headers['www-authenticate'], 'Basic realm="plant"')
  await refused.body.dump()
  const shown = await get({ authorization: 'Basic cGxhbnQ6cGE1NQ==' })
  assert.equal(shown.statusCode, 200)
  assert.match(await shown.body.text(), /speed\{machine="press-1"\} 1\n/)
})

test('a port that is taken ends the start, with its address', async (t) => {
  const { port } = await exporter(t)
  await assert.rejects(exporterHarness(t, factory, { endpoint: `127.0.0.1:${port}` }), /EADDRINUSE/)
})

test('a scraper gets what it asks for most, as far as there is such a thing', () => {
  const text = { form: 'text', escaping: 'underscores' }
  assert.deepEqual(chooseFormat('', true), text)
  assert.deepEqual(chooseFormat('*/*', true), text)
  assert.deepEqual(chooseFormat(OPENMETRICS, false), text)
  assert.deepEqual(chooseFormat(`${OPENMETRICS};q=0.5, text/plain;q=0.9`, true), text)
  // Of Prometheus 2.42 and 3.
  const older =
    'application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1'
  assert.deepEqual(chooseFormat(older, true), { form: 'openmetrics', version: '1.0.0', escaping: 'underscores' })
  assert.deepEqual(chooseFormat(older, false), text)
  const newer =
    'application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited;q=0.6,application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.3,text/plain;version=0.0.4;q=0.2,*/*;q=0.1'
  assert.deepEqual(chooseFormat(newer, true), { form: 'protobuf', escaping: 'underscores' })
  assert.deepEqual(chooseFormat('text/plain;escaping=allow-utf-8', true), { form: 'text', escaping: 'allow-utf-8' })
  assert.deepEqual(chooseFormat(`${OPENMETRICS};escaping=dots`, true), {
    form: 'openmetrics',
    version: '1.0.0',
    escaping: 'dots',
  })
  assert.deepEqual(chooseFormat(PROTOBUF.replace('underscores', 'values'), true), {
    form: 'protobuf',
    escaping: 'values',
  })
  assert.ok(takesGzip('deflate, gzip;q=0.5'))
  assert.ok(!takesGzip('gzip;q=0, br'))
  assert.ok(!takesGzip(''))
})

test('keys that the Collector reads and does not heed are read, and change nothing', async (t) => {
  const { push, samples } = await exporter(t, { add_metric_suffixes: false, sending_queue: { enabled: true } })
  push('metrics', {
    resourceMetrics: [
      { scopeMetrics: [{ metrics: [{ name: 'oil', unit: 'Cel', gauge: { dataPoints: [{ asDouble: 61.5 }] } }] }] },
    ],
  })
  assert.deepEqual(await samples(), ['oil_celsius 61.5'])
})

test('the configuration is refused where the Collector refuses it', () => {
  assert.throws(() => parseConfig(config, { translation_strategy: 'Other' }), /translation_strategy/)
  assert.throws(() => parseConfig(config, { endpoint: 'nowhere' }), /endpoint/)
  assert.throws(() => parseConfig(config, { endpoint: '' }), /endpoint/)
  const both = { resource_constant_labels: {}, resource_to_telemetry_conversion: { enabled: true } }
  assert.throws(() => parseConfig(config, both), /resource_constant_labels/)
  assert.throws(() => parseConfig(config, { max_series: -1 }), /max_series/)
  assert.equal(parseConfig(config, {}).endpoint, 'localhost:8889')
  assert.equal(parseConfig(config, { metric_expiration: '180m' }).metricExpirationMs, 10_800_000)
})
