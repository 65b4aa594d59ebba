// Stores get from us what they get from the Collector: random requests through our exporters and through the Collector's own
// modules (collector/, in Go), and the results compared value by value.

import { join } from 'node:path'
import { test } from 'node:test'
import protobuf from 'protobufjs'
import { parseConfig } from '../../src/config/testing.ts'
import { Encoder } from '../../src/exporters/elasticsearch/encoder.ts'
import { config as influxConfig } from '../../src/exporters/influxdb/config.ts'
import { LineEncoder } from '../../src/exporters/influxdb/encoder.ts'
import { Translator } from '../../src/exporters/jaeger/translate.ts'
import { factory as remoteWrite } from '../../src/exporters/prometheus_remote_write/factory.ts'
import { FakeClock } from '../support/fake-clock.ts'
import { batchOf, exporterHarness } from '../support/harness.ts'
import { findProgram, type Program } from '../support/programs.ts'
import { reply, scriptedHttp } from '../support/scripted-http.ts'
import { until } from '../support/until.ts'
import { documentLines } from './translators/documents.ts'
import { type Point, pointText, readLine } from './translators/influxdb-lines.ts'
import { isExtra, isNotForUs, placeOf, sampleLines } from './translators/remote-write-lines.ts'
import { assertSame, requests, translated } from './translators/run.ts'

const found = findProgram('collector translators')
const skip = typeof found === 'string' && found
const collector = found as Program

const PROTO = new URL('../../proto/', import.meta.url).pathname
const root = new protobuf.Root()
root.resolvePath = (_origin, target) => (target.startsWith('/') ? target : join(PROTO, target))
root.loadSync(join(PROTO, 'jaeger/api_v2/collector.proto'))
const Batch = root.lookupType('jaeger.api_v2.Batch')
const batchText = (bytes: Uint8Array): string =>
  JSON.stringify(Batch.toObject(Batch.decode(bytes), { longs: String, enums: String, bytes: String }))

test('Jaeger gets the batches that the Collector makes', { skip }, () => {
  const list = requests('traces')
  const answers = translated(collector, 'jaeger', list)
  for (const [i, bytes] of list.entries()) {
    const ours = new Translator().translate(batchOf('traces', bytes).parts).map(batchText)
    const theirs: string[] = []
    for (const reader = protobuf.Reader.create(answers[i]!); reader.pos < reader.len; ) {
      reader.uint32()
      theirs.push(batchText(reader.bytes()))
    }
    assertSame('jaeger', i, ours, theirs)
  }
})

for (const [name, signal, schema, kinds] of [
  ['influxdb-logs', 'logs', undefined, []],
  ['influxdb-traces', 'traces', undefined, []],
  ['influxdb-telegraf-1', 'metrics', 'telegraf-prometheus-v1', ['gauge', 'sum', 'histogram', 'summary']],
  ['influxdb-telegraf-2', 'metrics', 'telegraf-prometheus-v2', ['gauge', 'sum', 'histogram', 'summary']],
  ['influxdb-otel-1', 'metrics', 'otel-v1', ['sum', 'histogram']],
] as const)
  test(`InfluxDB gets the lines that the Collector writes: ${schema ?? signal}`, { skip }, () => {
    const own = schema === undefined ? {} : { metrics_schema: schema }
    const config = parseConfig(influxConfig, { endpoint: 'http://localhost:8086', ...own })
    const list = requests(signal, { kinds, areWhole: true })
    const answers = translated(collector, name, list)
    for (const [i, request] of list.entries()) {
      const { payloads } = new LineEncoder(config, new FakeClock()).encode(batchOf(signal, request))
      const ours = payloads.flatMap(({ bytes, ends }) =>
        [...ends].map((end, line) => Buffer.from(bytes.subarray(ends[line - 1] ?? 0, end - 1)).toString()),
      )
      const theirs = (JSON.parse(String(answers[i])) ?? []) as Point[]
      assertSame(
        name,
        i,
        ours.map((line) => pointText(readLine(line))),
        theirs.map(pointText),
      )
    }
  })

for (const version of ['1', '2'])
  test(`Prometheus gets the samples that the Collector writes: remote write ${version}.0`, { skip }, async (t) => {
    const server = await scriptedHttp(t, reply(204))
    const { push } = await exporterHarness(t, remoteWrite, {
      endpoint: server.url,
      remote_write_queue: { enabled: false },
      send_metadata: true,
      ...(version === '2' ? { protobuf_message: 'io.prometheus.write.v2.Request' } : {}),
    })
    // Labels of these names stand twice in the Collector's series; the last key breaks the form in which exemplars are read.
    const list = requests('metrics', {
      areWhole: true,
      areCumulative: true,
      without: ['le', 'quantile', 'comma,equals='],
    })
    const answers = translated(collector, `remote-write-${version}`, list)
    for (const [i, bytes] of list.entries()) {
      server.asked.length = 0
      const fate = push('metrics', bytes)
      await until(() => fate.delivered || fate.refused !== undefined)
      const ours = server.asked.flatMap(({ body }) => sampleLines(body, version))
      const theirs = sampleLines(answers[i]!, version)
      const places = new Set(ours.map(placeOf))
      const isKnown = new Set(theirs)
      assertSame(
        `remote-write-${version}`,
        i,
        ours.filter((line) => isKnown.has(line) || !isExtra(line)),
        // Of several values that a series has for one time we send the last one.
        theirs.filter((line) => ours.includes(line) || !(isNotForUs(line) || places.has(placeOf(line)))),
      )
    }
  })

for (const signal of ['logs', 'traces', 'metrics'] as const)
  test(`Elasticsearch gets the documents that the Collector makes: ${signal}, otel`, { skip }, () => {
    const options = { mode: 'otel', index: '', takesIds: false, takesPipelines: false, maxBytes: 0 } as const
    const encoder = new Encoder({ signal, allowedModes: new Set(), ...options }, () => {})
    // The Collector gives up the second of two points whose names and everything else are the same, joins points of two
    // scopes, and cuts the name of a data set amid a letter.
    const list = requests(signal, { areWhole: true, areDifferent: true, without: ['data_stream.dataset'] })
    const answers = translated(collector, `elasticsearch-otel-${signal}`, list)
    for (const [i, request] of list.entries()) {
      const { bodies } = encoder.encode(batchOf(signal, request), 0, '', true)
      const ours = bodies.map(({ bytes }) => Buffer.from(bytes).toString()).join('')
      assertSame(`elasticsearch-otel-${signal}`, i, documentLines(ours), documentLines(String(answers[i])))
    }
  })
