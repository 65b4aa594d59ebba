// A real Prometheus, 2 and 3, scrapes the exporter, and every value is asked back from it.

import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { describe, test } from 'node:test'
import { exporterHarness } from '../../../test/support/harness.ts'
import { checkMetrics, findPrometheus3, PROMETHEUS, prometheus } from '../../../test/support/prometheus.ts'
import { packageMissing } from '../../../test/support/server-process.ts'
import { until } from '../../../test/support/until.ts'
import { readLabelText } from '../../prometheus/escape.ts'
import { factory } from './factory.ts'
import type { Prometheus } from './prometheus.ts'
import { fetchMetrics } from './testing.ts'

const FOLDER = new URL('./expositions/', import.meta.url).pathname
const noDebian = packageMissing(...PROMETHEUS)
const NEWEST = findPrometheus3()
const VERSIONS = [
  { name: 'Prometheus 2', program: 'prometheus', skip: noDebian, native: '' },
  // It asks for protobuf only where it is told so.
  { name: 'Prometheus 3', program: NEWEST.command, skip: NEWEST.skip, native: 'scrape_native_histograms: true, ' },
]

const requestsOf = (name: string): object[] => JSON.parse(readFileSync(`${FOLDER}${name}/input.json`, 'utf8'))

const scrapeOf = (exporter: unknown, more = ''): string => {
  const { port } = (exporter as Prometheus).address!
  return `{ job_name: plant, honor_labels: true, ${more} static_configs: [ { targets: [ "127.0.0.1:${port}" ] } ] }`
}

interface Sample {
  readonly name: string
  readonly labels: readonly (readonly [string, string])[]
  readonly value: string
}

