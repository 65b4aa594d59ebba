import assert from 'node:assert/strict'
import { test } from 'node:test'
import { crc32 } from 'node:zlib'
import { crcOf, EMPTY_CRC } from '../../otlp/hash.ts'
import { HashRing, positionsOf } from './ring.ts'

const ownerOf = (ring: HashRing, key: Uint8Array | string): string =>
  ring.endpoints[ring.ownerOf(crcOf(EMPTY_CRC, Buffer.from(key)))]!

/** Trace ids that are told by their number. */
const traceId = (number: number): Uint8Array => {
  const id = Buffer.alloc(16)
  id.writeUInt32BE(Math.imul(number + 1, 0x9e3779b1) >>> 0, 0)
  id.writeUInt32BE(number, 12)
  return id
}

test('the checksum is crc32 of the IEEE polynomial, and goes on where it ended', () => {
  assert.equal(crcOf(EMPTY_CRC, Buffer.from('123456789')), 0xcbf43926)
  assert.equal(crcOf(EMPTY_CRC, new Uint8Array(0)), 0)
  for (let i = 0; i < 100; i++) {
    const id = traceId(i)
    assert.equal(crcOf(EMPTY_CRC, id), crc32(id))
    assert.equal(crcOf(crcOf(EMPTY_CRC, id, 0, 7), id, 7), crc32(id))
  }
})

// opentelemetry-collector-contrib, exporter/loadbalancingexporter/consistent_hashing_test.go: TestPositionsForEndpoints.
test('golden: the positions of an endpoint are those that the Collector computes', () => {
  const first = (endpoint: string): number[] => positionsOf(endpoint, 5).sort((a, b) => a - b)
  assert.deepEqual(first('endpoint-1'), [1401, 4175, 14133, 17836, 21667])
  assert.deepEqual(first('endpoint-2'), [10240, 15002, 21263, 26806, 27020])
})

// The same file: TestEndpointFor, TestNewHashRing.
test('golden: a key belongs to the endpoint that the Collector sends it to', () => {
  const ring = new HashRing(['endpoint-1', 'endpoint-2'])
  assert.equal(ownerOf(ring, Uint8Array.of(1, 2, 0, 0)), 'endpoint-1')
  assert.equal(ownerOf(ring, Uint8Array.of(128, 128, 0, 0)), 'endpoint-2')
  assert.equal(ownerOf(ring, 'ad-service-7'), 'endpoint-1')
  assert.equal(ownerOf(ring, 'get-recommendations-1'), 'endpoint-2')
  assert.equal(new Set([...positionsOf('endpoint-1'), ...positionsOf('endpoint-2')]).size, 200)
})

test('a key belongs to the first taken position at or behind its own, going round', () => {
  const endpoints = ['a:4317', 'b:4317', 'c:4317']
  const ring = new HashRing(endpoints)
  const taken = new Map<number, string>()
  for (const endpoint of endpoints)
    for (const position of positionsOf(endpoint)) if (!taken.has(position)) taken.set(position, endpoint)
  const sorted = [...taken.keys()].sort((a, b) => a - b)
  for (let position = 0; position < 36_000; position++) {
    const next = sorted.find((p) => p >= position) ?? sorted[0]!
    assert.equal(ring.endpoints[ring.ownerOf(position)], taken.get(next), `position ${position}`)
  }
})

test('the order in which endpoints are listed, and listing one twice, changes nothing', () => {
  const ring = new HashRing(['b', 'a', 'c'])
  assert.ok(ring.equals(new HashRing(['c', 'a', 'b', 'a'])))
  assert.ok(!ring.equals(new HashRing(['a', 'b'])))
  assert.equal(new HashRing([]).size, 0)
  for (let i = 0; i < 1000; i++)
    assert.equal(ownerOf(ring, traceId(i)), ownerOf(new HashRing(['a', 'b', 'c']), traceId(i)))
})

test('keys are spread evenly: no endpoint of four has less than half or more than one and a half of its share', () => {
  const ring = new HashRing(['gw-1:4317', 'gw-2:4317', 'gw-3:4317', 'gw-4:4317'])
  const counts = new Map<string, number>()
  for (let i = 0; i < 40_000; i++) {
    const owner = ownerOf(ring, traceId(i))
    counts.set(owner, (counts.get(owner) ?? 0) + 1)
  }
  for (const [endpoint, count] of counts)
    assert.ok(count > 5_000 && count < 15_000, `${endpoint} has ${count} of 40000`)
  assert.equal(counts.size, 4)
})

test('an endpoint that joins takes about its share, and moves nothing between the others', () => {
  const before = new HashRing(['gw-1:4317', 'gw-2:4317', 'gw-3:4317', 'gw-4:4317'])
  const after = new HashRing([...before.endpoints, 'gw-5:4317'])
  let moved = 0
  for (let i = 0; i < 40_000; i++) {
    const owner = ownerOf(after, traceId(i))
    if (owner === ownerOf(before, traceId(i))) continue
    assert.equal(owner, 'gw-5:4317')
    moved++
  }
  assert.ok(moved > 4_000 && moved < 12_000, `${moved} of 40000 moved`)
})
