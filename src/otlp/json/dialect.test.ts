// What the dialect takes and what it refuses, case by case.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { decode, encode, type PlainMessage, requestArbitrary } from '../../../test/support/oracle.ts'
import { checkRequest } from '../check.ts'
import { MalformedOtlp } from '../malformed.ts'
import { SIGNALS, type Signal } from '../signal.ts'
import { bytesToJson, jsonToBytes } from './index.ts'
import { JSON_DEPTH_MAX } from './scanner.ts'

const span = (fields: string): string => `{"resourceSpans":[{"scopeSpans":[{"spans":[{${fields}}]}]}]}`
const log = (fields: string): string => `{"resourceLogs":[{"scopeLogs":[{"logRecords":[{${fields}}]}]}]}`
const point = (fields: string): string =>
  `{"resourceMetrics":[{"scopeMetrics":[{"metrics":[{"gauge":{"dataPoints":[{${fields}}]}}]}]}]}`

/** The only item of a request made by one of the above, as protobufjs reads it. */
function item(signal: Signal, json: string): PlainMessage {
  let found = decode(signal, jsonToBytes(signal, json))
  for (;;) {
    const inner = Object.values(found)[0]
    if (Array.isArray(inner)) found = inner[0] as PlainMessage
    else if (signal === 'metrics' && 'gauge' in found) found = found.gauge as PlainMessage
    else return found
    if (signal === 'traces' && !('scopeSpans' in found) && !('spans' in found)) return found
    if (signal === 'logs' && !('scopeLogs' in found) && !('logRecords' in found)) return found
  }
}
const body = (value: string): unknown => item('logs', log(`"body":${value}`)).body

function refuses(signal: Signal, json: string | Uint8Array, words: RegExp, offset?: number): void {
  assert.throws(
    () => jsonToBytes(signal, json),
    (error: unknown) => {
      assert.ok(error instanceof MalformedOtlp, String(error))
      assert.match(error.message, words)
      if (offset !== undefined) assert.equal(error.offset, offset, error.message)
      return true
    },
  )
}

test('a span as a client writes it becomes the bytes that a person can check', () => {
  const json = span(
    `"traceId":"5b8efff798038103d269b633813fc60c","spanId":"eee19b7ec3c1b174","name":"weld","kind":2,
     "startTimeUnixNano":"1544712660000000000","attributes":[{"key":"seam","value":{"intValue":"7"}}],"status":{}`,
  )
  assert.deepEqual(decode('traces', jsonToBytes('traces', json)), {
    resourceSpans: [
      {
        scopeSpans: [
          {
            spans: [
              {
                traceId: new Uint8Array(Buffer.from('5b8efff798038103d269b633813fc60c', 'hex')),
                spanId: new Uint8Array(Buffer.from('eee19b7ec3c1b174', 'hex')),
                name: 'weld',
                kind: 2,
                startTimeUnixNano: 1544712660000000000n,
                attributes: [{ key: 'seam', value: { intValue: 7n } }],
                status: {},
              },
            ],
          },
        ],
      },
    ],
  })
})

test('64-bit integers are exact, as text and as numbers, to both ends of their range', () => {
  for (const text of [
    '0',
    '-1',
    '9007199254740993',
    '-9007199254740993',
    '9223372036854775807',
    '-9223372036854775808',
  ]) {
    assert.deepEqual(body(`{"intValue":"${text}"}`), { intValue: BigInt(text) })
    assert.deepEqual(body(`{"intValue":${text}}`), { intValue: BigInt(text) })
  }
  assert.deepEqual(body('{"intValue":"+007"}'), { intValue: 7n })
  assert.equal(item('logs', log('"timeUnixNano":"18446744073709551615"')).timeUnixNano, 2n ** 64n - 1n)
  for (const text of [
    '9223372036854775808',
    '-9223372036854775809',
    '18446744073709551616',
    '99999999999999999999999',
  ]) {
    refuses('logs', log(`"body":{"intValue":"${text}"}`), /too large|does not fit/)
  }
  refuses('logs', log('"timeUnixNano":"-1"'), /does not fit/)
  refuses('logs', log('"timeUnixNano":"18446744073709551616"'), /too large/)
  refuses('logs', log('"flags":4294967296'), /does not fit/)
  refuses('traces', span('"droppedLinksCount":-1'), /does not fit/)
})

