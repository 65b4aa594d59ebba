import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { CODE_POINT } from '../../test/support/text.ts'
import { BadPayload } from './bad-payload.ts'
import { JSON_KIND, JsonTape, Name, NONE, TAPE_DEPTH_MAX } from './json-tape.ts'

const tape = new JsonTape()
const read = (text: string | Uint8Array): JsonTape => {
  tape.read(Buffer.from(text))
  return tape
}

/** The value that the notes describe, as JSON.parse would make it. */
function valueAt(node: number): unknown {
  switch (tape.kind(node)) {
    case JSON_KIND.OBJECT: {
      const object: Record<string, unknown> = Object.create(null)
      for (let name = tape.first(node); name !== NONE; name = tape.after(node, name))
        object[tape.text(name)] = valueAt(tape.valueOf(name))
      return object
    }
    case JSON_KIND.LIST: {
      const list: unknown[] = []
      for (let child = tape.first(node); child !== NONE; child = tape.after(node, child)) list.push(valueAt(child))
      return list
    }
    case JSON_KIND.NUMBER:
      return tape.number(node)
    case JSON_KIND.TRUE:
      return true
    case JSON_KIND.FALSE:
      return false
    case JSON_KIND.NULL:
      return null
    case JSON_KIND.NAN:
      return Number.NaN
    default:
      return tape.text(node)
  }
}

const reasonOf = (text: string | Uint8Array): string => {
  try {
    read(text)
    return 'fine'
  } catch (error) {
    assert.ok(error instanceof BadPayload)
    return error.reason
  }
}

const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value)) as unknown

test('any JSON reads as JSON.parse reads it, however it is indented', () => {
  void fc.assert(
    fc.property(fc.jsonValue({ stringUnit: CODE_POINT, maxDepth: 5 }), fc.nat(3), (value, indent) => {
      const text = JSON.stringify(value, null, indent)
      read(text)
      assert.deepEqual(plain(valueAt(0)), JSON.parse(text))
    }),
    { numRuns: 200, seed: 1 },
  )
})

test('every number is the nearest double', () => {
  void fc.assert(
    fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (value) => {
      assert.equal(read(String(value).replace('+', '')).number(0), Number(String(value)))
    }),
    { numRuns: 1000, seed: 1 },
  )
  for (const text of ['0', '-0', '9007199254740993', '1e400', '0.1', '123456789012345678', '1.7976931348623157e308'])
    assert.equal(read(text).number(0), Number(text))
})

test('names are found, escaped ones too, and only in the object asked', () => {
  read('{"a":{"b":1},"\\u0062":2,"c\\n":[3]}')
  const b = new Name('b')
  assert.equal(tape.number(tape.find(0, b)), 2)
  assert.equal(tape.number(tape.find(tape.find(0, new Name('a')), b)), 1)
  assert.equal(tape.number(tape.first(tape.find(0, new Name('c\n')))), 3)
  assert.equal(tape.find(0, new Name('x')), NONE)
  assert.equal(tape.find(tape.find(0, b), b), NONE)
})

test('empty objects and lists have nothing inside, and what follows is found', () => {
  read('[{},[],{"a":{}},1]')
  assert.equal(tape.count(0), 4)
  const first = tape.first(0)
  assert.equal(tape.first(first), NONE)
  const second = tape.after(0, first)
  assert.equal(tape.first(second), NONE)
  assert.deepEqual(plain(valueAt(0)), [{}, [], { a: {} }, 1])
})

test('what JSON.parse refuses is refused', () => {
  for (const text of [
    '',
    ' ',
    '{',
    '[',
    '{"a"}',
    '{"a":}',
    '{a:1}',
    '[1,]',
    '{"a":1,}',
    '01',
    '1.',
    '.5',
    '+1',
    '1e',
    '-',
    'tru',
    'nul',
    '"a',
    '"\\x"',
    '"\\u12"',
    '"\n"',
    '1 2',
    "'a'",
    '{"a":1}}',
  ])
    assert.equal(reasonOf(text), 'not_json', text)
})

test('text that is not UTF-8 is refused, a byte order mark is read over', () => {
  assert.equal(reasonOf(Uint8Array.of(0x22, 0xff, 0x22)), 'not_utf8')
  assert.equal(reasonOf(Uint8Array.of(0xef, 0xbb, 0xbf, 0x31)), 'fine')
})

test('NaN and Infinity are values of their own kind', () => {
  read('[NaN,Infinity,-Infinity,-1]')
  const kinds: number[] = []
  for (let child = tape.first(0); child !== NONE; child = tape.after(0, child)) kinds.push(tape.kind(child))
  assert.deepEqual(kinds, [JSON_KIND.NAN, JSON_KIND.NAN, JSON_KIND.NAN, JSON_KIND.NUMBER])
})

test('nesting is bounded', () => {
  assert.equal(reasonOf('['.repeat(TAPE_DEPTH_MAX) + ']'.repeat(TAPE_DEPTH_MAX)), 'fine')
  assert.equal(reasonOf('['.repeat(TAPE_DEPTH_MAX + 1) + ']'.repeat(TAPE_DEPTH_MAX + 1)), 'too_deep')
  assert.equal(reasonOf('{"a":'.repeat(1_000_000)), 'too_deep')
})

test('a name that comes twice in one object is refused, among few names and among many', () => {
  assert.equal(reasonOf('{"a":1,"b":2,"a":3}'), 'duplicate_key')
  assert.equal(reasonOf('{"a":1,"\\u0061":3}'), 'duplicate_key')
  assert.equal(reasonOf('{"a":{"a":1},"b":{"a":2}}'), 'fine')
  const many = Array.from({ length: 1000 }, (_, i) => `"name${i}":${i}`)
  assert.equal(reasonOf(`{${many.join()}}`), 'fine')
  assert.equal(reasonOf(`{${many.join()},"name7":1}`), 'duplicate_key')
})

test('whole numbers are told from others', () => {
  for (const text of ['0', '-5', '123456789', '9007199254740991']) assert.ok(read(text).isWhole(0), text)
  for (const text of ['1.0', '1e3', '9007199254740993', '"1"', 'true', '99999999999999999999'])
    assert.equal(read(text).isWhole(0), false, text)
})

test('every beginning of a text is refused', () => {
  const whole = '{"a":[1.5e3,true,null,"x\\u00e9\\n"],"b":{"c":-0.25}}'
  for (let i = 0; i < whole.length; i++) assert.equal(reasonOf(whole.slice(0, i)), 'not_json', whole.slice(0, i))
})
