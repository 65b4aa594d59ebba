// Against the real OpenSearch. It takes a JVM of its own, so it runs where it is asked for:
//
//   MILLRACE_OPENSEARCH=1 npm test -- elasticsearch/opensearch

import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { after, before, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { exporterHarness } from '../../../test/support/harness.ts'
import { ask, type SearchServer, searchServerMissing, startSearchServer } from '../../../test/support/search-server.ts'
import { until } from '../../../test/support/until.ts'
import { factory } from './factory.ts'
import { LOGS, METRICS, SPANS } from './testing.ts'

const skip =
  process.env.MILLRACE_OPENSEARCH === '1' ? searchServerMissing('opensearch') : 'MILLRACE_OPENSEARCH=1 runs it'
let server: SearchServer

const TEMPLATES = fileURLToPath(new URL('../../../configs/elasticsearch/opensearch/', import.meta.url))

before(async () => {
  if (skip !== false) return
  server = await startSearchServer('opensearch')
  for (const file of globSync('*.json', { cwd: TEMPLATES })) {
    const template = JSON.parse(readFileSync(join(TEMPLATES, file), 'utf8'))
    template.template.settings.number_of_replicas = 0
    await ask(server, 'PUT', `/_index_template/${basename(file, '.json')}`, template)
  }
})
after(() => server?.stop())

test('OpenSearch takes logs, spans and points into data streams, with its own templates', { skip }, async (t) => {
  const { push, metric, logs } = await exporterHarness(t, factory, {
    endpoint: server.url,
    sending_queue: { enabled: false },
  })
  const fates = [push('logs', LOGS), push('traces', SPANS), push('metrics', METRICS)]
  await until(() => fates.every(({ delivered }) => delivered))
  const found = async (stream: string): Promise<{ _source: Record<string, unknown>; fields?: object }[]> => {
    await ask(server, 'POST', `/${stream}/_refresh`)
    const fields = [{ field: '@timestamp', format: 'strict_date_optional_time_nanos' }]
    return (await ask(server, 'POST', `/${stream}/_search`, { fields, sort: ['_doc'] })).hits.hits
  }
  const records = await found('logs-generic.otel-default')
  // The event of the span is among them.
  assert.equal(records.length, 3)
  const [record] = records.filter(({ _source }) => _source.severity_text === 'INFO')
  assert.deepEqual(record!._source.body, { text: 'part "7"\n finished, 21 °C' })
  assert.deepEqual(record!.fields, { '@timestamp': ['2026-01-01T00:00:00.000000005Z'] })
  const [span] = await found('traces-generic.otel-default')
  assert.equal(span!._source.duration, 2_000_000)
  assert.equal((await found('metrics-generic.otel-default')).length, 3)
  const sum = await ask(server, 'POST', '/metrics-generic.otel-default/_search', {
    size: 0,
    aggs: { all: { sum: { field: 'metrics.temperature' } } },
  })
  assert.equal(sum.aggregations.all.value, 66)
  assert.equal(metric('exporter_rejected_log_records'), undefined)
  assert.equal(logs.filter(({ message }) => message.startsWith('The server is no Elasticsearch')).length, 1)
})
