import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { decode, encode, type PlainMessage, REQUEST_NAME, requestArbitrary } from '../../test/support/oracle.ts'
import { chooser, scramble } from '../../test/support/scramble.ts'
import { Delivery } from '../delivery/delivery.ts'
import type { AttributeMap } from './attribute.ts'
import { Batch } from './batch.ts'
import { encodeBool, encodeDouble, encodeInt, encodeString, encodeText } from './encode.ts'
import { SPAN } from './fields.ts'
import { METRIC_TYPE } from './metric.ts'
import type { Signal } from './signal.ts'
import { EventView } from './span.ts'
import { VALUE, type ValueView } from './value.ts'
import { editBatch, Walk } from './walk.ts'

const NAMES = {
  traces: ['resourceSpans', 'scopeSpans', 'spans'],
  metrics: ['resourceMetrics', 'scopeMetrics', 'metrics'],
  logs: ['resourceLogs', 'scopeLogs', 'logRecords'],
  profiles: ['resourceProfiles', 'scopeProfiles', 'profiles'],
} as const
const KINDS = [
  ['gauge', METRIC_TYPE.GAUGE],
  ['sum', METRIC_TYPE.SUM],
  ['histogram', METRIC_TYPE.HISTOGRAM],
  ['exponentialHistogram', METRIC_TYPE.EXPONENTIAL_HISTOGRAM],
  ['summary', METRIC_TYPE.SUMMARY],
] as const

// biome-ignore lint/suspicious/noExplicitAny: plain messages of any shape
type Any = any
const list = (parent: Any, key: string): Any[] => parent?.[key] ?? []
const nearest = (value: bigint | undefined): number => Number(value ?? 0n)
const millis = (nanos: bigint | undefined): number => (nanos === undefined ? Number.NaN : Number(nanos) / 1e6)
const idAt = (bytes: Uint8Array, at: number, size: number): Uint8Array =>
  at === 0 ? new Uint8Array(0) : bytes.slice(at, at + size)

function sameValue(view: ValueView, expected: Any): void {
  const value = expected ?? {}
  if (value.stringValue !== undefined) assert.equal(view.toText(), value.stringValue)
  else if (value.boolValue !== undefined) assert.equal(view.bool(), value.boolValue)
  else if (value.intValue !== undefined) {
    assert.equal(view.toBigInt(), value.intValue)
    assert.equal(view.number(), Number(value.intValue))
  } else if (value.doubleValue !== undefined) assert.equal(view.number(), value.doubleValue)
  else if (value.bytesValue !== undefined) assert.deepEqual(view.bytes.slice(view.start, view.end), value.bytesValue)
  else if (value.arrayValue !== undefined) assert.equal(view.type, VALUE.LIST)
  else if (value.kvlistValue !== undefined) assert.equal(view.type, VALUE.MAP)
  else if (value.stringValueStrindex === undefined) assert.equal(view.type, VALUE.EMPTY)
}

function sameAttributes(map: AttributeMap, expected: Any[]): void {
  assert.equal(map.size, expected.length)
  for (let i = 0; i < expected.length; i++) {
    assert.equal(map.keyText(i), expected[i].key ?? '')
    const first = expected.findIndex((other) => (other.key ?? '') === (expected[i].key ?? ''))
    assert.equal(map.find(encodeText(expected[i].key ?? '')), first)
    sameValue(map.value(i), expected[i].value)
  }
  assert.equal(map.find(encodeText('there is no such key')), -1)
}

