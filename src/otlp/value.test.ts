import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Writer } from '../wire/writer.ts'
import { jsonToBytes } from './json/index.ts'
import { VALUE, ValueView } from './value.ts'
import { Walk } from './walk.ts'

/** The text of a log body given in OTLP/JSON. */
function textOf(body: object): string {
  const request = { resourceLogs: [{ scopeLogs: [{ logRecords: [{ body }] }] }] }
  const walk = new Walk('logs').open(jsonToBytes('logs', JSON.stringify(request)))
  assert.ok(walk.nextResource() && walk.nextScope() && walk.nextItem())
  return walk.log.body().toText()
}
const list = (...values: object[]) => ({ arrayValue: { values } })
const map = (entries: Record<string, object>) => ({
  kvlistValue: { values: Object.entries(entries).map(([key, value]) => ({ key, value })) },
})

test('every kind of value has the text that the Collector gives it', () => {
  const rows: [object, string][] = [
    [{}, ''],
    [{ stringValue: '' }, ''],
    [{ stringValue: 'a "b" <c> grün' }, 'a "b" <c> grün'],
    [{ boolValue: true }, 'true'],
    [{ boolValue: false }, 'false'],
    [{ intValue: '0' }, '0'],
    [{ intValue: '-1' }, '-1'],
    [{ intValue: '9007199254740993' }, '9007199254740993'],
    [{ intValue: '9223372036854775807' }, '9223372036854775807'],
    [{ intValue: '-9223372036854775808' }, '-9223372036854775808'],
    [{ doubleValue: 0 }, '0'],
    [{ doubleValue: '-0' }, '-0'],
    [{ doubleValue: 3 }, '3'],
    [{ doubleValue: 0.1 }, '0.1'],
    [{ doubleValue: 1e20 }, '100000000000000000000'],
    [{ doubleValue: 1e21 }, '1e+21'],
    [{ doubleValue: 1e-6 }, '0.000001'],
    [{ doubleValue: 1e-7 }, '1e-7'],
    [{ doubleValue: 'NaN' }, 'json: unsupported value: NaN'],
    [{ doubleValue: 'Infinity' }, 'json: unsupported value: +Inf'],
    [{ doubleValue: '-Infinity' }, 'json: unsupported value: -Inf'],
    [{ bytesValue: '' }, ''],
    [{ bytesValue: '/+8A' }, '/+8A'],
    [list(), '[]'],
    [map({}), '{}'],
    [list({ intValue: '1' }, { stringValue: 'a' }, { boolValue: false }, {}), '[1,"a",false,null]'],
    [list({ intValue: '9223372036854775807' }, { doubleValue: 2.5 }), '[9223372036854775807,2.5]'],
    [list({ bytesValue: 'AQI=' }, list(), map({})), '["AQI=",[],{}]'],
    [map({ b: { intValue: '2' }, a: list({ stringValue: 'x' }) }), '{"a":["x"],"b":2}'],
    [map({ 'k"': { stringValue: '<&>\u2028\n\t\u0001' } }), '{"k\\"":"\\u003c\\u0026\\u003e\\u2028\\n\\t\\u0001"}'],
    // By bytes: U+FFFF comes before the first character beyond it, whose UTF-16 halves are smaller.
    [map({ '\u{10000}': {}, '\uffff': {}, Z: {}, a: {} }), '{"Z":null,"a":null,"\uffff":null,"\u{10000}":null}'],
    [list({ doubleValue: 'NaN' }), ''],
    [map({ a: list({ doubleValue: 'Infinity' }) }), ''],
  ]
  for (const [value, text] of rows) assert.equal(textOf(value), text, JSON.stringify(value))
})

test('the last member on the wire is the value, and a list in pieces is one list', () => {
  const view = (write: (writer: Writer) => void): ValueView => {
    const writer = new Writer()
    write(writer)
    const bytes = writer.toBytes()
    return new ValueView().reset(bytes, 0, bytes.length)
  }
  const text = (value: string) => new Writer().field(VALUE.STRING, new TextEncoder().encode(value)).toBytes()
  const element = (value: string) => new Writer().field(1, text(value)).toBytes()
  const inPieces = (writer: Writer): Writer => writer.field(VALUE.LIST, element('a')).field(VALUE.LIST, element('b'))
  assert.equal(view(inPieces).toText(), '["a","b"]')
  assert.equal(view((w) => inPieces(w).copy(text('last'))).toText(), 'last')
  assert.equal(view((w) => inPieces(w).copy(text('between')).field(VALUE.LIST, element('c'))).toText(), '["c"]')
  assert.equal(view((w) => w.field(99, text('unknown'))).type, VALUE.EMPTY)
})
