import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isDeepStrictEqual } from 'node:util'
import * as fc from 'fast-check'
import { decode, encode, REQUEST_NAME, requestArbitrary } from '../../test/support/oracle.ts'
import { chooser, scramble } from '../../test/support/scramble.ts'
import { Delivery } from '../delivery/delivery.ts'
import { DeliveryError } from '../delivery/error.ts'
import { Batch } from './batch.ts'
import { checkRequest } from './check.ts'
import { ITEM_LEVEL } from './levels.ts'
import { joinParts, mergeBatches } from './merge.ts'
import { SIGNALS, type Signal } from './signal.ts'
import { countItems, splitBatch, splitByKey } from './split.ts'

// biome-ignore lint/suspicious/noExplicitAny: plain messages of any shape
type Any = any

const NAMES = {
  traces: ['resourceSpans', 'scopeSpans', 'spans'],
  metrics: ['resourceMetrics', 'scopeMetrics', 'metrics'],
  logs: ['resourceLogs', 'scopeLogs', 'logRecords'],
  profiles: ['resourceProfiles', 'scopeProfiles', 'profiles'],
} as const
const KINDS = ['gauge', 'sum', 'histogram', 'exponentialHistogram', 'summary']

/** Every item with all that stands above it. */
function flat(signal: Signal, request: Any): Any[] {
  const [resources, scopes, items] = NAMES[signal]
  const rows: Any[] = []
  for (const { [resources]: groups = [], ...root } of [request])
    for (const { [scopes]: inner = [], ...group } of groups)
      for (const { [items]: leaves = [], ...scope } of inner)
        for (const leaf of leaves) {
          const above = [root, group, scope]
          if (signal === 'traces' || signal === 'logs') rows.push([...above, leaf])
          else if (signal === 'profiles') {
            const { samples = [], ...profile } = leaf
            for (const sample of samples) rows.push([...above, profile, sample])
          } else {
            const kind = KINDS.find((name) => leaf[name] !== undefined)
            const { [kind ?? '']: data, ...metric } = leaf
            const { dataPoints = [], ...rest } = data ?? {}
            for (const point of dataPoints) rows.push([...above, metric, { [kind!]: rest }, point])
          }
        }
  return rows
}

const batchOf = (signal: Signal, parts: Uint8Array[], delivery = Delivery.none()): Batch => {
  let items = 0
  for (const part of parts) items += checkRequest(signal, part)
  return new Batch(signal, parts, items, delivery)
}

const ropes = (signal: Signal): fc.Arbitrary<Uint8Array[]> =>
  fc.array(
    fc.tuple(requestArbitrary(signal), fc.integer(), fc.boolean()).map(([request, seed, mixed]) => {
      const bytes = encode(signal, request)
      return mixed ? scramble(REQUEST_NAME[signal], bytes, chooser(seed)) : bytes
    }),
    { minLength: 1, maxLength: 4 },
  )

for (const signal of SIGNALS) {
  const rows = (batch: Batch): Any[] => batch.parts.flatMap((part) => flat(signal, decode(signal, part)))

  test(`${signal}: pieces hold every item once, in order, under its own headers, and no more than asked`, () => {
    void fc.assert(
      fc.property(
        ropes(signal),
        fc.integer({ min: 1, max: 6 }),
        fc.integer({ min: 1, max: 6 }),
        (parts, max, first) => {
          const batch = batchOf(signal, parts)
          const pieces = splitBatch(batch, max, Math.min(first, max))
          sameRows(pieces.flatMap(rows), rows(batch))
          pieces.forEach((piece, index) => {
            assert.ok(piece.items <= (index === 0 ? Math.min(first, max) : max))
            assert.equal(
              piece.items,
              piece.parts.reduce((sum, part) => sum + checkRequest(signal, part), 0),
            )
            if (index > 0 && index < pieces.length - 1) assert.equal(piece.items, max, 'pieces in between are full')
          })
        },
      ),
      { numRuns: 60 },
    )
  })

  test(`${signal}: pieces by size are no larger than asked, unless one item alone is`, () => {
    void fc.assert(
      fc.property(ropes(signal), fc.integer({ min: 200, max: 3000 }), (parts, max) => {
        const batch = batchOf(signal, parts)
        const pieces = splitBatch(batch, max, max, 'bytes')
        sameRows(pieces.flatMap(rows), rows(batch))
        let items = 0
        for (const piece of pieces) {
          items += piece.items
          assert.ok(piece.byteLength <= max || piece.items <= 1, `${piece.byteLength} bytes, ${piece.items} items`)
        }
        assert.equal(items, batch.items)
      }),
      { numRuns: 60 },
    )
  })

  test(`${signal}: counting agrees with the check, and joined parts are the merged request`, () => {
    void fc.assert(
      fc.property(ropes(signal), (parts) => {
        let items = 0
        for (const part of parts) items += countItems(signal, part)
        assert.equal(items, batchOf(signal, parts).items)
        assert.equal(checkRequest(signal, joinParts(parts)), items)
      }),
      { numRuns: 40 },
    )
  })

  // By item, by whole resource, and by what is counted where that is less than an item.
  for (const level of new Set([3, 1, ITEM_LEVEL[signal]])) {
    test(`${signal}: by key at level ${level}, every item goes to its shard, in order, under its own headers`, () => {
      void fc.assert(
        fc.property(ropes(signal), fc.integer({ min: 1, max: 4 }), (parts, shards) => {
          const batch = batchOf(signal, parts)
          const shardOf = (bytes: Uint8Array, start: number, end: number): number =>
            bytes.subarray(start, end).reduce((sum, byte) => sum + byte, 0) % shards
          const entered: number[] = []
          const enter = (above: number): void => void entered.push(above)
          const pieces = splitByKey(batch, shards, level === 3 ? shardOf : { level, enter, shardOf })
          assert.ok(entered.every((above) => above >= 1 && above < level))
          const got = pieces.map((piece) => (piece === undefined ? [] : rows(piece)))
          // One shard after the other in the order of the whole: a stable merge of the shards' rows.
          for (const row of rows(batch)) {
            const from = got.findIndex((list) => list.length > 0 && isSame(list[0], row))
            assert.ok(from >= 0, 'an item is missing, twice or out of order')
            got[from]!.shift()
          }
          assert.ok(got.every((list) => list.length === 0))
          for (const piece of pieces)
            if (piece !== undefined && batch.items > 0)
              assert.equal(
                piece.items,
                piece.parts.reduce((sum, part) => sum + checkRequest(signal, part), 0),
              )
        }),
        { numRuns: 40 },
      )
    })
  }
}