function samplesOf(text: string): Sample[] {
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'))
  return lines.map((line) => {
    const [, name = '', labels = '', value = ''] = /^([^{ ]+)(?:\{(.*)\})? (\S+)$/.exec(line) ?? []
    return { name, labels: readLabelText(labels), value }
  })
}

/** Prometheus 3 spells bounds as floats, as OpenMetrics does. */
const spelled = (label: string, value: string, floats: boolean): string =>
  floats && (label === 'le' || label === 'quantile') && /^-?\d+$/.test(value) ? `${value}.0` : value

const selector = ({ name, labels }: Sample, floats: boolean): string =>
  `${name}{${labels.map(([label, value]) => `${label}=${JSON.stringify(spelled(label, value, floats))}`).join(',')}}`

// A server looks for its targets five seconds after its start: they all wait for that at the same time.
describe('a real Prometheus', { concurrency: true }, () => {
  for (const { name, program, skip, native } of VERSIONS) {
    test(`${name}: every sample of a scrape can be asked back, with its value`, { skip }, async (t) => {
      const { exporter, push } = await exporterHarness(t, factory, { endpoint: 'localhost:0' })
      for (const input of ['kinds', 'values', 'delta'])
        for (const request of requestsOf(input)) push('metrics', request)
      const server = await prometheus(t, scrapeOf(exporter), [], program)
      await server.scraped()
      const samples = samplesOf(await (await fetchMetrics(exporter)).text())
      assert.ok(samples.length > 50)
      for (const sample of samples) {
        const found = await server.query(selector(sample, native !== ''))
        assert.equal(found.length, 1, selector(sample, native !== ''))
        assert.equal(Number(found[0]!.value), Number(sample.value), selector(sample, native !== ''))
        assert.equal(found[0]!.metric.__name__, sample.name)
      }
    })

    test(`${name}: a series that has ended is gone with the next scrape`, { skip }, async (t) => {
      const { exporter, push } = await exporterHarness(t, factory, { endpoint: 'localhost:0' })
      const [first, second] = requestsOf('ends') as [object, object]
      push('metrics', first)
      const server = await prometheus(t, scrapeOf(exporter), [], program)
      await until(async () => (await server.query('kept')).length === 2)
      push('metrics', second)
      await until(async () => (await server.query('kept')).length === 1)
      assert.deepEqual(
        (await server.query('kept')).map(({ metric, value }) => [metric.n, value]),
        [['2', '2']],
      )
    })

    test(`${name}: an exponential histogram arrives as a native one, with its buckets`, { skip }, async (t) => {
      const { exporter, push } = await exporterHarness(t, factory, { endpoint: 'localhost:0' })
      for (const request of requestsOf('kinds')) push('metrics', request)
      for (const request of requestsOf('delta')) push('metrics', request)
      const server = await prometheus(t, scrapeOf(exporter, native), ['native-histograms'], program)
      await server.scraped()
      const ask = async (promql: string): Promise<number> => Number((await server.query(promql))[0]?.value)
      assert.equal(await ask('histogram_count(force_N)'), 10)
      assert.equal(await ask('histogram_sum(force_N)'), 70.25)
      // Scale 1: 2 below zero from 0.7 to 1, 2 at zero, 1 from 2 to 2.83, 5 from 4 to 5.66.
      assert.equal(await ask('histogram_fraction(4, 5.656854249492381, force_N)'), 0.5)
      assert.equal(await ask('histogram_fraction(2, 2.8284271247461903, force_N)'), 0.1)
      assert.ok(Math.abs((await ask('histogram_fraction(-1, -0.7071067811865475, force_N)')) - 0.2) < 1e-9)
      assert.equal(await ask('histogram_count(e_joined)'), 7)
      // All else comes in protobuf too then.
      assert.equal(await ask('oil_temperature_celsius{zone="a"}'), 61.5)
      // Read from a number, a bound is spelled as a float.
      assert.equal(await ask('cycle_time_seconds_bucket{le="5.0"}'), 7)
      assert.equal(await ask('takt_seconds{quantile="0.5"}'), 2.5)
      assert.equal(await ask('parts_total{good="true"}'), 12)
    })
  }

  test('Prometheus 3: names as they are, times of beginning, exemplars, types and help come with protobuf', {
    skip: NEWEST.skip,
  }, async (t) => {
    const { exporter, push } = await exporterHarness(t, factory, {
      endpoint: 'localhost:0',
      translation_strategy: 'NoTranslation',
    })
    const [start, end] = [Date.now() - 60_000, Date.now() - 1_000]
    const times = { startTimeUnixNano: `${start}000000`, timeUnixNano: `${end}000000` }
    const attributes = [{ key: 'zone.näme', value: { stringValue: 'a "1"' } }]
    const exemplar = { timeUnixNano: `${end}000000`, asDouble: 1.5, traceId: 'ab'.repeat(16), spanId: 'cd'.repeat(8) }
    const cumulative = { aggregationTemporality: 2 }
    const buckets = { scale: 0, zeroCount: '1', positive: { offset: 0, bucketCounts: ['1', '1'] } }
    const metrics = [
      {
        name: 'öl.temperatur',
        description: 'How "warm".',
        gauge: { dataPoints: [{ ...times, attributes, asDouble: 61.5 }] },
      },
      {
        name: 'parts.made',
        sum: {
          ...cumulative,
          isMonotonic: true,
          dataPoints: [{ ...times, attributes, asInt: '7', exemplars: [exemplar] }],
        },
      },
      {
        name: 'press.force',
        exponentialHistogram: {
          ...cumulative,
          dataPoints: [{ ...times, count: '3', sum: 5.5, ...buckets, exemplars: [exemplar] }],
        },
      },
    ]
    push('metrics', { resourceMetrics: [{ scopeMetrics: [{ metrics }] }] })
    // For protobuf alone it would not ask for names as they are.
    const protocols = 'scrape_native_histograms: true, scrape_protocols: [ PrometheusText1.0.0, PrometheusProto ], '
    const scrape = scrapeOf(exporter, protocols)
    const features = ['created-timestamp-zero-ingestion', 'exemplar-storage', 'type-and-unit-labels']
    const server = await prometheus(t, scrape, features, NEWEST.command)
    await server.scraped()
    const [gauge] = await server.query('{"öl.temperatur"}')
    assert.equal(gauge!.value, '61.5')
    assert.equal(gauge!.metric['zone.näme'], 'a "1"')
    assert.equal(gauge!.metric.__type__, 'gauge')
    const first = async (promql: string): Promise<unknown> =>
      (await server.ask('query', { query: promql })).result[0].values[0]
    assert.deepEqual(await first('{"parts.made"}[5m]'), [start / 1000, '0'])
    assert.equal((await server.query('{"parts.made"}'))[0]!.value, '7')
    const { result } = await server.ask('query', { query: '{"press.force"}[5m]' })
    const [begin, whole] = result[0].histograms
    assert.deepEqual(begin, [start / 1000, { count: '0', sum: '0' }])
    assert.deepEqual([whole[1].count, whole[1].sum], ['3', '5.5'])
    assert.deepEqual(
      whole[1].buckets.map(([, from, to, count]: string[]) => [Number(from), Number(to), count]),
      [
        [-1e-128, 1e-128, '1'],
        [1, 2, '1'],
        [2, 4, '1'],
      ],
    )
    const exemplars = await server.ask('query_exemplars', {
      query: '{job="plant"}',
      start: String(start / 1000),
      end: String(Date.now() / 1000),
    })
    assert.deepEqual(
      exemplars.map(({ seriesLabels, exemplars: all }: Exemplars) => [seriesLabels.__name__, ...all]).sort(),
      ['parts.made', 'press.force'].map((name) => [
        name,
        { labels: { span_id: 'cd'.repeat(8), trace_id: 'ab'.repeat(16) }, value: '1.5', timestamp: end / 1000 },
      ]),
    )
    const metadata = await server.ask('metadata', {})
    assert.deepEqual(metadata['öl.temperatur'], [{ type: 'gauge', unit: '', help: 'How "warm".' }])
    assert.equal(metadata['press.force'][0].type, 'histogram')
  })

  test('Prometheus 3: names as they are come with text, without being asked for', { skip: NEWEST.skip }, async (t) => {
    const translation = { translation_strategy: 'NoTranslation' }
    const { exporter, push } = await exporterHarness(t, factory, { endpoint: 'localhost:0', ...translation })
    const attributes = [{ key: 'zone.näme', value: { stringValue: 'a' } }]
    const dataPoints = [{ timeUnixNano: `${Date.now()}000000`, asDouble: 61.5, attributes }]
    push('metrics', {
      resourceMetrics: [{ scopeMetrics: [{ metrics: [{ name: 'öl.temperatur', gauge: { dataPoints } }] }] }],
    })
    const server = await prometheus(t, scrapeOf(exporter), [], NEWEST.command)
    await server.scraped()
    const [series] = await server.query('{"öl.temperatur", "zone.näme"="a"}')
    assert.equal(series!.value, '61.5')
  })
})

interface Exemplars {
  readonly seriesLabels: { readonly __name__: string }
  readonly exemplars: readonly { labels: object; value: string; timestamp: number }[]
}

test('promtool reads every exposition', { skip: noDebian }, () => {
  for (const file of globSync('*/*.text.txt', { cwd: FOLDER })) {
    const text = readFileSync(FOLDER + file, 'utf8')
    const shown = text
      .split('\n')
      .filter((line) => !line.startsWith('('))
      .join('\n')
    assert.doesNotMatch(checkMetrics(shown), /error while linting/, file)
  }
  const described = '# HELP oil_temperature_celsius How warm.\n# TYPE oil_temperature_celsius gauge\n'
  assert.equal(checkMetrics(`${described}oil_temperature_celsius{zone="a"} 61.5\n`), '')
})
