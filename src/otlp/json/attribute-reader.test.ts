// Usual attributes are read in one go, and spaces keep them from being usual: the same must come of both.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { encode, requestArbitrary } from '../../../test/support/oracle.ts'
import { SIGNALS, type Signal } from '../signal.ts'
import { bytesToJson, jsonToBytes } from './index.ts'

const TOKEN = /"(?:[^"\\]|\\.)*"|[{}[\],:]|[^"{}[\],:\s]+/g

/** The same document with spaces between all tokens. */
const spaced = (json: string): string => (json.match(TOKEN) ?? []).join(' ')

/** What comes of it, as text; of an error its words, without the place. */
function outcome(signal: Signal, json: string): string {
  try {
    return Buffer.from(jsonToBytes(signal, json)).toString('hex')
  } catch (error) {
    return (error as Error).message.replace(/ at (?:byte|character|offset) \d+$/, '')
  }
}

const resource = (attributes: string): string => `{"resourceLogs":[{"resource":{"attributes":[${attributes}]}}]}`

const VALUES = [
  ...['""', '"a"', '"naïve 価格"', '"\\u00e9"', '"tab\\t"', '"quote \\" and \\\\"', 'null', '7'].map(
    (text) => `"stringValue":${text}`,
  ),
  ...[98, 99, 100, 101, 126, 127, 128, 200, 20_000].map((size) => `"stringValue":"${'x'.repeat(size)}"`),
  ...[
    '0',
    '"0"',
    '7',
    '"7"',
    '127',
    '128',
    '300',
    '-1',
    '"-1"',
    '007',
    '"007"',
    '"+7"',
    '"7 "',
    '7.0',
    '7e0',
    '""',
  ].map((text) => `"intValue":${text}`),
  ...['999999999999999', '1000000000000000', '9223372036854775807', '9223372036854775808', '"9007199254740993"'].map(
    (text) => `"intValue":${text}`,
  ),
  ...['true', 'false', 'truth', 'fals', 'null', '"true"', '1'].map((text) => `"boolValue":${text}`),
  ...['0', '-0', '1', '12.5', '0.1', '00.1', '1.', '.5', '-2.5', '1e3', '1E-3', '0.30000000000000004', '"NaN"'].map(
    (text) => `"doubleValue":${text}`,
  ),
  ...['123456789012345', '1234567890123456', '12345678901234.5', '1234567.12345678', '1234567.123456789'].map(
    (text) => `"doubleValue":${text}`,
  ),
  '"bytesValue":"AAEC"',
  '"arrayValue":{"values":[{"intValue":"1"}]}',
  '"kvlistValue":{"values":[{"key":"a","value":{"stringValue":"b"}}]}',
  '"stringValue":"a","stringValue":"b"',
  '"strinValue":"unknown"',
  '',
]
const KEYS = ['a', '', 'http.request.method', 'ключ', 'x'.repeat(99), 'x'.repeat(100), 'x'.repeat(127), 'x\\ny']

test('an attribute is the same, read in one go or value by value, and so is what is wrong with it', () => {
  for (const key of KEYS) {
    for (const value of VALUES) {
      for (const attribute of [
        `{"key":"${key}","value":{${value}}}`,
        `{"value":{${value}},"key":"${key}"}`,
        `{"key":"${key}","value":{${value}},"key":"again"}`,
      ]) {
        // In front of others, behind others, and last of all.
        const usual = '{"key":"k","value":{"stringValue":"v"}}'
        for (const list of [attribute, `${usual},${attribute},${usual}`, `${attribute},${usual}`]) {
          const json = resource(list)
          assert.equal(outcome('logs', json), outcome('logs', spaced(json)), json.slice(0, 200))
        }
      }
    }
  }
})

test('an attribute that is cut off anywhere is refused', () => {
  for (const value of ['"stringValue":"v"', '"intValue":"77"', '"boolValue":false', '"doubleValue":1.25']) {
    const json = resource(`{"key":"some.key","value":{${value}}}`)
    for (let size = 0; size < json.length; size++)
      assert.throws(
        () => jsonToBytes('logs', json.slice(0, size)),
        /too early|expected|unexpected/,
        json.slice(0, size),
      )
  }
})

for (const signal of SIGNALS) {
  test(`random ${signal} are the same bytes with spaces between all tokens and without`, () => {
    void fc.assert(
      fc.property(requestArbitrary(signal), (request) => {
        const json = bytesToJson(signal, [encode(signal, request)])
        assert.equal(outcome(signal, json), outcome(signal, spaced(json)))
      }),
      { numRuns: 150 },
    )
  })
}
