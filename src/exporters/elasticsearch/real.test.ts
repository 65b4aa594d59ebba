// Against the real servers: known logs, spans and points in, asked back from the store. One start of a server serves for all tests;
// each has a data stream or index of its own.

import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { after, before, describe, type TestContext, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { exporterHarness } from '../../../test/support/harness.ts'
import {
  ask,
  isElasticsearch,
  SEARCH_SERVERS,
  type SearchServer,
  type SearchServerName,
  searchServerMissing,
  startSearchServer,
} from '../../../test/support/search-server.ts'
import { until } from '../../../test/support/until.ts'
import { factory } from './factory.ts'
import { LOGS, METRICS, SPANS, withAttributes } from './testing.ts'

const TEMPLATES = fileURLToPath(new URL('../../../configs/elasticsearch/', import.meta.url))
const ALL_MS = 600_000
const DIRECT = { sending_queue: { enabled: false }, retry: { enabled: false } }

/** The same request, whose resource names a data set of the test's own. */
const into = <R extends object>(request: R, dataset: string): R =>
  withAttributes(request, { 'data_stream.dataset': dataset })

// All are fetched before the first of them runs: its time would run out.
for (const [name, skip] of SEARCH_SERVERS.map((each) => [each, searchServerMissing(each)] as const)) {
  if (skip === false) describe(name, { timeout: ALL_MS }, () => roundTrips(name))
  else test(`documents come back from ${name}`, { skip }, () => {})
}

function roundTrips(name: SearchServerName): void {
  let server: SearchServer
  const isElastic = isElasticsearch(name)

  before(
    async () => {
      server = await startSearchServer(name)
      const folder = join(TEMPLATES, isElastic ? '' : 'opensearch')
      for (const file of globSync('*.json', { cwd: folder })) {
        const template = JSON.parse(readFileSync(join(folder, file), 'utf8'))
        template.template.settings.number_of_replicas = 0
        await ask(server, 'PUT', `/_index_template/${basename(file, '.json')}`, template)
      }
      // The first document takes a server that has just started seconds.
      await ask(server, 'POST', '/warm/_doc?refresh=true', {})
    },
    { timeout: ALL_MS },
  )
  after(() => server?.stop())

  const start = (t: TestContext, config: object = {}) =>
    exporterHarness(t, factory, { endpoint: server.url, ...DIRECT, ...config })

  async function search(
    index: string,
    body: object = {},
    // biome-ignore lint/suspicious/noExplicitAny: whatever a document or an answer holds
  ): Promise<{ _id: string; _index: string; _source: any; fields?: any }[]> {
    await ask(server, 'POST', `/${index}/_refresh`)
    const found = await ask(server, 'POST', `/${index}/_search`, { size: 100, sort: ['_doc'], ...body })
    return found.hits.hits
  }

  // biome-ignore lint/suspicious/noExplicitAny: whatever a document or an answer holds
  const sources = async (index: string): Promise<any[]> => (await search(index)).map(({ _source }) => _source)

  test('a log record comes back from its data stream as it was sent, with its time to the nanosecond', async (t) => {
    const { push } = await start(t)
    const fate = push('logs', into(LOGS, 'whole'))
    await until(() => fate.delivered)
    const hits = await search('logs-whole.otel-default', {
      fields: [{ field: '@timestamp', format: 'strict_date_optional_time_nanos' }, 'observed_timestamp'],
    })
    assert.equal(hits.length, 2)
    const [first, second] = hits.map(({ _source }) => _source)
    assert.deepEqual(first, {
      '@timestamp': '1767225600000.000005',
      observed_timestamp: '1767225600123.456789',
      data_stream: { type: 'logs', dataset: 'whole.otel', namespace: 'default' },
      severity_text: 'INFO',
      severity_number: 9,
      trace_id: '0102030405060708090a0b0c0d0e0f10',
      span_id: '0102030405060708',
      attributes: {
        'part.number': 9007199254740991,
        ratio: 1.0,
        ok: true,
        raw: '00ff',
        'geo.location': [11.5, 48.25],
        list: ['one', 'two'],
      },
      event_name: 'part.finished',
      resource: { schema_url: 'https://r', attributes: { 'service.name': 'press', 'host.name': 'edge-1' } },
      scope: { name: 'line', version: '2', attributes: { line: 3 } },
      body: { text: 'part "7"\n finished, 21 °C' },
    })
    assert.deepEqual(hits[0]!.fields['@timestamp'], ['2026-01-01T00:00:00.000000005Z'])
    assert.deepEqual(second.body, { structured: { order: 'A-1', steps: [{ n: 1 }] } })
  })

  test('a span and its events come back from their data streams as they were sent', async (t) => {
    const { push } = await start(t)
    const fate = push('traces', into(SPANS, 'cut'))
    await until(() => fate.delivered)
    const [span] = await sources('traces-cut.otel-default')
    assert.deepEqual(span, {
      '@timestamp': '1767225600000.000005',
      data_stream: { type: 'traces', dataset: 'cut.otel', namespace: 'default' },
      trace_id: '0102030405060708090a0b0c0d0e0f10',
      span_id: '0102030405060708',
      parent_span_id: '1112131415161718',
      trace_state: 'a=b',
      name: 'cut',
      kind: 'Server',
      duration: 2_000_000,
      attributes: { 'device.id': 'm-1' },
      dropped_events_count: 2,
      links: [{ trace_id: '2'.repeat(32), span_id: '3'.repeat(16), attributes: { why: 'batch' } }],
      status: { message: 'jammed', code: 'Error' },
      resource: { attributes: { 'service.name': 'press', 'host.name': 'edge-1' } },
      scope: { name: 'line' },
    })
    const [event] = await sources('logs-cut.otel-default')
    assert.deepEqual(event, {
      '@timestamp': '1767225600000.000006',
      data_stream: { type: 'logs', dataset: 'cut.otel', namespace: 'default' },
      trace_id: '0102030405060708090a0b0c0d0e0f10',
      span_id: '0102030405060708',
      event_name: 'jam',
      attributes: { 'event.name': 'jam', depth: 2 },
      resource: { attributes: { 'service.name': 'press', 'host.name': 'edge-1' } },
      scope: { name: 'line' },
    })
  })

  test('points of the same time and attributes come back as one document, with numbers that the store can add up', async (t) => {
    const { push, metric } = await start(t)
    const fate = push('metrics', into(METRICS, 'device'))
    await until(() => fate.delivered)
    const documents = await sources('metrics-device.otel-default')
    const of = (name: string) => documents.filter(({ metrics }) => name in metrics)
    assert.equal(documents.length, 3)
    assert.deepEqual(of('parts')[0].metrics, {
      temperature: 21.0,
      parts: 7,
      cycle: { counts: [1, 2], values: [0.5, 1.5] },
      spread: { counts: [1, 1, 1], values: [0, 1.5, 3] },
      load: { sum: 4, value_count: 3 },
    })
    assert.deepEqual(of('parts')[0].attributes, { 'device.id': 'm-1' })
    assert.equal(of('parts')[0].unit, '1')
    assert.equal(of('parts')[0]['@timestamp'], 1767225600000)
    assert.equal(of('parts')[0].start_timestamp, 1767225500000)
    assert.deepEqual(
      of('temperature')
        .map(({ metrics }) => metrics.temperature)
        .sort(),
      [21, 22, 23],
    )
    const sum = await ask(server, 'POST', '/metrics-device.otel-default/_search', {
      size: 0,
      aggs: { all: { sum: { field: 'metrics.temperature' } } },
    })
    assert.equal(sum.aggregations.all.value, 66)
    // NaN has no place in a document.
    assert.equal(metric('exporter_rejected_metric_points'), 1)
  })

  for (const [mode, log, span] of [
    [
      'ecs',
      { 'log.level': 'INFO', message: 'part "7"\n finished, 21 °C', 'trace.id': '0102030405060708090a0b0c0d0e0f10' },
      { 'span.name': 'cut', 'event.outcome': 'failure', 'host.hostname': 'edge-1', 'parent.id': '1112131415161718' },
    ],
    [
      'none',
      {
        SeverityText: 'INFO',
        Body: 'part "7"\n finished, 21 °C',
        'Attributes.part.number': 9007199254740991,
        'Resource.service.name': 'press',
        'Scope.line': 3,
      },
      { Name: 'cut', Duration: 2000, TraceStatus: 2, 'Events.jam.depth': 2, Kind: 'SPAN_KIND_SERVER' },
    ],
    [
      'raw',
      { SeverityText: 'INFO', 'part.number': 9007199254740991, ok: true, 'Resource.host.name': 'edge-1' },
      { Name: 'cut', 'jam.depth': 2, 'device.id': 'm-1' },
    ],
  ] as const) {
    test(`in mode ${mode} logs, spans and points have the names of that mode`, async (t) => {
      const { push } = await start(t, {
        mapping: { mode },
        logs_index: `${mode}-logs`,
        traces_index: `${mode}-traces`,
        metrics_index: `${mode}-metrics`,
      })
      const fates = [push('logs', LOGS), push('traces', SPANS), push('metrics', METRICS)]
      await until(() => fates.every(({ delivered }) => delivered))
      // biome-ignore lint/suspicious/noExplicitAny: whatever a document or an answer holds
      const found = async (signal: string): Promise<any> => (await sources(`${mode}-${signal}`))[0]
      // biome-ignore lint/suspicious/noExplicitAny: whatever a document or an answer holds
      const at = (document: any, path: string): unknown =>
        mode === 'ecs' ? path.split('.').reduce((inner, key) => inner?.[key], document) : document[path]
      const [logDocument, spanDocument] = [await found('logs'), await found('traces')]
      for (const [path, value] of Object.entries(log)) assert.deepEqual(at(logDocument, path), value, path)
      for (const [path, value] of Object.entries(span)) assert.deepEqual(at(spanDocument, path), value, path)
      assert.equal(logDocument['@timestamp'], '2026-01-01T00:00:00.000000005Z')
      const points = await found('metrics')
      assert.equal(points.parts, 7)
      assert.equal(points.device.id, 'm-1')
      assert.equal(points.service.name, 'press')
    })
  }

  test('in mode bodymap the body is the document, and a record without a map is set aside alone', async (t) => {
    const { push, metric, logs } = await start(t, { logs_index: 'bodies' })
    const fate = push('logs', withAttributes(LOGS, {}, { 'elastic.mapping.mode': 'bodymap' }))
    await until(() => fate.delivered)
    assert.deepEqual(await sources('bodies'), [{ order: 'A-1', steps: [{ n: 1 }] }])
    assert.equal(metric('exporter_rejected_log_records'), 1)
    assert.match(String(logs.find(({ level }) => level === 'error')?.fields.error), /the body must be a map/)
  })

  test('a scope, and a header of the client, choose the mapping; the scope counts more', async (t) => {
    const { push } = await start(t, { logs_index: 'chosen' })
    const client = { metadata: new Map([['x-elastic-mapping-mode', ['none']]]) }
    const fates = [
      push('logs', LOGS, client),
      push('logs', withAttributes(LOGS, {}, { 'elastic.mapping.mode': 'ecs' }), client),
    ]
    await until(() => fates.every(({ delivered }) => delivered))
    const found = await sources('chosen')
    assert.ok(found.some((document) => 'SeverityNumber' in document))
    assert.ok(found.some((document) => document.log?.level === 'INFO'))
    assert.equal(
      found.some((document) => 'severity_number' in document),
      false,
    )
  })

  test('a static index without any template has a time that queries understand', async (t) => {
    const { push } = await start(t, { logs_index: 'plain-logs' })
    const fate = push('logs', LOGS)
    await until(() => fate.delivered)
    const mapping = await ask(server, 'GET', '/plain-logs/_mapping')
    assert.equal(mapping['plain-logs'].mappings.properties['@timestamp'].type, 'date')
  })

  test('one bad record of a batch is set aside alone, with its reason, and kept as text in dead_letter_index', async (t) => {
    await ask(server, 'PUT', '/strict', {
      mappings: { properties: { attributes: { properties: { n: { type: 'long' } } } } },
    })
    const { push, metric, logs } = await start(t, { logs_index: 'strict', dead_letter_index: 'dead-letters' })
    const record = (n: object) => ({ timeUnixNano: '1767225600000000000', attributes: [{ key: 'n', value: n }] })
    const fate = push('logs', {
      resourceLogs: [
        {
          scopeLogs: [
            { logRecords: [record({ intValue: 1 }), record({ stringValue: 'bad' }), record({ intValue: 3 })] },
          ],
        },
      ],
    })
    await until(() => fate.delivered)
    assert.deepEqual(
      (await sources('strict')).map(({ attributes }) => attributes.n),
      [1, 3],
    )
    assert.equal(metric('exporter_rejected_log_records'), 1)
    assert.equal(metric('elasticsearch_docs_processed', { outcome: 'failed_client' }), 1)
    const parsing = `${isElastic ? 'document' : 'mapper'}_parsing_exception`
    const line = logs.find(({ level }) => level === 'error')
    assert.match(String(line?.fields.error), new RegExp(`^strict: ${parsing}: .*\\[attributes\\.n\\].* \\(400\\)$`))
    const [letter] = await sources('dead-letters')
    assert.equal(letter.index, 'strict')
    assert.equal(letter.error.type, parsing)
    assert.equal(JSON.parse(letter.document).attributes.n, 'bad')
  })

  test('an index that is read-only refuses documents for good, unless 403 is to be tried again', async (t) => {
    await ask(server, 'PUT', '/closed', { settings: { 'index.blocks.write': true } })
    const refusing = await start(t, { logs_index: 'closed' })
    const fate = refusing.push('logs', LOGS)
    await until(() => fate.delivered)
    assert.equal(refusing.metric('exporter_rejected_log_records'), 2)
    assert.match(
      String(refusing.logs.find(({ level }) => level === 'error')?.fields.error),
      /cluster_block_exception.*\(403\)/,
    )

    const waiting = await start(t, { logs_index: 'closed', retry: { retry_on_status: [403] } })
    const later = waiting.push('logs', LOGS)
    await until(() => waiting.logs.some(({ message }) => message.includes('Will retry')))
    assert.equal(later.delivered, false)
    await ask(server, 'PUT', '/closed/_settings', { 'index.blocks.write': null })
    waiting.clock.advance(1_000)
    await until(() => later.delivered)
    assert.equal((await sources('closed')).length, 2)
  })

  test('an id from the record makes one document of what is sent twice', async (t) => {
    const { push, metric } = await start(t, { logs_index: 'once', logs_dynamic_id: { enabled: true } })
    const request = {
      resourceLogs: [
        {
          scopeLogs: [
            {
              logRecords: [
                {
                  timeUnixNano: '1767225600000000000',
                  attributes: [{ key: 'elasticsearch.document_id', value: { stringValue: 'order/"7"' } }],
                },
              ],
            },
          ],
        },
      ],
    }
    for (let i = 0; i < 2; i++) {
      const fate = push('logs', request)
      await until(() => fate.delivered)
    }
    const hits = await search('once')
    assert.deepEqual(
      hits.map(({ _id }) => _id),
      ['order/"7"'],
    )
    assert.equal('attributes' in hits[0]!._source && 'elasticsearch.document_id' in hits[0]!._source.attributes, false)
    assert.equal(metric('exporter_rejected_log_records'), 1)
  })

  test('logstash_format puts the day behind the name', async (t) => {
    const { push } = await start(t, { logs_index: 'daily', logstash_format: { enabled: true } })
    const fate = push('logs', LOGS)
    await until(() => fate.delivered)
    assert.equal((await sources('daily-2026.01.01')).length, 2)
  })

  test('discovery sends to the nodes that the cluster names', async (t) => {
    const { push, logs } = await start(t, { logs_index: 'found', discover: { on_start: true } })
    await until(() => logs.some(({ message }) => message === 'Nodes of the cluster.'))
    const fate = push('logs', LOGS)
    await until(() => fate.delivered)
    assert.equal((await sources('found')).length, 2)
    assert.equal(logs.find(({ message }) => message === 'Nodes of the cluster.')?.fields.endpoints, server.url)
  })

  test('every template of configs/elasticsearch is taken, and is the one that its documents get', async (t) => {
    const { push } = await start(t)
    const fate = push('logs', into(LOGS, 'alarm_press'))
    await until(() => fate.delivered)
    const { index_templates: templates } = await ask(server, 'GET', '/_index_template')
    const names = templates.map(({ name }: { name: string }) => name).sort()
    assert.deepEqual(names, ['alarms', 'dead-letters', 'device-metrics', 'logs', 'otel-logs', 'traces'])
    const byName = await ask(server, 'POST', '/_index_template/_simulate_index/logs-alarm_saw.otel-default')
    assert.equal(byName.template.mappings.properties['@timestamp'].type, 'date_nanos')
    const found = await search('logs-alarm_press.otel-default', {
      query: { term: { 'resource.attributes.service.name': 'press' } },
    })
    assert.equal(found.length, 2)
  })

  // Behind the test of all templates, since one of its own stays.
  test('in mode ecs points and events of spans come back from their data streams', async (t) => {
    // Elasticsearch's own template for metrics has these names, with kinds of fields that the servers of these tests lack.
    const dynamic_templates = [
      { double_metrics: { mapping: { type: 'double' } } },
      { histogram_metrics: { mapping: { type: 'object', enabled: false } } },
      { summary_metrics: { mapping: { type: 'object' } } },
    ]
    await ask(server, 'PUT', '/_index_template/ecs-metrics', {
      index_patterns: ['metrics-ecs-*'],
      priority: 300,
      data_stream: {},
      template: { settings: { number_of_replicas: 0 }, mappings: isElastic ? { dynamic_templates } : {} },
    })
    const { push, metric } = await start(t, { mapping: { mode: 'ecs' } })
    const fates = [push('metrics', into(METRICS, 'ecs')), push('traces', into(SPANS, 'ecs'))]
    await until(() => fates.every(({ delivered }) => delivered))
    // NaN alone has no place in a document.
    assert.equal(metric('exporter_rejected_metric_points'), 1)
    const points = (await sources('metrics-ecs-default')).find(({ parts }) => parts !== undefined)
    assert.deepEqual([points.parts, points.load, points.device.id], [7, { sum: 4, value_count: 3 }, 'm-1'])
    const mapping = await ask(server, 'GET', '/metrics-ecs-default/_mapping')
    const { parts } = (Object.values(mapping)[0] as typeof mapping).mappings.properties
    assert.equal(parts.type, isElastic ? 'double' : 'long')
    assert.equal((await sources('traces-ecs-default'))[0].span.name, 'cut')
    assert.ok((await sources('logs-apm.app.press-default')).some(({ message }) => message === 'jam'))
  })

  if (isElastic) return
  test('a server that is no Elasticsearch is served all the same, which is said once', async (t) => {
    const { push, logs } = await start(t)
    const fates = [push('logs', into(LOGS, 'open')), push('traces', into(SPANS, 'open'))]
    await until(() => fates.every(({ delivered }) => delivered))
    assert.equal(logs.filter(({ message }) => message.startsWith('The server is no Elasticsearch')).length, 1)
  })
}
