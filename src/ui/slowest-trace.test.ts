import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FakeClock } from '../../test/support/fake-clock.ts'
import { Delivery } from '../delivery/delivery.ts'
import { Batch } from '../otlp/batch.ts'
import { jsonToBytes } from '../otlp/json/index.ts'
import { RequestGenerator } from '../send/generate.ts'
import { SLOWEST_TRACE_LIMITS, SlowestTrace } from './slowest-trace.ts'

const batchOf = (bytes: Uint8Array, items: number): Batch => new Batch('traces', [bytes], items, Delivery.none())

const nanos = (ms: number): string => `${1_767_225_600_000 + ms}000000`

interface SpanSpec {
  readonly trace: number
  readonly id: number
  readonly parent?: number
  readonly name: string
  readonly from: number
  readonly to: number
  readonly error?: boolean
}

function spans(service: string, specs: readonly SpanSpec[]): Batch {
  const hex = (value: number, bytes: number): string => value.toString(16).padStart(bytes * 2, '0')
  const request = {
    resourceSpans: [
      {
        resource: {
          attributes: [
            { key: 'host.name', value: { stringValue: 'edge' } },
            { key: 'service.name', value: { stringValue: service } },
          ],
        },
        scopeSpans: [
          {
            spans: specs.map((spec) => ({
              traceId: hex(spec.trace, 16),
              spanId: hex(spec.id, 8),
              ...(spec.parent === undefined ? {} : { parentSpanId: hex(spec.parent, 8) }),
              name: spec.name,
              startTimeUnixNano: nanos(spec.from),
              endTimeUnixNano: nanos(spec.to),
              status: { code: spec.error ? 2 : 0 },
            })),
          },
        ],
      },
    ],
  }
  return batchOf(jsonToBytes('traces', JSON.stringify(request)), specs.length)
}

test('a trace is put together from batches of several services, parents before their children', () => {
  const clock = new FakeClock()
  const watch = new SlowestTrace(clock)
  watch.observe(spans('payments', [{ trace: 1, id: 3, parent: 2, name: 'pay', from: 20, to: 90, error: true }]))
  watch.observe(spans('storefront', [{ trace: 1, id: 1, name: 'checkout', from: 0, to: 100 }]))
  watch.observe(
    spans('orders', [
      { trace: 1, id: 4, parent: 2, name: 'store', from: 91, to: 95 },
      { trace: 1, id: 2, parent: 1, name: 'order', from: 10, to: 96 },
      { trace: 2, id: 9, name: 'quick', from: 0, to: 5 },
    ]),
  )
  const slowest = watch.current()!
  assert.equal(slowest.traceId, '1'.padStart(32, '0'))
  assert.equal(slowest.spanCount, 4)
  assert.ok(Math.abs(slowest.durationMs - 100) < 0.01)
  assert.deepEqual(
    slowest.spans.map((span) => [span.service, span.name, span.depth, Math.round(span.startMs), span.error]),
    [
      ['storefront', 'checkout', 0, 0, false],
      ['orders', 'order', 1, 10, false],
      ['payments', 'pay', 2, 20, true],
      ['orders', 'store', 2, 91, false],
    ],
  )
})

test('a trace is forgotten when it has been quiet for the window', () => {
  const clock = new FakeClock()
  const watch = new SlowestTrace(clock)
  watch.observe(spans('a', [{ trace: 1, id: 1, name: 'slow', from: 0, to: 900 }]))
  clock.advance(6_000)
  watch.observe(spans('a', [{ trace: 2, id: 1, name: 'quick', from: 0, to: 9 }]))
  assert.equal(watch.current()!.spans[0]!.name, 'slow')
  clock.advance(6_000)
  assert.equal(watch.current()!.spans[0]!.name, 'quick')
  clock.advance(6_000)
  assert.equal(watch.current(), undefined)
})

test('of a flood only so many spans a second are looked at, and memory holds so many traces', () => {
  const clock = new FakeClock()
  const watch = new SlowestTrace(clock, { ...SLOWEST_TRACE_LIMITS, spansPerSecond: 100, traces: 4, spansPerTrace: 3 })
  const generator = new RequestGenerator({
    signal: 'traces',
    itemsPerRequest: 50,
    attributes: 3,
    service: 'x',
    seed: 1,
  })
  for (let i = 0; i < 20; i++) watch.observe(batchOf(generator.next(1_767_225_600_000), 50))
  // 100 spans are 20 traces of five; of the last four each has three spans kept.
  const slowest = watch.current()!
  assert.equal(slowest.spanCount, 5)
  assert.equal(slowest.spans.length, 3)
  const late = spans('late', [{ trace: 7, id: 1, name: 'slow', from: 0, to: 60_000 }])
  watch.observe(late)
  assert.notEqual(watch.current()!.spans[0]!.name, 'slow')
  clock.advance(1_000)
  watch.observe(late)
  assert.equal(watch.current()!.spans[0]!.name, 'slow')
})

test('parents that form a circle, equal ids and missing parents do no harm', () => {
  const watch = new SlowestTrace(new FakeClock())
  watch.observe(
    spans('a', [
      { trace: 1, id: 1, parent: 2, name: 'one', from: 0, to: 9 },
      { trace: 1, id: 2, parent: 1, name: 'two', from: 0, to: 9 },
      { trace: 1, id: 3, parent: 3, name: 'its own parent', from: 0, to: 9 },
      { trace: 1, id: 4, parent: 99, name: 'orphan', from: 0, to: 9 },
      { trace: 1, id: 4, parent: 99, name: 'orphan again', from: 1, to: 9 },
      { trace: 1, id: 5, parent: 4, name: 'child', from: 2, to: 9 },
    ]),
  )
  assert.deepEqual(
    watch.current()!.spans.map(({ name, depth }) => [name, depth]),
    [
      ['its own parent', 0],
      ['orphan', 0],
      ['child', 1],
      ['orphan again', 0],
    ],
  )
})

test('spans without a trace id, without times or with times the wrong way round are not counted', () => {
  const watch = new SlowestTrace(new FakeClock())
  watch.observe(spans('a', [{ trace: 1, id: 1, name: 'backwards', from: 9, to: 0 }]))
  watch.observe(batchOf(jsonToBytes('traces', '{"resourceSpans":[{"scopeSpans":[{"spans":[{"name":"x"}]}]}]}'), 1))
  assert.equal(watch.current(), undefined)
})