function sameSpan(walk: Walk, span: Any): void {
  const view = walk.span
  assert.deepEqual(idAt(view.bytes, view.traceIdAt(), 16), span.traceId ?? new Uint8Array(0))
  assert.deepEqual(idAt(view.bytes, view.spanIdAt(), 8), span.spanId ?? new Uint8Array(0))
  const parent: Uint8Array = span.parentSpanId ?? new Uint8Array(0)
  assert.deepEqual(
    idAt(view.bytes, view.parentSpanIdAt(), 8),
    parent.some((byte) => byte > 0) ? parent : new Uint8Array(0),
  )
  assert.equal(view.toName(), span.name ?? '')
  assert.equal(view.kind(), span.kind ?? 0)
  assert.equal(view.flags(), span.flags ?? 0)
  assert.equal(view.startMs(), millis(span.startTimeUnixNano))
  assert.equal(view.endMs(), millis(span.endTimeUnixNano))
  assert.equal(view.statusCode(), span.status?.code ?? 0)
  const message = view.bytes.slice(view.statusMessageStart(), view.statusMessageEnd())
  assert.equal(Buffer.from(message).toString(), span.status?.message ?? '')
  const event = new EventView()
  const events = list(span, 'events')
  let count = 0
  for (const c = view.events(); c.find(SPAN.EVENTS); count++) {
    event.reset(c.bytes, c.start, c.end)
    assert.equal(event.toName(), events[count].name ?? '')
    assert.equal(event.timeMs(), millis(events[count].timeUnixNano))
  }
  assert.equal(count, events.length)
}

function sameLog(walk: Walk, log: Any): void {
  const view = walk.log
  assert.equal(view.severityNumber(), log.severityNumber ?? 0)
  assert.equal(view.toSeverityText(), log.severityText ?? '')
  assert.equal(view.toEventName(), log.eventName ?? '')
  assert.equal(view.timeMs(), millis(log.timeUnixNano))
  assert.equal(view.observedMs(), millis(log.observedTimeUnixNano))
  assert.equal(view.flags(), log.flags ?? 0)
  assert.deepEqual(idAt(view.bytes, view.traceIdAt(), 16), log.traceId ?? new Uint8Array(0))
  assert.deepEqual(idAt(view.bytes, view.spanIdAt(), 8), log.spanId ?? new Uint8Array(0))
  sameValue(view.body(), log.body)
}

const optional = (value: number | undefined): number => value ?? Number.NaN

function samePoint(walk: Walk, kind: string, point: Any): void {
  const numbers: number[] = []
  if (kind === 'gauge' || kind === 'sum') {
    const expected = point.asInt === undefined ? optional(point.asDouble) : Number(point.asInt)
    assert.equal(walk.number.value(), expected)
    assert.equal(walk.number.flags(), point.flags ?? 0)
    assert.equal(walk.number.timeMs(), millis(point.timeUnixNano))
    assert.equal(walk.number.startMs(), millis(point.startTimeUnixNano))
  } else if (kind === 'histogram') {
    const view = walk.histogram
    assert.deepEqual(
      [view.count(), view.sum(), view.min(), view.max(), view.flags(), view.timeMs()],
      [
        nearest(point.count),
        optional(point.sum),
        optional(point.min),
        optional(point.max),
        point.flags ?? 0,
        millis(point.timeUnixNano),
      ],
    )
    view.bucketCounts(numbers)
    assert.deepEqual(numbers.splice(0), list(point, 'bucketCounts').map(Number))
    view.explicitBounds(numbers)
    assert.deepEqual(numbers, list(point, 'explicitBounds'))
  } else if (kind === 'exponentialHistogram') {
    const view = walk.exponentialHistogram
    assert.deepEqual(
      [view.count(), view.sum(), view.min(), view.max(), view.flags(), view.scale(), view.zeroCount()],
      [
        nearest(point.count),
        optional(point.sum),
        optional(point.min),
        optional(point.max),
        point.flags ?? 0,
        point.scale ?? 0,
        nearest(point.zeroCount),
      ],
    )
    assert.equal(view.zeroThreshold(), point.zeroThreshold ?? 0)
    assert.equal(view.positive(numbers), point.positive?.offset ?? 0)
    assert.deepEqual(numbers.splice(0), list(point.positive, 'bucketCounts').map(Number))
    assert.equal(view.negative(numbers), point.negative?.offset ?? 0)
    assert.deepEqual(numbers, list(point.negative, 'bucketCounts').map(Number))
  } else {
    assert.deepEqual([walk.summary.count(), walk.summary.sum()], [nearest(point.count), point.sum ?? 0])
    walk.summary.quantiles(numbers)
    assert.deepEqual(
      numbers,
      list(point, 'quantileValues').flatMap((q) => [q.quantile ?? 0, q.value ?? 0]),
    )
  }
}