test('a whole number is written without fraction and exponent, in quotes or not', () => {
  for (const text of ['1.0', '1e3', '""', '"1.0"', '" 1"', '"1 "', '"0x10"', '"-"', 'true', '[]', '{}', '01', '-']) {
    refuses('logs', log(`"body":{"intValue":${text}}`), /expected|leading zero|too early/)
  }
})

test('doubles are the nearest ones, and NaN and the infinities are words', () => {
  const values = [
    '0',
    '-0',
    '1',
    '0.1',
    '-2.5',
    '1e21',
    '5e-324',
    '1.7976931348623157e308',
    '123456789012345678',
    '0.1e1',
  ]
  for (const text of [...values, '0.30000000000000004', '1234567890.123456789', '100000000000000000000000', '1E+2']) {
    assert.deepEqual(body(`{"doubleValue":${text}}`), { doubleValue: Number(text) })
    assert.deepEqual(body(`{"doubleValue":"${text}"}`), { doubleValue: Number(text) })
  }
  assert.deepEqual(body('{"doubleValue":"NaN"}'), { doubleValue: Number.NaN })
  assert.deepEqual(body('{"doubleValue":"-Infinity"}'), { doubleValue: -Infinity })
  assert.deepEqual(body('{"doubleValue":"+Inf"}'), { doubleValue: Infinity })
  for (const text of ['1e400', '"1e400"', '"x"', '""', '.5', '5.', '1e', '+1', 'NaN', 'null1', '--1', '0x10']) {
    refuses('logs', log(`"body":{"doubleValue":${text}}`), /./)
  }
})

test('an enum is a number or its exact name', () => {
  assert.equal(item('traces', span('"kind":3')).kind, 3)
  assert.equal(item('traces', span('"kind":"SPAN_KIND_CLIENT"')).kind, 3)
  assert.equal(item('traces', span('"kind":77')).kind, 77)
  refuses('traces', span('"kind":"2"'), /kind: no such value/)
  refuses('traces', span('"kind":"client"'), /kind: no such value/)
  refuses('traces', span('"kind":2.5'), /whole number/)
})

test('an id is hexadecimal of its length, in any case, or empty', () => {
  assert.deepEqual(item('traces', span('"spanId":"0102030405060aAf"')).spanId, Uint8Array.of(1, 2, 3, 4, 5, 6, 10, 175))
  assert.deepEqual(item('traces', span('"traceId":"","spanId":"","name":"a"')), { name: 'a' })
  refuses('traces', span('"spanId":"01020304050607"'), /spanId: expected 16 hexadecimal digits/)
  refuses('traces', span('"spanId":"010203040506070809"'), /expected 16 hexadecimal digits/)
  refuses('traces', span('"spanId":"010203040506070g"'), /expected 16 hexadecimal digits/)
  refuses('traces', span('"traceId":"W47/95gDgQPSabYzgT/GDA=="'), /traceId: expected 32 hexadecimal digits/)
  refuses('traces', span('"traceId":5'), /expected a string/)
})

test('bytes are base64 of either alphabet, padded or not', () => {
  for (const text of ['+/8=', '-_8=', '+/8', '-_8', '\\u002b\\/8=']) {
    assert.deepEqual(body(`{"bytesValue":"${text}"}`), { bytesValue: Uint8Array.of(0xfb, 0xff) })
  }
  assert.deepEqual(body('{"bytesValue":""}'), { bytesValue: new Uint8Array(0) })
  for (const text of ['A', 'AA=', 'A===', '====', 'AA==AA==', 'A!==', 'AAAAA']) {
    refuses('logs', log(`"body":{"bytesValue":"${text}"}`), /bytesValue: not base64/)
  }
})

