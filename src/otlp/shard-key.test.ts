import assert from 'node:assert/strict'
import { test } from 'node:test'
import { batchOf } from '../../test/support/harness.ts'
import { bytesToJson } from './json/index.ts'
import { type ShardKey, shardKeying } from './shard-key.ts'
import type { Signal } from './signal.ts'
import { splitByKey } from './split.ts'

const SHARDS = 4

const pieces = (signal: Signal, key: ShardKey, request: object): unknown[] =>
  splitByKey(batchOf(signal, request), SHARDS, shardKeying(key, signal, SHARDS)).map((piece) =>
    piece === undefined ? undefined : JSON.parse(bytesToJson(signal, piece.parts)),
  )

/** The shard in whose piece `text` stands; fails when it stands in several. */
function ownerOf(all: readonly unknown[], text: string): number {
  const owners = all.flatMap((piece, shard) => (JSON.stringify(piece ?? '').includes(`"${text}"`) ? [shard] : []))
  assert.equal(owners.length, 1, `${text} is in ${owners.length} pieces`)
  return owners[0]!
}

const TRACES = Array.from({ length: 40 }, (_, i) => (i + 1).toString(16).padStart(32, '0'))
const spans = (traceIds: readonly string[]): object => ({
  resourceSpans: [
    { scopeSpans: [{ spans: traceIds.map((traceId, i) => ({ traceId, spanId: `${i + 10}`.padStart(16, '0') })) }] },
  ],
})
const records = (traceIds: readonly string[]): object => ({
  resourceLogs: [{ scopeLogs: [{ logRecords: traceIds.map((traceId) => ({ traceId })) }] }],
})

test('a trace has one owner, whatever request and signal it comes in, and all shards own some', () => {
  const forwards = pieces('traces', 'trace', spans(TRACES))
  const backwards = pieces('traces', 'trace', spans(TRACES.toReversed()))
  const ofLogs = pieces('logs', 'trace', records(TRACES))
  const owners = TRACES.map((id) => ownerOf(forwards, id))
  assert.deepEqual(
    TRACES.map((id) => ownerOf(backwards, id)),
    owners,
  )
  assert.deepEqual(
    TRACES.map((id) => ownerOf(ofLogs, id)),
    owners,
  )
  assert.equal(new Set(owners).size, SHARDS)
})

test('what has no trace id belongs to shard 0', () => {
  const all = pieces('logs', 'trace', { resourceLogs: [{ scopeLogs: [{ logRecords: [{ eventName: 'stray' }] }] }] })
  assert.equal(ownerOf(all, 'stray'), 0)
})

const text = (key: string, value: string): object => ({ key, value: { stringValue: value } })
const device = (id: string, name: string): object => ({
  resource: { attributes: [text('site', 'a'), text('device.id', id)] },
  scopeMetrics: [{ metrics: [{ name, gauge: { dataPoints: [{ asInt: '1' }] } }] }],
})

test('a device has one owner over requests and signals', () => {
  const ids = Array.from({ length: 40 }, (_, i) => `press-${i}`)
  const all = pieces('metrics', 'device', { resourceMetrics: ids.map((id) => device(id, 'speed')) })
  const owners = ids.map((id) => ownerOf(all, id))
  assert.equal(new Set(owners).size, SHARDS)
  for (const [i, id] of ids.entries()) {
    const attributes = [text('device.id', id)]
    const log = { resourceLogs: [{ resource: { attributes }, scopeLogs: [{ logRecords: [{ eventName: 'on' }] }] }] }
    assert.equal(ownerOf(pieces('logs', 'device', log), id), owners[i])
  }
})

test('what Prometheus gives one job and instance has one owner, however they are written and whatever else the resource says', () => {
  const of = (attributes: object[], name: string): object => ({
    resource: { attributes },
    scopeMetrics: [{ metrics: [{ name, gauge: { dataPoints: [{ asInt: '1' }] } }] }],
  })
  const ids = Array.from({ length: 40 }, (_, i) => `${i}`)
  const [name, namespace] = [text('service.name', 'press'), text('service.namespace', 'hall')]
  const all = pieces('metrics', 'service', {
    resourceMetrics: ids.flatMap((id) => [
      of([name, namespace, text('service.instance.id', id)], `text-${id}`),
      of(
        [{ key: 'service.instance.id', value: { intValue: id } }, namespace, text('version', '2'), name],
        `number-${id}`,
      ),
      of([text('service.instance.id', id), text('service.name', 'hall/press')], `joined-${id}`),
    ]),
  })
  const owners = ids.map((id) => ownerOf(all, `text-${id}`))
  for (const form of ['number', 'joined'])
    assert.deepEqual(
      ids.map((id) => ownerOf(all, `${form}-${id}`)),
      owners,
    )
  assert.equal(new Set(owners).size, SHARDS)
  const unnamed = [
    of([], 'none'),
    of([namespace, text('line', '7')], 'namespace alone'),
    of([text('service.name', '')], 'empty'),
  ]
  const strays = pieces('metrics', 'service', { resourceMetrics: unnamed })
  assert.equal(new Set(['none', 'namespace alone', 'empty'].map((stray) => ownerOf(strays, stray))).size, 1)
})

test('a series has one owner, in whatever order its attributes stand; series of one metric have several', () => {
  const point = (attributes: object[], value: string): object => ({ attributes, asInt: value })
  const request = (points: object[]): object => ({
    resourceMetrics: [{ scopeMetrics: [{ metrics: [{ name: 'speed', gauge: { dataPoints: points } }] }] }],
  })
  const lines = Array.from({ length: 40 }, (_, i) => `${1000 + i}`)
  const one = lines.map((line) => point([text('line', line), text('shift', 'late')], line))
  const other = lines.map((line) => point([text('shift', 'late'), text('line', line)], line))
  const owners = lines.map((line) => ownerOf(pieces('metrics', 'series', request(one)), line))
  assert.deepEqual(
    lines.map((line) => ownerOf(pieces('metrics', 'series', request(other)), line)),
    owners,
  )
  assert.equal(new Set(owners).size, SHARDS)
})