/** Every map of attributes in the order of the walk, the plain list beside it, while the walk stands there. */
function visit(signal: Signal, walk: Walk, request: Any, each: (map: AttributeMap, plain: Any[]) => void): void {
  const [resources, scopes, items] = NAMES[signal]
  for (const group of list(request, resources)) {
    assert.ok(walk.nextResource())
    assert.equal(walk.resource.toSchemaUrl(), group.schemaUrl ?? '')
    assert.equal(walk.resource.droppedAttributesCount(), group.resource?.droppedAttributesCount ?? 0)
    each(walk.resourceAttributes, ((group.resource ??= {}).attributes ??= []))
    for (const scope of list(group, scopes)) {
      assert.ok(walk.nextScope())
      assert.equal(walk.scope.toSchemaUrl(), scope.schemaUrl ?? '')
      assert.equal(walk.scope.toName(), scope.scope?.name ?? '')
      assert.equal(walk.scope.toVersion(), scope.scope?.version ?? '')
      assert.ok(walk.scope.nameEquals(encodeText(scope.scope?.name ?? '')))
      each(walk.scopeAttributes, ((scope.scope ??= {}).attributes ??= []))
      for (const item of list(scope, items)) {
        assert.ok(walk.nextItem())
        if (signal === 'traces') sameSpan(walk, item)
        else if (signal === 'logs') sameLog(walk, item)
        if (signal === 'traces' || signal === 'logs') each(walk.attributes, (item.attributes ??= []))
        if (signal !== 'metrics') continue
        assert.equal(walk.metric.toName(), item.name ?? '')
        assert.equal(walk.metric.toUnit(), item.unit ?? '')
        assert.equal(walk.metric.toDescription(), item.description ?? '')
        const [kind, type] = KINDS.find(([name]) => item[name] !== undefined) ?? ['', METRIC_TYPE.EMPTY]
        assert.equal(walk.metric.type, type)
        assert.equal(walk.metric.aggregationTemporality(), item[kind]?.aggregationTemporality ?? 0)
        assert.equal(walk.metric.isMonotonic(), item[kind]?.isMonotonic ?? false)
        for (const point of list(item[kind], 'dataPoints')) {
          assert.ok(walk.nextPoint())
          samePoint(walk, kind, point)
          each(walk.attributes, (point.attributes ??= []))
        }
        assert.ok(!walk.nextPoint())
        assert.ok(!walk.nextPoint())
      }
      assert.ok(!walk.nextItem())
    }
    assert.ok(!walk.nextScope())
  }
  assert.ok(!walk.nextResource())
}

/** Without what an edit leaves behind in the plain message but not in the bytes, or the other way round. */
function normal(request: Any): Any {
  if (Array.isArray(request)) return request.map(normal)
  if (request === null || typeof request !== 'object' || request instanceof Uint8Array) return request
  const result: Any = {}
  for (const [key, value] of Object.entries(request)) {
    const inner = normal(value)
    if (Array.isArray(inner) && inner.length === 0) continue
    if ((key === 'resource' || key === 'scope') && Object.keys(inner).length === 0) continue
    if (key === 'key' && inner === '') continue
    if (key === 'value' && Object.keys(inner ?? {}).length === 0) continue
    result[key] = inner
  }
  return result
}

/** Random requests as they come back from the wire, where a zero without presence is not written. */
const requests = (signal: Signal): fc.Arbitrary<PlainMessage> =>
  requestArbitrary(signal).map((request) => decode(signal, encode(signal, request)))

const encodings = (signal: Signal, request: PlainMessage, seed: number): Uint8Array[] => {
  const bytes = encode(signal, request)
  const name = REQUEST_NAME[signal]
  return [bytes, scramble(name, bytes, chooser(seed)), scramble(name, bytes, chooser(0), { descending: true })]
}

