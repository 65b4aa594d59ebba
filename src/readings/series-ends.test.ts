import assert from 'node:assert/strict'
import { test } from 'node:test'
import { checkRequest } from '../otlp/check.ts'
import { bytesToJson } from '../otlp/json/index.ts'
import { encodeMarks, KIND, Metrics, Naming, PLAIN_NAMING } from './naming.ts'
import { Readings } from './readings.ts'
import { Sources } from './sources.ts'
import { Stream } from './stream.ts'

test('the ends of series have their names, kinds and attributes, and no value', () => {
  const bounds = { maxSources: 10, maxSeries: 10, watched: true, endsSeries: true }
  const sources = new Sources({ ...bounds, onFull: () => assert.fail() })
  const naming = new Naming(new Metrics(), PLAIN_NAMING)
  const marks = encodeMarks([['manufacturing.shift.name', 'early']])
  const stream = new Stream(sources, [['device.id', 'a']], naming, marks)
  const out = new Readings({ scope: 't', sources, takesMetrics: true, takesLogs: true, device: () => assert.fail() })
  out.begin(stream, 1_000)
  out.readingOf('temperature', 'Cel', 20)
  out.kind = KIND.COUNTER
  out.readingOf('parts', '{piece}', 7)
  out.kind = KIND.GAUGE
  out.readingOf('manufacturing.device.up', '1', 1)
  out.mark([['data.quality', 'bad']])
  out.readingOf('speed', '', 5)
  out.metrics.take()
  out.begin(stream, 2_000)
  out.gone()
  const bytes = out.metrics.take()!
  assert.equal(checkRequest('metrics', bytes), 2)
  const { metrics } = JSON.parse(bytesToJson('metrics', [bytes])).resourceMetrics[0].scopeMetrics[0]
  const attributes = [{ key: 'manufacturing.shift.name', value: { stringValue: 'early' } }]
  const dataPoints = [{ timeUnixNano: '2000000000', attributes, flags: 1 }]
  assert.deepEqual(metrics, [
    { name: 'temperature', unit: 'Cel', gauge: { dataPoints } },
    { name: 'parts', unit: '{piece}', sum: { dataPoints, aggregationTemporality: 2, isMonotonic: true } },
  ])
})
