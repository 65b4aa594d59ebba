import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { jsonToBytes } from '../../otlp/json/index.ts'
import { Walk } from '../../otlp/walk.ts'
import { AttributesJson } from './attributes-json.ts'
import { DocumentText } from './document-text.ts'
import { SpecialAttributes } from './special-attributes.ts'

/** What both ways write of one record's attributes; undefined where they are not usual. */
function bothWays(attributes: object[]): { readonly table: string; readonly plain: string | undefined } {
  const request = { resourceLogs: [{ scopeLogs: [{ logRecords: [{ timeUnixNano: '5', attributes, flags: 1 }] }] }] }
  const walk = new Walk('logs').open(jsonToBytes('logs', JSON.stringify(request)))
  assert.ok(walk.nextResource() && walk.nextScope() && walk.nextItem())
  const json = new AttributesJson()
  const table = new DocumentText().begin(8)
  json.write(table, walk.attributes, new SpecialAttributes().read(walk.attributes))
  const { bytes, recordStart, recordEnd, attributesField } = walk
  let written: string | undefined
  if (json.plain.areAll(bytes, recordStart, recordEnd, attributesField)) {
    const plain = new DocumentText().begin(8)
    json.writePlain(plain, bytes, recordStart, recordEnd, attributesField)
    written = Buffer.from(plain.take()).toString()
  }
  return { table: Buffer.from(table.take()).toString(), plain: written }
}

const text = (key: string, stringValue: string): object => ({ key, value: { stringValue } })

test('usual attributes are written as the table would write them', () => {
  const key = fc.oneof(
    fc.constantFrom('event.name', 'data_stream.type', 'elastic.mapping.mode', 'x.geo.location.lat', '', 'a', 'e', 'd'),
    fc.string({ unit: fc.constantFrom('a', 'd', 'e', '.', '"', 'é'), maxLength: 20 }),
  )
  const value = fc.oneof(
    fc.string({ maxLength: 200 }).map((stringValue) => ({ stringValue })),
    fc.integer().map((intValue) => ({ intValue })),
    fc.double({ noNaN: true, noDefaultInfinity: true }).map((doubleValue) => ({ doubleValue })),
    fc.boolean().map((boolValue) => ({ boolValue })),
    fc.constant({}),
  )
  fc.assert(
    fc.property(fc.array(fc.record({ key, value }), { maxLength: 8 }), (attributes) => {
      const { table, plain } = bothWays(attributes)
      if (plain !== undefined) assert.equal(plain, table)
    }),
    { numRuns: 500 },
  )
})

test('the attributes that most records have are usual', () => {
  const usual = [
    'http.request.method',
    'http.route',
    'url.path',
    'server.address',
    'enduser.id',
    'device.id',
    'error.type',
  ]
  assert.notEqual(bothWays(usual.map((key) => text(key, 'x'))).plain, undefined)
  assert.equal(bothWays([]).plain, '')
})

test('what says where a record goes, a repeated key, a place and a long value are not usual', () => {
  for (const attributes of [
    [text('data_stream.dataset', 'x')],
    [text('elasticsearch.index', 'x')],
    [text('event.name', 'x')],
    [text('a', '1'), text('b', '2'), text('a', '3')],
    [{ key: 'geo.location.lat', value: { doubleValue: 1 } }],
    [text('a', 'x'.repeat(128))],
  ])
    assert.equal(bothWays(attributes).plain, undefined, JSON.stringify(attributes))
})