for (const signal of ['traces', 'metrics', 'logs', 'profiles'] as const) {
  test(`${signal}: views read what protobufjs wrote, in every encoding of it`, () => {
    const walk = new Walk(signal)
    void fc.assert(
      fc.property(requests(signal), fc.integer(), (request, seed) => {
        for (const bytes of encodings(signal, request, seed)) {
          visit(signal, walk.open(bytes), structuredClone(request), sameAttributes)
          assert.equal(walk.finish(), bytes, 'the same array when nothing was edited')
        }
      }),
      { numRuns: 60 },
    )
  })

  test(`${signal}: any edits of attributes give what the same edits of plain messages give`, () => {
    const walk = new Walk(signal)
    void fc.assert(
      fc.property(requests(signal), fc.integer(), (request, seed) => {
        for (const bytes of encodings(signal, request, seed)) {
          const choose = chooser(seed)
          const plain = structuredClone(request) as Any
          visit(signal, walk.open(bytes), plain, (map, attributes) => {
            for (let edits = choose(5); edits > 0; edits--) edit(map, attributes, choose)
            const expected = attributes.filter((attribute) => attribute !== GONE)
            assert.equal(map.size, expected.length)
            for (let i = 0, k = 0; i < map.count; i++) {
              if (!map.has(i)) continue
              assert.equal(map.keyText(i), expected[k].key ?? '')
              sameValue(map.value(i), expected[k].value)
              k++
            }
          })
          const edited = decode(signal, walk.finish())
          assert.deepEqual(normal(edited), normal(withoutGone(plain)))
        }
      }),
      { numRuns: 60 },
    )
  })
}

const GONE = Symbol('removed')

function withoutGone(plain: Any): Any {
  if (Array.isArray(plain)) return plain.filter((element) => element !== GONE).map(withoutGone)
  if (plain === null || typeof plain !== 'object' || plain instanceof Uint8Array) return plain
  return Object.fromEntries(Object.entries(plain).map(([key, value]) => [key, withoutGone(value)]))
}

const NEW_VALUES = [
  [encodeString('neu'), { stringValue: 'neu' }],
  [encodeString('long '.repeat(40)), { stringValue: 'long '.repeat(40) }],
  [encodeInt(-7), { intValue: -7n }],
  [encodeInt(2n ** 63n - 1n), { intValue: 2n ** 63n - 1n }],
  [encodeDouble(0.25), { doubleValue: 0.25 }],
  [encodeBool(true), { boolValue: true }],
] as const

/** One random edit of both; entry numbers are indexes of `plain`, where removed entries stay as GONE. */
function edit(map: AttributeMap, plain: Any[], choose: (below: number) => number): void {
  const [value, plainValue] = NEW_VALUES[choose(NEW_VALUES.length)]!
  const key = ['a', 'service.name', 'k'.repeat(130)][choose(3)]!
  const live = plain.flatMap((attribute, index) => (attribute === GONE ? [] : [index]))
  const action = live.length === 0 ? 0 : choose(6)
  const i = live[choose(live.length || 1)] ?? 0
  const from = live[choose(live.length || 1)] ?? 0
  if (action === 0) {
    assert.equal(map.insert(encodeText(key), value), plain.length)
    plain.push({ key, value: plainValue })
  } else if (action === 1) {
    map.set(i, value)
    plain[i] = { ...plain[i], value: plainValue }
  } else if (action === 2) {
    map.remove(i)
    plain[i] = GONE
  } else if (action === 3) {
    map.rename(i, encodeText(key))
    plain[i] = { ...plain[i], key }
  } else if (action === 4) {
    map.setCopy(i, from)
    plain[i] = { ...plain[i], value: plain[from].value }
  } else {
    map.insertCopy(encodeText(key), from)
    plain.push({ key, value: plain[from].value })
  }
}

