import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { HISTOGRAM_DATA_POINT, NUMBER_DATA_POINT } from '../otlp/fields.ts'
import { HistogramPointView, NumberPointView } from '../otlp/metric.ts'
import { Writer } from '../wire/writer.ts'
import { PointReader } from './points.ts'

const wordsOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)

const bytesOf = (value: fc.Arbitrary<number>): fc.Arbitrary<Uint8Array> =>
  value.map((number) => new Writer().f64(number).toBytes())
const fixed = fc.uint8Array({ minLength: 8, maxLength: 8 })
const double = bytesOf(fc.double({ noNaN: true }))

const field = (number: number, wireType: number, value: fc.Arbitrary<Uint8Array>): fc.Arbitrary<Uint8Array> =>
  value.map((contents) => {
    const out = new Writer().tag(number, wireType)
    if (wireType === 2) out.varint(contents.length)
    return out.copy(contents).toBytes()
  })

/** Any of these fields, in any order and as often as it likes. */
const message = (...fields: fc.Arbitrary<Uint8Array>[]): fc.Arbitrary<Uint8Array> =>
  fc.array(fc.oneof(...fields), { maxLength: 12 }).map((parts) => Buffer.concat(parts))

const list = (value: fc.Arbitrary<Uint8Array>): fc.Arbitrary<Uint8Array> =>
  fc.array(value, { maxLength: 20 }).map((parts) => Buffer.concat(parts))
const flags = fc.constantFrom(Uint8Array.of(0), Uint8Array.of(1), Uint8Array.of(0x81, 0))
const unknown = field(400, 2, fc.uint8Array({ maxLength: 5 }))
const attribute = (number: number): fc.Arbitrary<Uint8Array> =>
  field(number, 2, fc.oneof(fc.uint8Array({ maxLength: 9 }), fc.uint8Array({ minLength: 127, maxLength: 129 })))

test('a histogram says what its view says, with fields in any order, repeated, packed or not', () => {
  const { TIME_UNIX_NANO, START_TIME_UNIX_NANO, COUNT, SUM, BUCKET_COUNTS, EXPLICIT_BOUNDS, ATTRIBUTES, FLAGS, MIN } =
    HISTOGRAM_DATA_POINT
  const point = message(
    ...[TIME_UNIX_NANO, START_TIME_UNIX_NANO, COUNT, BUCKET_COUNTS].map((number) => field(number, 1, fixed)),
    ...[SUM, MIN, EXPLICIT_BOUNDS].map((number) => field(number, 1, double)),
    field(BUCKET_COUNTS, 2, list(fixed)),
    field(EXPLICIT_BOUNDS, 2, list(double)),
    attribute(ATTRIBUTES),
    field(FLAGS, 0, flags),
    field(HISTOGRAM_DATA_POINT.EXEMPLARS, 2, fixed),
    unknown,
  )
  const reader = new PointReader()
  const view = new HistogramPointView()
  void fc.assert(
    fc.property(point, (bytes) => {
      reader.readHistogram(bytes, wordsOf(bytes), 0, bytes.length)
      view.reset(bytes, 0, bytes.length)
      const [counts, bounds]: [number[], number[]] = [[], []]
      view.bucketCounts(counts)
      view.explicitBounds(bounds)
      assert.deepEqual([reader.bucketCounts, reader.bounds], [counts, bounds])
      assert.deepEqual([reader.count, reader.hasSum], [view.count(), view.has(SUM)])
      assert.equal(reader.hasSum ? reader.sum : Number.NaN, view.sum())
      assert.equal(reader.isEnd, (view.flags() & 1) !== 0)
      assert.deepEqual(
        [reader.timeLow, reader.timeHigh],
        [view.fixedLow(TIME_UNIX_NANO), view.fixedHigh(TIME_UNIX_NANO)],
      )
      assert.deepEqual(
        [reader.startLow, reader.startHigh],
        [view.fixedLow(START_TIME_UNIX_NANO), view.fixedHigh(START_TIME_UNIX_NANO)],
      )
      assert.equal(reader.exemplars.length > 0, view.has(HISTOGRAM_DATA_POINT.EXEMPLARS))
    }),
  )
})

test('a number says what its view says, with fields in any order and repeated; its attributes are its key', () => {
  const { TIME_UNIX_NANO, AS_DOUBLE, AS_INT, ATTRIBUTES, FLAGS, EXEMPLARS } = NUMBER_DATA_POINT
  const point = message(
    field(TIME_UNIX_NANO, 1, fixed),
    field(AS_DOUBLE, 1, double),
    field(AS_INT, 1, fixed),
    attribute(ATTRIBUTES),
    field(FLAGS, 0, flags),
    field(EXEMPLARS, 2, fixed),
    unknown,
  )
  const reader = new PointReader()
  const view = new NumberPointView()
  void fc.assert(
    fc.property(point, (bytes) => {
      reader.readNumber(bytes, wordsOf(bytes), 0, bytes.length)
      view.reset(bytes, 0, bytes.length)
      assert.equal(reader.value, view.valueField === 0 ? 0 : view.value())
      assert.equal(reader.isEnd, (view.flags() & 1) !== 0)
      assert.deepEqual(
        [reader.timeLow, reader.timeHigh],
        [view.fixedLow(TIME_UNIX_NANO), view.fixedHigh(TIME_UNIX_NANO)],
      )
      const { key } = reader
      const generic = new PointReader()
      generic.readOther(bytes, wordsOf(bytes), 0, bytes.length, NUMBER_DATA_POINT)
      assert.deepEqual(key.bytes.slice(key.from, key.to), generic.key.bytes.slice(generic.key.from, generic.key.to))
      assert.deepEqual(reader.exemplars, generic.exemplars)
    }),
  )
})
