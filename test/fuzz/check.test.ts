// What the structural check lets in must be harmless behind the door: protobufjs decodes it, counts agree, every view
// and every cut runs over it, and it goes through JSON and back. Nothing but MalformedOtlp comes out of the check itself.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Delivery } from '../../src/delivery/delivery.ts'
import { Batch } from '../../src/otlp/batch.ts'
import { checkRequest, MalformedOtlp } from '../../src/otlp/check.ts'
import { encodeBool, encodeText } from '../../src/otlp/encode.ts'
import { bytesToJson, jsonToBytes } from '../../src/otlp/json/index.ts'
import { SIGNALS, type Signal } from '../../src/otlp/signal.ts'
import { countItems, splitBatch, splitByKey } from '../../src/otlp/split.ts'
import { Walk } from '../../src/otlp/walk.ts'
import { decode } from '../support/oracle.ts'
import { fuzz } from './harness.ts'

const KEY = encodeText('fuzz')
const VALUE = encodeBool(true)

/** Asks every view for something and inserts an attribute everywhere; returns the items seen. */
function walkAll(signal: Signal, walk: Walk): number {
  let items = 0
  const touch = (): void => {
    const map = walk.attributes
    for (let i = 0; i < map.count; i++) map.value(i).toText()
    if (map.find(KEY) < 0) map.insert(KEY, VALUE)
  }
  while (walk.nextResource()) {
    walk.resource.toSchemaUrl()
    walk.resourceAttributes.insert(KEY, VALUE)
    while (walk.nextScope()) {
      walk.scope.toName()
      walk.scopeAttributes.insert(KEY, VALUE)
      while (walk.nextItem()) {
        if (signal === 'profiles') continue
        if (signal === 'metrics') {
          walk.metric.toName()
          walk.metric.isMonotonic()
          while (walk.nextPoint()) {
            items++
            touch()
            const lists: number[] = []
            if (walk.metric.type === 9) walk.histogram.bucketCounts(lists)
            else if (walk.metric.type === 10) walk.exponentialHistogram.positive(lists)
            else if (walk.metric.type === 11) walk.summary.quantiles(lists)
            else walk.number.value()
          }
          continue
        }
        items++
        if (signal === 'traces') {
          walk.span.toName()
          walk.span.statusCode()
          walk.span.durationMs()
        } else walk.log.body().toText()
        touch()
      }
    }
  }
  return items
}

const refuses = (signal: Signal, bytes: Uint8Array): boolean => {
  try {
    checkRequest(signal, bytes)
    return false
  } catch (error) {
    assert.ok(error instanceof MalformedOtlp, String(error))
    return true
  }
}

test('whatever passes the structural check is safe behind it', async () => {
  const walks = SIGNALS.map((signal) => new Walk(signal))
  let passed = 0
  await fuzz({
    name: 'check',
    inputs: 4000,
    run(bytes) {
      SIGNALS.forEach((signal, index) => {
        if (refuses(signal, bytes)) return
        passed++
        const items = checkRequest(signal, bytes)
        decode(signal, bytes)
        assert.equal(checkRequest(signal, jsonToBytes(signal, bytesToJson(signal, [bytes]))), items)
        assert.equal(countItems(signal, bytes), items)
        const walk = walks[index]!.open(bytes)
        const seen = walkAll(signal, walk)
        if (signal !== 'profiles') assert.equal(seen, items)
        assert.equal(checkRequest(signal, walk.finish()), items)
        const batch = new Batch(signal, [bytes], items, Delivery.none())
        const pieces = [...splitBatch(batch, 2)]
        const keyed = new Batch(signal, [bytes], items, Delivery.none())
        const shards = splitByKey(keyed, 2, (_, start) => start % 2).filter((piece) => piece !== undefined)
        for (const cut of [pieces, shards]) {
          let sum = 0
          for (const piece of cut) for (const part of piece.parts) sum += checkRequest(signal, part)
          assert.equal(sum, items)
        }
      })
    },
  })
  assert.ok(passed > 300, `only ${passed} inputs passed: the corpus no longer reaches behind the door`)
})