test('names are lowerCamelCase or as in the .proto, also with escapes; others are read over', () => {
  assert.deepEqual(item('traces', span('"trace_state":"a","dropped_events_count":1,"n\\u0061me":"b"')), {
    traceState: 'a',
    droppedEventsCount: 1,
    name: 'b',
  })
  const unknown = '"x":{"y":[1,-2.5e+3,"\\n}",null,true,false,{},[]]},"Name":"no","nam":1,"names":2,"":3'
  assert.deepEqual(item('traces', span(`${unknown},"name":"b"`)), { name: 'b' })
  for (const bad of [
    '"x":',
    '"x":tru',
    '"x":[1 2]',
    '"x":{"a"}',
    '"x":{a:1}',
    '"x":[1,]',
    '"x":\'a\'',
    '"x":01',
    '"x":"\u0001"',
  ]) {
    refuses('traces', span(bad), /./)
  }
})

test('null means absent, and holds the place of a message in a list', () => {
  assert.deepEqual(item('traces', span('"name":null,"attributes":null,"status":null,"kind":null,"flags":1')), {
    flags: 1,
  })
  assert.deepEqual(body('{"arrayValue":{"values":[null,{"boolValue":true}]}}'), {
    arrayValue: { values: [{}, { boolValue: true }] },
  })
  refuses('metrics', point('"exemplars":[null,1]'), /expected an object/)
})

test('defaults are left out, except where being there means something', () => {
  assert.deepEqual(
    [...jsonToBytes('traces', span('"name":"","kind":0,"startTimeUnixNano":"0","flags":0,"attributes":[]'))],
    [...encode('traces', { resourceSpans: [{ scopeSpans: [{ spans: [{}] }] }] })],
  )
  assert.deepEqual(body('{"stringValue":""}'), { stringValue: '' })
  assert.deepEqual(body('{"intValue":0}'), { intValue: 0n })
  assert.deepEqual(body('{"boolValue":false}'), { boolValue: false })
  assert.deepEqual(body('{}'), {})
})

test('of a name that comes twice the last value counts, whatever its kind', () => {
  const twice = '"name":"a","attributes":[{"key":"a"},{"key":"b"}],"status":{"message":"m"},"kind":1,"name":""'
  const again = '"attributes":[{"key":"c"}],"status":{"code":2},"kind":null,"traceState":"t","trace_state":"u"'
  assert.deepEqual(item('traces', span(`${twice},${again}`)), {
    traceState: 'u',
    attributes: [{ key: 'c' }],
    status: { code: 2 },
  })
  assert.deepEqual(body('{"stringValue":"a","intValue":1}'), { intValue: 1n })
  assert.deepEqual(body('{"kvlistValue":{"values":[{"key":"a"}],"values":[{"key":"b"}]}}'), {
    kvlistValue: { values: [{ key: 'b' }] },
  })
})

test('a name repeated a hundred thousand times costs time in proportion', () => {
  const list = `"attributes":[${'{"key":"k"},'.repeat(20_000)}{}]`
  const json = span(`${list},${'"name":"a",'.repeat(100_000)}"kind":1`)
  const before = performance.now()
  assert.equal(item('traces', json).name, 'a')
  assert.ok(performance.now() - before < 5000)
})

test('strings keep every character; half a surrogate pair becomes the replacement character', () => {
  const text = '\\"\\\\\\/\\b\\f\\n\\r\\t\\u0041\\u00e9\\u20ac\\ud83d\\ude42 é€🙂'
  assert.deepEqual(body(`{"stringValue":"${text}"}`), { stringValue: '"\\/\b\f\n\r\tAé€🙂 é€🙂' })
  assert.deepEqual(body('{"stringValue":"\\ud83d-\\ude42\\ud83d\\u0041"}'), { stringValue: '\ufffd-\ufffd\ufffdA' })
  const long = 'x'.repeat(20_000)
  assert.deepEqual(body(`{"stringValue":"${long}"}`), { stringValue: long })
  for (const bad of ['\\x', '\\u12', '\\u12g4', '\u0001', '\n', '\\'])
    refuses('logs', log(`"body":{"stringValue":"${bad}"}`), /./)
})

