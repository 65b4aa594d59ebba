// A real Prometheus scrapes the exporter, and every value is asked back from it.

import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { exporterHarness } from '../../../test/support/harness.ts'
import { checkMetrics, prometheus, prometheusMissing } from '../../../test/support/prometheus.ts'
import { until } from '../../../test/support/until.ts'
import { readLabelText } from '../../prometheus/escape.ts'
import { factory } from './factory.ts'
import type { Prometheus } from './prometheus.ts'
import { fetchMetrics } from './testing.ts'

const FOLDER = new URL('./expositions/', import.meta.url).pathname
const skip = prometheusMissing()

const requestsOf = (name: string): object[] => JSON.parse(readFileSync(`${FOLDER}${name}/input.json`, 'utf8'))

const scrapeOf = (exporter: unknown): string => {
  const { port } = (exporter as Prometheus).address!
  return `{ job_name: plant, honor_labels: true, static_configs: [ { targets: [ "127.0.0.1:${port}" ] } ] }`
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

const selector = ({ name, labels }: Sample): string =>
  `${name}{${labels.map(([label, value]) => `${label}=${JSON.stringify(value)}`).join(',')}}`

test('every sample of a scrape can be asked back from Prometheus, with its value', { skip }, async (t) => {
  const { exporter, push } = await exporterHarness(t, factory, { endpoint: 'localhost:0' })
  for (const name of ['kinds', 'values', 'delta']) for (const request of requestsOf(name)) push('metrics', request)
  const server = await prometheus(t, scrapeOf(exporter))
  await server.scraped()
  const samples = samplesOf(await (await fetchMetrics(exporter)).text())
  assert.ok(samples.length > 50)
  for (const sample of samples) {
    const found = await server.query(selector(sample))
    assert.equal(found.length, 1, selector(sample))
    assert.equal(Number(found[0]!.value), Number(sample.value), selector(sample))
    assert.equal(found[0]!.metric.__name__, sample.name)
  }
})

test('a series that has ended is gone from Prometheus with the next scrape', { skip }, async (t) => {
  const { exporter, push } = await exporterHarness(t, factory, { endpoint: 'localhost:0' })
  const [first, second] = requestsOf('ends') as [object, object]
  push('metrics', first)
  const server = await prometheus(t, scrapeOf(exporter))
  await until(async () => (await server.query('kept')).length === 2)
  push('metrics', second)
  await until(async () => (await server.query('kept')).length === 1)
  assert.deepEqual(
    (await server.query('kept')).map(({ metric, value }) => [metric.n, value]),
    [['2', '2']],
  )
})

test('an exponential histogram arrives as a native one, with its buckets', { skip }, async (t) => {
  const { exporter, push } = await exporterHarness(t, factory, { endpoint: 'localhost:0' })
  for (const request of requestsOf('kinds')) push('metrics', request)
  for (const request of requestsOf('delta')) push('metrics', request)
  const server = await prometheus(t, scrapeOf(exporter), ['native-histograms'])
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

test('promtool reads every exposition', { skip }, () => {
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
