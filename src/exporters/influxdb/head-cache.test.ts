import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FakeClock } from '../../../test/support/fake-clock.ts'
import { batchOf } from '../../../test/support/harness.ts'
import { parseConfig } from '../../config/testing.ts'
import { Walk } from '../../otlp/walk.ts'
import { config } from './config.ts'
import { LineEncoder } from './encoder.ts'
import { HeadCache } from './head-cache.ts'

type Attributes = Readonly<Record<string, string>>

const attributes = (of: Attributes): object[] =>
  Object.entries(of).map(([key, stringValue]) => ({ key, value: { stringValue } }))

interface Point {
  readonly device: string
  readonly metric: string
  readonly attributes: Attributes
}

/** Each point in a resource and a metric of its own. */
const batch = (points: readonly Point[]) =>
  batchOf('metrics', {
    resourceMetrics: points.map(({ device, metric, attributes: own }) => ({
      resource: { attributes: attributes({ device }) },
      scopeMetrics: [
        {
          scope: { name: 'plc' },
          metrics: [
            {
              name: metric,
              gauge: { dataPoints: [{ timeUnixNano: '1000', asInt: '1', attributes: attributes(own) }] },
            },
          ],
        },
      ],
    })),
  })

/** What the cache says of each point; a head that is not there is made of the words of the point. */
function take(cache: HeadCache, points: readonly Point[], keys?: readonly Uint8Array[]): string[] {
  const said: string[] = []
  const walk = new Walk('metrics')
  let next = 0
  for (const part of batch(points).parts) {
    walk.open(part)
    while (walk.nextResource()) {
      cache.enterResource()
      while (walk.nextScope()) {
        cache.enterScope()
        while (walk.nextItem()) {
          const metric = cache.metric(walk, true, 0)
          while (walk.nextPoint()) {
            const point = points[next++]!
            const known = cache.find(walk, metric, keys)
            if (known >= 0) {
              const { bytes } = cache.words
              said.push(Buffer.from(bytes.subarray(cache.from(known), cache.to(known))).toString())
              continue
            }
            const head = Buffer.from(`xx${wordsOf(point)}xx`)
            cache.add(metric, head, 2, head.length - 2)
            said.push('new')
          }
        }
      }
    }
  }
  return said
}

const wordsOf = ({ device, metric, attributes: { axis } }: Point): string => `${metric},${device},${axis}`
const point = (device: string, metric: string, axis: string, more: Attributes = {}): Point => ({
  device,
  metric,
  attributes: { axis, ...more },
})

test('a series finds its head again in any order, and no other series does', () => {
  const cache = new HeadCache(7)
  const points = ['r1', 'r2', 'r11'].flatMap((device) =>
    ['load', 'speed'].flatMap((metric) => ['1', '2', '12'].map((axis) => point(device, metric, axis))),
  )
  cache.begin()
  assert.deepEqual(new Set(take(cache, points)), new Set(['new']))
  for (const order of [points, points.toReversed(), points.toSorted((a, b) => (wordsOf(a) < wordsOf(b) ? -1 : 1))]) {
    assert.equal(cache.begin(), false)
    assert.deepEqual(take(cache, order), order.map(wordsOf))
  }
  assert.equal(cache.size, points.length)
})

test('attributes that a head does not depend on make no series', () => {
  const cache = new HeadCache(7)
  const keys = [Buffer.from('axis')]
  cache.begin()
  const points = ['a', 'b', 'c'].map((batchNumber) => point('r1', 'load', '1', { batchNumber }))
  assert.deepEqual(take(cache, points, keys), ['new', 'load,r1,1', 'load,r1,1'])
  assert.deepEqual(take(cache, [point('r1', 'load', '2')], keys), ['new'])
})

test('a cache that is full keeps what it has, and forgets it when others have come in its place', () => {
  const cache = new HeadCache(7, 20_000)
  const series = (prefix: string): Point[] => Array.from({ length: 300 }, (_, n) => point('r1', 'load', prefix + n))
  const [old, young] = [series('old'), series('young')]
  cache.begin()
  take(cache, old)
  const kept = cache.size
  assert.ok(kept > 20 && kept < old.length, `${kept} kept`)
  assert.equal(cache.begin(), false)
  assert.deepEqual(
    take(cache, old),
    old.map((one, n) => (n < kept ? wordsOf(one) : 'new')),
  )
  let rounds = 0
  for (; !cache.begin(); rounds++) {
    assert.ok(rounds < 20, 'never forgets')
    assert.deepEqual(new Set(take(cache, young)), new Set(['new']))
  }
  assert.equal(cache.size, 0)
  take(cache, young)
  assert.equal(take(cache, young)[0], wordsOf(young[0]!))
})

test('lines are the same whether heads are kept or made', () => {
  const points = Array.from({ length: 400 }, (_, n) =>
    point(`r${n % 7}`, n % 3 === 0 ? 'speed, max' : 'load', `${n % 5}`, n % 2 === 0 ? { shift: 'late one' } : {}),
  )
  const rules = [
    { metrics: ['speed*'], measurement: 'fast', field: '%{metric.name}', tags: { a: '%{attributes.axis}' } },
  ]
  const other = {
    measurement: 'm_%{metric.name}',
    other_attributes: 'tags',
    tags: { d: '%{resource.attributes.device}' },
  }
  for (const own of [
    { schema: 'plant', plant_rules: [...rules, other] },
    { metrics_schema: 'telegraf-prometheus-v1' },
    { metrics_schema: 'telegraf-prometheus-v2' },
  ]) {
    const make = () =>
      new LineEncoder(parseConfig(config, { endpoint: 'http://localhost:8086', ...own }), new FakeClock())
    const text = (encoder: LineEncoder, some: readonly Point[]): string =>
      encoder
        .encode(batch(some))
        .payloads.map(({ bytes }) => Buffer.from(bytes).toString())
        .join('')
    const encoder = make()
    const first = text(encoder, points)
    assert.equal(text(encoder, points), first)
    if ('metrics_schema' in own) assert.equal(first, points.map((one) => text(make(), [one])).join(''))
  }
})
