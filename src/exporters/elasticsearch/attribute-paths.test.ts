import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { jsonToBytes } from '../../otlp/json/index.ts'
import { Walk } from '../../otlp/walk.ts'
import { AttributePaths } from './attribute-paths.ts'
import { AttributesJson } from './attributes-json.ts'
import { DocumentText } from './document-text.ts'
import { SpecialAttributes } from './special-attributes.ts'

const json = new AttributesJson()

/** What both ways write of each record's attributes; undefined where they cannot be followed. */
function bothWays(
  paths: AttributePaths,
  ...records: object[][]
): { readonly table: string; readonly followed: string | undefined }[] {
  const logRecords = records.map((attributes) => ({ timeUnixNano: '5', attributes, flags: 1 }))
  const walk = new Walk('logs').open(
    jsonToBytes('logs', JSON.stringify({ resourceLogs: [{ scopeLogs: [{ logRecords }] }] })),
  )
  assert.ok(walk.nextResource() && walk.nextScope())
  return records.map(() => {
    assert.ok(walk.nextItem())
    const table = new DocumentText().begin(8)
    json.write(table, walk.attributes, new SpecialAttributes().read(walk.attributes))
    const { bytes, words, recordStart, recordEnd, attributesField } = walk
    let written: string | undefined
    if (paths.follow(bytes, words, recordStart, recordEnd, attributesField)) {
      const followed = new DocumentText().begin(8)
      json.writeFollowed(followed, bytes, paths)
      written = Buffer.from(followed.take()).toString()
    }
    return { table: Buffer.from(table.take()).toString(), followed: written }
  })
}

const text = (key: string, stringValue: string): object => ({ key, value: { stringValue } })
const isFollowed = (...attributes: object[]): boolean =>
  bothWays(new AttributePaths(), attributes)[0]!.followed !== undefined

test('attributes that are followed are written as the table would write them, whatever records came before', () => {
  const key = fc.oneof(
    fc.constantFrom('event.name', 'data_stream.type', 'elastic.mapping.mode', 'x.geo.location.lat', '', 'a', 'e', 'd'),
    fc.string({ unit: fc.constantFrom('a', 'd', 'e', '.', '"', 'é'), maxLength: 20 }),
  )
  const value = fc.oneof(
    fc.string({ maxLength: 200 }).map((stringValue) => ({ stringValue })),
    fc.integer().map((intValue) => ({ intValue })),
    fc.nat(20_000).map((intValue) => ({ intValue })),
    fc.double({ noNaN: true, noDefaultInfinity: true }).map((doubleValue) => ({ doubleValue })),
    fc.boolean().map((boolValue) => ({ boolValue })),
    fc.constant({}),
  )
  const record = fc.array(fc.record({ key, value }), { maxLength: 8 })
  const paths = new AttributePaths()
  fc.assert(
    fc.property(fc.array(record, { maxLength: 4 }), (records) => {
      for (const { table, followed } of bothWays(paths, ...records))
        if (followed !== undefined) assert.equal(followed, table)
    }),
    { numRuns: 500 },
  )
})

test('the attributes that most records have are followed, long texts among them', () => {
  const usual = ['http.request.method', 'http.route', 'event.id', 'elapsed', 'database', 'enduser.id', 'error.type']
  assert.ok(isFollowed(...usual.map((key) => text(key, 'x'))))
  assert.ok(isFollowed())
  assert.ok(isFollowed(text('exception.stacktrace', 'x'.repeat(16_000)), text('a', '1')))
})

test('what says where a record goes, a repeated key, a place and a very long value are not followed', () => {
  for (const attributes of [
    [text('data_stream.dataset', 'x')],
    [text('elasticsearch.index', 'x')],
    [text('event.name', 'x')],
    [text('a', '1'), text('b', '2'), text('a', '3')],
    [{ key: 'geo.location.lat', value: { doubleValue: 1 } }],
    [text('a', 'x'.repeat(20_000))],
    [text('k'.repeat(128), '1')],
  ])
    assert.ok(!isFollowed(...attributes), JSON.stringify(attributes).slice(0, 100))
})

test('more keys than are kept, and more of them in one place, are followed all the same', () => {
  const paths = new AttributePaths()
  const keys = (n: number) => Array.from({ length: 3 }, (_, i) => text(`key.${n}.${i}`, `${n}`))
  for (let round = 0; round < 3; round++) {
    const records = Array.from({ length: 2000 }, (_, n) => keys(n))
    for (const { table, followed } of bothWays(paths, ...records)) assert.equal(followed, table)
  }
})

test('a record of very many attributes is left to the table', () => {
  const many = (count: number) => Array.from({ length: count }, (_, i) => text(`k${i}`, 'v'))
  assert.ok(isFollowed(...many(256)))
  assert.ok(!isFollowed(...many(257)))
})

test('of a value that is given twice the last one counts', () => {
  const bytes = Uint8Array.of(0x32, 9, 10, 1, 0x61, 18, 4, 0x18, 5, 0x10, 1)
  const paths = new AttributePaths()
  assert.ok(paths.follow(bytes, new DataView(bytes.buffer), 0, bytes.length, 6))
  const out = new DocumentText().begin(8)
  json.writeFollowed(out, bytes, paths)
  assert.equal(Buffer.from(out.take()).toString(), '"attributes":{"a":true},')
})
