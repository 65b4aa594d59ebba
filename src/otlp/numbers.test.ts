// Hot code has field numbers written out; here they are held against the tables.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { REQUEST_NAME } from '../../test/support/oracle.ts'
import { ANY_VALUE, ARRAY_VALUE, type Field, KEY_VALUE, KEY_VALUE_LIST, MESSAGES, METRIC } from './fields.ts'
import { ITEM_LEVEL, METRIC_LEVEL, NEXT_FIELD } from './levels.ts'
import { isMetricData, METRIC_TYPE, pointAttributes } from './metric.ts'
import { SIGNALS } from './signal.ts'
import { VALUE } from './value.ts'

const fieldOf = (message: string, number: number): Field =>
  MESSAGES[message]!.fields.find((field) => field.number === number)!
const numberOf = (message: string, name: string): number =>
  MESSAGES[message]!.fields.find((field) => field.name === name)!.number

/** The messages from the request down to the items, by the numbers that counting and cutting use. */
function wayDown(signal: (typeof SIGNALS)[number]): string[] {
  const way: string[] = [REQUEST_NAME[signal]]
  NEXT_FIELD[signal].forEach((number, level) => {
    const isMetric = signal === 'metrics' && level === METRIC_LEVEL
    const field = fieldOf(way[level]!, isMetric ? METRIC.GAUGE : number)
    assert.equal(field.kind, 'message', field.name)
    if (!isMetric) assert.ok(field.repeated, field.name)
    way.push(field.type!)
  })
  return way.map((message) => message.slice(message.lastIndexOf('.') + 1))
}

test('the levels of every signal lead from the request to its items', () => {
  assert.deepEqual(SIGNALS.map(wayDown), [
    ['ExportTraceServiceRequest', 'ResourceSpans', 'ScopeSpans', 'Span'],
    ['ExportMetricsServiceRequest', 'ResourceMetrics', 'ScopeMetrics', 'Metric', 'Gauge', 'NumberDataPoint'],
    ['ExportLogsServiceRequest', 'ResourceLogs', 'ScopeLogs', 'LogRecord'],
    ['ExportProfilesServiceRequest', 'ResourceProfiles', 'ScopeProfiles', 'Profile', 'Sample'],
  ])
  for (const signal of SIGNALS) assert.equal(ITEM_LEVEL[signal], NEXT_FIELD[signal].length)
})

test('resources, scopes, items, schema URLs and data points have the numbers in every signal that they have in traces', () => {
  for (const signal of SIGNALS) {
    const request = REQUEST_NAME[signal]
    const [resources, scopes, items] = NEXT_FIELD[signal]
    assert.deepEqual([resources, scopes, items], NEXT_FIELD.traces)
    const resource = fieldOf(request, resources).type!
    const scope = fieldOf(resource, scopes).type!
    // src/otlp/resource.ts and walk.ts read these two and write the first.
    assert.deepEqual([numberOf(resource, 'resource'), numberOf(resource, 'schema_url')], [1, 3])
    assert.deepEqual([numberOf(scope, 'scope'), numberOf(scope, 'schema_url')], [1, 3])
  }
  for (const { number, type } of MESSAGES[METRIC.message]!.fields.filter(({ oneof }) => oneof === 'data')) {
    assert.equal(numberOf(type!, 'data_points'), NEXT_FIELD.metrics[4])
    const points = fieldOf(type!, NEXT_FIELD.metrics[4]).type!
    assert.equal(pointAttributes(number as 5), numberOf(points, 'attributes'), points)
  }
})

test("a metric's kinds of data and a value's kinds of value are the members of their oneofs", () => {
  const data = METRIC.fields.filter((field: Field) => field.oneof === 'data').map(({ number }) => number)
  assert.deepEqual(Object.values(METRIC_TYPE), [0, ...data])
  for (let number = 0; number <= METRIC.wireType.length; number++)
    assert.equal(isMetricData(number), data.includes(number as 5), String(number))
  const values = ANY_VALUE.fields.map(({ number }) => number)
  assert.deepEqual(Object.values(VALUE), [0, ...values])
  assert.equal(ANY_VALUE.STRING_VALUE, VALUE.STRING)
  assert.equal(ANY_VALUE.BOOL_VALUE, VALUE.BOOL)
  assert.equal(ANY_VALUE.INT_VALUE, VALUE.INT)
  assert.equal(ANY_VALUE.DOUBLE_VALUE, VALUE.DOUBLE)
  assert.equal(ANY_VALUE.ARRAY_VALUE, VALUE.LIST)
  assert.equal(ANY_VALUE.KVLIST_VALUE, VALUE.MAP)
  assert.equal(ANY_VALUE.BYTES_VALUE, VALUE.BYTES)
})

test('tags written out for keys, values and lists are theirs', () => {
  assert.deepEqual([KEY_VALUE.KEY, KEY_VALUE.VALUE, ARRAY_VALUE.VALUES, KEY_VALUE_LIST.VALUES], [1, 2, 1, 1])
  const tag = (field: Field): number => field.number * 8 + field.wireType
  assert.deepEqual(KEY_VALUE.fields.slice(0, 2).map(tag), [10, 18])
  assert.deepEqual(ANY_VALUE.fields.slice(0, 4).map(tag), [10, 16, 24, 33])
})
