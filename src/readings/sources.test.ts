import assert from 'node:assert/strict'
import { test } from 'node:test'
import { checkRequest } from '../otlp/check.ts'
import { bytesToJson } from '../otlp/json/index.ts'
import { KIND, Metrics, Naming, PLAIN_NAMING } from './naming.ts'
import { Readings } from './readings.ts'
import { Sources } from './sources.ts'
import { Stream } from './stream.ts'

function made(maxSources: number, maxSeries: number) {
  const full: string[] = []
  const sources = new Sources({ maxSources, maxSeries, onFull: (what) => void full.push(what) })
  const metrics = new Metrics()
  const naming = new Naming(metrics, PLAIN_NAMING)
  const device = (): Stream => assert.fail()
  const readings = new Readings({ scope: 'test', sources, takesMetrics: true, takesLogs: true, device })
  const streamOf = (id: string): Stream => new Stream(sources, [['device.id', id]], naming)
  let ms = 1_767_225_600_000
  const push = (stream: Stream, values: Record<string, number>, kind: number = KIND.GAUGE): void => {
    readings.begin(stream, (ms += 1000))
    readings.kind = kind as typeof readings.kind
    for (const [name, value] of Object.entries(values)) readings.readingOf(name, '', value)
  }
  const advance = (): void => {
    sources.advance()
    metrics.advance()
  }
  /** `device name=value`, and where it has one its start. */
  const taken = (): string[] => {
    const bytes = readings.metrics.take()
    if (bytes === undefined) return []
    checkRequest('metrics', bytes)
    // biome-ignore lint/suspicious/noExplicitAny: parsed JSON
    return JSON.parse(bytesToJson('metrics', [bytes])).resourceMetrics.flatMap((resource: any) =>
      // biome-ignore lint/suspicious/noExplicitAny: parsed JSON
      resource.scopeMetrics[0].metrics.map((metric: any) => {
        const [point] = (metric.gauge ?? metric.sum).dataPoints
        const start = point.startTimeUnixNano === undefined ? '' : ` since ${point.startTimeUnixNano.slice(6, 10)}`
        return `${resource.resource.attributes[0].value.stringValue} ${metric.name}=${point.asDouble}${start}`
      }),
    )
  }
  return { sources, metrics, streamOf, push, advance, taken, full }
}

test('a device that was silent for a whole generation is forgotten, and its place is free', () => {
  const { sources, streamOf, push, advance, taken, full } = made(1, 10)
  const [a, b] = [streamOf('a'), streamOf('b')]
  push(a, { x: 1 })
  push(b, { x: 2 })
  assert.deepEqual([taken(), full], [['a x=1'], ['source']])
  advance()
  push(b, { x: 3 })
  assert.deepEqual([taken(), sources.size], [[], 1], 'a may still come')
  advance()
  push(b, { x: 4 })
  assert.deepEqual(taken(), ['b x=4'])
  push(a, { x: 5 })
  assert.deepEqual(taken(), [])
  advance()
  advance()
  push(a, { x: 6 })
  assert.deepEqual(taken(), ['a x=6'])
})

test('a device that sends in each generation stays, with the start of its counts', () => {
  const { sources, streamOf, push, advance, taken } = made(10, 10)
  const a = streamOf('a')
  const since = new Set<string>()
  for (let i = 1; i <= 5; i++) {
    push(a, { parts: i }, KIND.COUNTER)
    since.add(taken()[0]!.split('since ')[1]!)
    advance()
  }
  assert.deepEqual([...since], ['5601'])
  assert.deepEqual([sources.size, sources.series, sources.starts.size], [1, 1, 1])
  advance()
  assert.deepEqual([sources.size, sources.series, sources.starts.size], [0, 0, 0])
})

test('metrics that nobody sends any more make room for others, of devices that stay', () => {
  const { sources, metrics, streamOf, push, advance, taken, full } = made(10, 2)
  const a = streamOf('a')
  push(a, { x: 1, y: 1, z: 1 })
  assert.deepEqual(taken(), ['a x=1', 'a y=1'])
  advance()
  push(a, { x: 2, z: 2 })
  assert.deepEqual(taken(), ['a x=2'])
  advance()
  push(a, { x: 3, z: 3 })
  assert.deepEqual(taken(), ['a x=3', 'a z=3'])
  assert.deepEqual([sources.series, metrics.size, full.length], [2, 2, 2])
})

test('a flood of names beyond the bound on series takes no memory', () => {
  const { metrics, streamOf, push, taken } = made(10, 3)
  const a = streamOf('a')
  for (let i = 0; i < 1000; i++) push(a, { [`n${i}`]: i })
  assert.deepEqual([taken().length, metrics.size], [3, 3])
})

test('beyond the bound on series a known metric of a further device has no room either', () => {
  const { streamOf, push, taken, full } = made(10, 1)
  push(streamOf('a'), { x: 1 })
  push(streamOf('b'), { x: 1 })
  assert.deepEqual([taken(), full], [['a x=1'], ['series']])
})

test('counts of points with different attributes are counted apart', () => {
  const { sources } = made(10, 10)
  const metric = new Metrics().get('parts', '', KIND.COUNTER)
  const counts = new Map()
  const observe = (marks: string, value: number, seconds: number): number => {
    assert.ok(sources.starts.observe(counts, metric, Buffer.from(marks), value, seconds, 1, 0))
    return sources.starts.low
  }
  assert.deepEqual(
    [observe('', 100, 1), observe('a', 5, 2), observe('', 101, 3), observe('a', 4, 4), observe('', 102, 5)],
    [1, 2, 1, 4, 1],
  )
})

test('beyond the bound on series a count has no start, and goes on', () => {
  const { streamOf, sources } = made(10, 1)
  assert.ok(streamOf('a'))
  const metrics = new Metrics()
  const nothing = new Uint8Array(0)
  const counts = new Map()
  assert.equal(sources.starts.observe(counts, metrics.get('a', '', KIND.COUNTER), nothing, 1, 1, 1, 0), true)
  assert.equal(sources.starts.observe(counts, metrics.get('b', '', KIND.COUNTER), nothing, 1, 1, 1, 0), false)
})
