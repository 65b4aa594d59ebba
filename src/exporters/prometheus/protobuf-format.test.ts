import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { type TestContext, test } from 'node:test'
import { exporterHarness } from '../../../test/support/harness.ts'
import { factory } from './factory.ts'
import { type DecodedFamily, decodeFamilies, fetchMetrics, PROTOBUF } from './testing.ts'

const STARTED = { seconds: 1767225600 }

/** The families of expositions/<name>, by their names. */
async function families(
  t: TestContext,
  name: string,
  settings: object = {},
  accept = PROTOBUF,
): Promise<Map<string, DecodedFamily>> {
  const quiet = { endpoint: 'localhost:0', without_scope_info: true, ...settings }
  const { exporter, push } = await exporterHarness(t, factory, quiet)
  const input = new URL(`./expositions/${name}/input.json`, import.meta.url)
  for (const request of JSON.parse(readFileSync(input, 'utf8')) as object[]) push('metrics', request)
  const answer = await fetchMetrics(exporter, { accept })
  const decoded = decodeFamilies(new Uint8Array(await answer.arrayBuffer()))
  return new Map(decoded.map((family) => [family.name, family]))
}

const native = (family: DecodedFamily): unknown => {
  const { bucket, sampleCount, sampleSum, createdTimestamp, startTimestamp, ...rest } = family.metric[0].histogram
  assert.equal(bucket, undefined, 'a native histogram has no other buckets')
  return rest
}

test('an exponential histogram is a native one in protobuf, with schema, spans, deltas and its zero bucket', async (t) => {
  const shown = await families(t, 'kinds')
  assert.deepEqual(native(shown.get('force_N')), {
    schema: 1,
    zeroThreshold: 1e-128,
    zeroCount: 2,
    // From offset 0 on, which the decoder leaves out.
    negativeSpan: [{ length: 1 }],
    negativeDelta: [2],
    positiveSpan: [{ offset: 3, length: 3 }],
    positiveDelta: [1, -1, 5],
  })
})

test('protobuf tells since when counters, histograms and summaries count, and carries exemplars and times', async (t) => {
  const shown = await families(t, 'kinds', { send_timestamps: true })
  const [parts] = shown.get('parts_total').metric
  assert.deepEqual(parts.counter.startTimestamp, STARTED)
  assert.deepEqual(shown.get('takt_seconds').metric[0].summary.startTimestamp, STARTED)
  const { histogram } = shown.get('cycle_time_seconds').metric[0]
  assert.deepEqual(histogram.startTimestamp, STARTED)
  assert.deepEqual(parts.counter.exemplar, {
    label: [
      { name: 'trace_id', value: '0102030405060708090a0b0c0d0e0f10' },
      { name: 'span_id', value: '0102030405060708' },
    ],
    value: 0.3,
    timestamp: { seconds: 1767225600, nanos: 500_000_000 },
  })
  // The bucket up to infinity stands there for its exemplar.
  assert.equal(histogram.bucket.at(-1).upperBound, Infinity)
  assert.equal(histogram.bucket.at(-1).exemplar.value, 7.5)
  for (const family of shown.values()) {
    if (family.name === 'target_info') assert.equal(family.metric[0].timestampMs, undefined)
    else for (const { timestampMs } of family.metric) assert.equal(timestampMs, 1767225601000, family.name)
  }
  const without = await families(t, 'kinds')
  assert.ok(
    [...without.values()].every(({ metric }) => metric.every((each: DecodedFamily) => each.timestampMs === undefined)),
  )
})

test('names and values in any letters stand in protobuf as they are for a reader that takes them, and escaped for others', async (t) => {
  const settings = { translation_strategy: 'NoTranslation' }
  const whole = await families(t, 'names', settings, PROTOBUF.replace('underscores', 'allow-utf-8'))
  const labelsOf = (family: DecodedFamily): object =>
    Object.fromEntries(family.metric[0].label.map(({ name, value = '' }: Record<string, string>) => [name, value]))
  assert.ok(whole.has('Öl druck'))
  assert.equal((labelsOf(whole.get('oee')) as Record<string, string>)['käse.sorte'], 'brie')
  const dots = await families(t, 'names', settings, PROTOBUF.replace('underscores', 'dots'))
  assert.ok(dots.has('http_dot_server_dot_duration'))
  const values = await families(t, 'names', settings, PROTOBUF.replace('underscores', 'values'))
  assert.ok(values.has('U__http_2e_server_2e_duration'))
  const spelled = await families(t, 'values')
  assert.deepEqual(labelsOf(spelled.get('labels')), {
    bytes: 'AQID',
    empty: '',
    instance: 'a1',
    job: 'press',
    list: '[1,"two"]',
    map: '{"a":"x","b":1}',
    none: '',
    pi: '3.25',
    quote: 'say "hi"\\ \n now',
    umlaut: 'Öl 油',
    yes: 'true',
  })
})

test('labels of any length, seen for the first time or again, are the same in protobuf', async (t) => {
  const quiet = { endpoint: 'localhost:0', without_scope_info: true }
  const { exporter, push } = await exporterHarness(t, factory, quiet)
  const lengths = [0, 1, 60, 126, 127, 128, 129, 16_384, 200_000]
  const dataPoints = lengths.map((length) => ({
    asDouble: length,
    attributes: [{ key: 'text', value: { stringValue: 'é'.repeat(length) } }],
  }))
  push('metrics', { resourceMetrics: [{ scopeMetrics: [{ metrics: [{ name: 'long', gauge: { dataPoints } }] }] }] })
  for (let scrape = 0; scrape < 2; scrape++) {
    const answer = await fetchMetrics(exporter, { accept: PROTOBUF })
    const [family] = decodeFamilies(new Uint8Array(await answer.arrayBuffer()))
    const seen = family.metric.map(({ label, gauge }: DecodedFamily) => [label[0].value?.length ?? 0, gauge.value ?? 0])
    assert.deepEqual(
      seen,
      lengths.map((length) => [length, length]),
    )
  }
})