// Row by row: a difference between whole requests takes long to print.
function sameRows(actual: Any[], expected: Any[]): void {
  assert.equal(actual.length, expected.length)
  for (let i = 0; i < expected.length; i++) assert.ok(isSame(actual[i], expected[i]), `item ${i}`)
}

function isSame(a: Any, b: Any): boolean {
  return isDeepStrictEqual(a, b)
}

const spans = (...names: string[]): Uint8Array =>
  encode('traces', {
    resourceSpans: [
      {
        resource: { attributes: [{ key: 'service.name', value: { stringValue: 'shop' } }] },
        schemaUrl: 'https://example.test/1',
        scopeSpans: [{ scope: { name: 'lib' }, spans: names.map((name) => ({ name })) }],
      },
    ],
  })

test('what fits is not copied: whole parts travel as they are', () => {
  const parts = [spans('a', 'b'), spans('c'), spans('d', 'e')]
  const batch = batchOf('traces', parts)
  assert.equal(splitBatch(batch, 5)[0], batch)
  const [first, second] = splitBatch(batch, 3)
  assert.equal(first!.parts[0], parts[0])
  assert.equal(first!.parts[1], parts[1])
  assert.equal(second!.parts[0], parts[2])
  const all = splitByKey(batch, 3, () => 2)
  assert.ok(all[0] === undefined && all[1] === undefined && all[2] === batch)
})

test('a split batch is settled by its pieces, a merged one settles all of its own', () => {
  const told: unknown[] = []
  const delivery = new Delivery({
    onAccepted: () => told.push('accepted'),
    onDelivered: () => told.push('delivered'),
    onRefused: (error) => told.push(error.code),
  })
  const pieces = splitBatch(batchOf('traces', [spans('a', 'b', 'c')], delivery), 1)
  assert.equal(pieces.length, 3)
  const other = batchOf('traces', [spans('x')], new Delivery({ onDelivered: () => told.push('other') }))
  const merged = mergeBatches([pieces[2]!, other])
  assert.equal(merged.items, 2)
  pieces[0]!.delivery.deliver()
  pieces[1]!.delivery.deliver()
  assert.equal(told.length, 0)
  merged.delivery.deliver()
  assert.deepEqual([...told], ['accepted', 'delivered', 'other'])

  const refused = splitBatch(
    batchOf('traces', [spans('a', 'b')], new Delivery({ onRefused: (e) => told.push(e.code) })),
    1,
  )
  refused[0]!.delivery.refuse(new DeliveryError('TEST', 'no', { retry: 'never' }))
  refused[1]!.delivery.deliver()
  assert.equal(told.at(-1), 'TEST')
})

test('what holds no items is neither lost nor cut, and settles', () => {
  // A profiles request of a dictionary alone, far above the maximum.
  const dictionary = encode('profiles', {
    dictionary: { stringTable: Array.from({ length: 200 }, (_, i) => `name ${i}`) },
  })
  const batch = batchOf('profiles', [dictionary])
  const pieces = splitBatch(batch, 64, 64, 'bytes')
  assert.equal(pieces.length, 1)
  assert.equal(pieces[0]!.delivery, batch.delivery)
})

test('profiles cannot be merged, because each request has a dictionary of its own', () => {
  const batch = batchOf('profiles', [new Uint8Array(0)])
  assert.throws(() => mergeBatches([batch, batch]), /invariant/)
})

test('a million empty spans are cut and counted without an object for each', () => {
  // One scope with 1,000,000 spans of two bytes each.
  const count = 1_000_000
  const request = new Uint8Array(10 + count * 2)
  const header = (size: number): number[] => {
    const bytes: number[] = []
    for (let rest = size; ; rest >>>= 7) {
      bytes.push(rest > 127 ? (rest & 127) | 128 : rest)
      if (rest <= 127) return bytes
    }
  }
  const inner = [18, ...header(count * 2)]
  const outer = [10, ...header(inner.length + count * 2)]
  request.set([...outer, ...inner])
  for (let i = 0; i < count; i++) request[outer.length + inner.length + i * 2] = 18
  const bytes = request.subarray(0, outer.length + inner.length + count * 2)
  assert.equal(checkRequest('traces', bytes), count)
  const before = process.memoryUsage().heapUsed
  const pieces = splitBatch(new Batch('traces', [bytes], count, Delivery.none()), 8192)
  assert.equal(pieces.length, Math.ceil(count / 8192))
  assert.ok(process.memoryUsage().heapUsed - before < 50 * 2 ** 20)
})