test('the place of a mistake is told, and what was expected there', () => {
  refuses('traces', '', /ends too early: expected an object at byte 0/, 0)
  refuses('traces', '  ', /too early/, 2)
  refuses('traces', '[]', /expected an object at byte 0/, 0)
  refuses('traces', '{} x', /unexpected text after the request/, 3)
  refuses('traces', '{}{}', /unexpected text after the request/, 2)
  refuses('traces', '{"resourceSpans":{}}', /resourceSpans: expected a list/, 17)
  refuses('traces', '{"resourceSpans":[1]}', /resourceSpans: expected an object/, 18)
  refuses('traces', '{"resourceSpans" []}', /expected a colon/, 17)
  refuses('traces', '{"resourceSpans":[],}', /expected a name in quotes/, 20)
  refuses('traces', '{"resourceSpans":[]', /too early/, 19)
  refuses('traces', Buffer.concat([Buffer.from('{"a":"'), Buffer.of(0xff), Buffer.from('"}')]), /not UTF-8/, 6)
  refuses('traces', '\ufeff{}', /expected an object/, 0)
  refuses('traces', span('"status":{"code":1,"message":5}'), /message: expected a string/)
  refuses('traces', '<html></html>', /expected an object/, 0)
})

test('nesting is bounded, in what is known and in what is not', () => {
  const nested = (depth: number): string => `${'{"arrayValue":{"values":['.repeat(depth)}{}${']}}'.repeat(depth)}`
  assert.ok(jsonToBytes('logs', log(`"body":${nested(20)}`)).length > 0)
  refuses('logs', log(`"body":${nested(200)}`), /nested too deeply/)
  refuses('logs', log(`"body":${nested(100_000)}`), /nested too deeply/)
  for (const open of ['[', '{"a":']) refuses('logs', `{"x":${open.repeat(1_000_000)}`, /nested too deeply/)
  assert.deepEqual(
    [...jsonToBytes('logs', `{"x":${'['.repeat(JSON_DEPTH_MAX - 2)}${']'.repeat(JSON_DEPTH_MAX - 2)}}`)],
    [],
  )
})

test('lists of numbers may grow while they are read', () => {
  const counts = Array.from({ length: 5000 }, (_, i) => i % 10)
  const histogram = `{"resourceMetrics":[{"scopeMetrics":[{"metrics":[{"histogram":{"dataPoints":[{"bucketCounts":[${counts}]}]}}]}]}]}`
  const bytes = jsonToBytes('metrics', histogram)
  assert.equal(checkRequest('metrics', bytes), 1)
  assert.ok(bytes.length > 8 * counts.length)
})

test('a text cut short anywhere is malformed, and says so at most at its end', () => {
  for (const signal of SIGNALS) {
    for (const request of fc.sample(requestArbitrary(signal), { numRuns: 8, seed: 7 })) {
      const json = Buffer.from(bytesToJson(signal, [encode(signal, request)]))
      for (let end = 0; end < json.length; end += json.length > 500 ? 11 : 1) {
        refuses(signal, json.subarray(0, end), /./)
      }
    }
  }
})

test('what JSON makes passes the check at the door', () => {
  for (const signal of SIGNALS) {
    for (const request of fc.sample(requestArbitrary(signal), { numRuns: 100, seed: 11 })) {
      const bytes = encode(signal, request)
      assert.equal(checkRequest(signal, jsonToBytes(signal, bytesToJson(signal, [bytes]))), checkRequest(signal, bytes))
    }
  }
})
