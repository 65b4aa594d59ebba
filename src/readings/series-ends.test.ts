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
  assert.equal(checkRequest('metrics', bytes), 3)
  const { metrics } = JSON.parse(bytesToJson('metrics', [bytes])).resourceMetrics[0].scopeMetrics[0]
  const attributes = [{ key: 'manufacturing.shift.name', value: { stringValue: 'early' } }]
  const dataPoints = [{ timeUnixNano: '2000000000', attributes, flags: 1 }]
  assert.deepEqual(metrics, [
    { name: 'temperature', unit: 'Cel', gauge: { dataPoints } },
    { name: 'parts', unit: '{piece}', sum: { dataPoints, aggregationTemporality: 2, isMonotonic: true } },
    {
      name: 'speed',
      gauge: {
        dataPoints: [
          {
            timeUnixNano: '2000000000',
            attributes: [...attributes, { key: 'data.quality', value: { stringValue: 'bad' } }],
            flags: 1,
          },
        ],
      },
    },
  ])
})

function statusOf(isGone: boolean): unknown[] {
  const bounds = { maxSources: 10, maxSeries: 3, watched: true, endsSeries: true }
  const sources = new Sources({ ...bounds, onFull: () => assert.fail() })
  const stream = new Stream(sources, [['device.id', 'a']], new Naming(new Metrics(), PLAIN_NAMING))
  const out = new Readings({ scope: 't', sources, takesMetrics: true, takesLogs: true, device: () => assert.fail() })
  const say = (states: readonly string[]): void => {
    for (const state of states) {
      out.mark([['manufacturing.machine.state', state]])
      out.readingOf('manufacturing.machine.status', '1', 1)
    }
  }
  out.begin(stream, 1_000)
  say(['idle', 'running', 'running', 'error', 'beyond the bound'])
  out.metrics.take()
  out.begin(stream, 2_000)
  if (isGone) out.gone()
  else {
    out.noSignOfLife()
    out.endSeries()
  }
  const bytes = out.metrics.take()
  if (bytes === undefined) return []
  const { metrics } = JSON.parse(bytesToJson('metrics', [bytes])).resourceMetrics[0].scopeMetrics[0]
  return metrics.map((metric: { gauge: { dataPoints: [{ attributes: [{ value: object }]; flags: number }] } }) => {
    const [{ attributes, flags }] = metric.gauge.dataPoints
    return [...Object.values(attributes[0].value), flags]
  })
}

test('the state of a machine that falls silent ends, each of its series, as many as the bound allows', () => {
  assert.deepEqual(statusOf(false), [
    ['idle', 1],
    ['running', 1],
    ['error', 1],
  ])
})

test('the state of a machine that somebody says is gone goes on: it is said along with that', () => {
  assert.deepEqual(statusOf(true), [])
})