for (const signal of ['traces', 'metrics', 'logs'] as const) {
  test(`${signal}: removed items and points are gone, edited before or not, and are counted`, () => {
    const walk = new Walk(signal)
    const KEY = encodeText('k')
    void fc.assert(
      fc.property(requests(signal), fc.integer(), (request, seed) => {
        for (const bytes of encodings(signal, request, seed)) {
          const choose = chooser(seed)
          const plain = structuredClone(request) as Any
          let removed = 0
          walk.open(bytes)
          const [resources, scopes, items] = NAMES[signal]
          for (const group of list(plain, resources)) {
            walk.nextResource()
            for (const scope of list(group, scopes)) {
              walk.nextScope()
              const kept: Any[] = []
              for (const item of list(scope, items)) {
                walk.nextItem()
                let points = 1
                if (signal === 'metrics') {
                  const kind = KINDS.find(([name]) => item[name] !== undefined)?.[0] ?? ''
                  const data = item[kind]
                  points = list(data, 'dataPoints').length
                  const keptPoints = list(data, 'dataPoints').filter((point) => {
                    walk.nextPoint()
                    if (choose(2) === 0) {
                      walk.attributes.insert(KEY, encodeBool(true))
                      ;(point.attributes ??= []).push({ key: 'k', value: { boolValue: true } })
                    }
                    if (choose(3) > 0) return true
                    walk.removePoint()
                    return false
                  })
                  if (data?.dataPoints !== undefined) data.dataPoints = keptPoints
                  removed += points - keptPoints.length
                  points = keptPoints.length
                } else if (choose(2) === 0) {
                  walk.attributes.insert(KEY, encodeBool(true))
                  ;(item.attributes ??= []).push({ key: 'k', value: { boolValue: true } })
                }
                if (choose(3) > 0) kept.push(item)
                else {
                  walk.removeItem()
                  removed += points
                }
              }
              if (scope[items] !== undefined) scope[items] = kept
            }
          }
          assert.deepEqual(normal(decode(signal, walk.finish())), normal(plain))
          assert.equal(walk.removedItems, removed)
        }
      }),
      { numRuns: 60 },
    )
  })
}

test('an attribute that has unknown fields keeps them when its value or key changes', () => {
  // KeyValue { key 'a', key_strindex 5, value 'x', unknown 9: 7 }
  const keyValue = Uint8Array.of(10, 1, 0x61, 24, 5, 18, 3, 10, 1, 0x78, 72, 7)
  const span = Uint8Array.of(74, keyValue.length, ...keyValue)
  const scope = Uint8Array.of(18, span.length, ...span)
  const group = Uint8Array.of(18, scope.length, ...scope)
  const walk = new Walk('traces').open(Uint8Array.of(10, group.length, ...group))
  assert.ok(walk.nextResource() && walk.nextScope() && walk.nextItem())
  walk.attributes.set(0, encodeString('yy'))
  walk.attributes.rename(0, encodeText('b'))
  const hex = Buffer.from(walk.finish()).toString('hex')
  assert.ok(hex.endsWith('4a0d0a016212040a02797918054807'), hex)
})

test('editing a resource after its scopes began is a broken invariant, not silence', () => {
  const walk = new Walk('traces').open(Uint8Array.of(10, 2, 18, 0))
  walk.nextResource()
  const map = walk.resourceAttributes
  walk.nextScope()
  assert.throws(() => map.insert(encodeText('k'), encodeBool(true)), /invariant/)
})

test('a batch whose parts were not edited is the same batch, and one that was keeps the other parts', () => {
  const request = (name: string): Uint8Array =>
    encode('traces', { resourceSpans: [{ scopeSpans: [{ spans: [{ name }, { name: 'other' }] }] }] })
  const batch = new Batch('traces', [request('a'), request('b')], 4, Delivery.none())
  const walk = new Walk('traces')
  assert.equal(
    editBatch(batch, walk, () => {}),
    batch,
  )
  const edited = editBatch(batch, walk, (at) => {
    while (at.nextResource()) while (at.nextScope()) while (at.nextItem()) if (at.span.toName() === 'b') at.removeItem()
  })
  assert.equal(edited.parts[0], batch.parts[0])
  assert.equal(edited.items, 3)
  assert.equal(edited.delivery, batch.delivery)
})

test('the duration of a span is exact to the nanosecond', () => {
  const startTimeUnixNano = 1_767_225_600_123_456_789n
  const bytes = encode('traces', {
    resourceSpans: [
      { scopeSpans: [{ spans: [{ startTimeUnixNano, endTimeUnixNano: startTimeUnixNano + 1_500_000_001n }, {}] }] },
    ],
  })
  const walk = new Walk('traces').open(bytes)
  assert.ok(walk.nextResource() && walk.nextScope() && walk.nextItem())
  assert.equal(walk.span.durationMs(), 1500.000001)
  walk.nextItem()
  assert.ok(Number.isNaN(walk.span.durationMs()))
})
