import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { Cursor } from '../wire/cursor.ts'
import { Splice } from '../wire/splice.ts'
import { Writer } from '../wire/writer.ts'
import { AttributeMap } from './attribute.ts'
import { KeyRange } from './key-range.ts'

const ATTRIBUTES = 7
const text = (size: number, letter: string): Buffer => Buffer.from(letter.repeat(size))

/** A message with a field before it, so that its offsets are not those of the array. */
function message(fields: readonly ((out: Writer) => void)[]): Uint8Array {
  const out = new Writer().field(1, text(5, 'x'))
  for (const write of fields) write(out)
  return out.toBytes()
}

const attribute = (size: number, letter: string) => (out: Writer) => void out.field(ATTRIBUTES, text(size, letter))
const time = (out: Writer): void => void out.tag(3, 1).f64(1.5)
const flags = (out: Writer): void => void out.tag(8, 0).varint(300)
const unknown = (out: Writer): void => void out.tag(300, 2).varint(3).copy(text(3, 'u'))
const number32 = (out: Writer): void => void out.tag(9, 5).copy(text(4, 'n'))
const mistyped = (out: Writer): void => void out.tag(ATTRIBUTES, 0).varint(9)

test('the key of all attributes holds them wherever they stand, in its order, and nothing else', () => {
  for (const fields of [
    [],
    [time],
    [time, attribute(3, 'a'), attribute(200, 'b'), attribute(0, 'c')],
    [attribute(3, 'a'), attribute(20_000, 'b'), flags, time],
    [attribute(3, 'a'), time, attribute(127, 'b'), unknown, number32, attribute(128, 'c')],
    [mistyped, attribute(1, 'a'), mistyped, flags],
  ]) {
    const bytes = message(fields)
    const expected: Buffer[] = []
    const c = new Cursor().reset(bytes, 7)
    while (c.find(ATTRIBUTES)) expected.push(Buffer.from(bytes.subarray(c.at, c.end)))
    const key = new KeyRange().ofAttributes(bytes, new DataView(bytes.buffer), 7, bytes.length, ATTRIBUTES)
    assert.deepEqual(Buffer.from(key.bytes.subarray(key.from, key.to)), Buffer.concat(expected))
    assert.equal(key.words.buffer, key.bytes.buffer)
  }
})

// An attribute as encoders write it, and as they do not: value first, a key or value twice, fields that nobody knows.
const keyValue = fc
  .record({
    key: fc.constantFrom('', 'a', 'b', 'cc', 'ab'),
    value: fc.constantFrom('', 'x', 'y', 'z'.repeat(130)),
    shape: fc.constantFrom(
      ...(['usual', 'usual', 'usual', 'no value', 'turned', 'two keys', 'two values', 'more'] as const),
    ),
  })
  .map(({ key, value, shape }) => {
    const keyField = new Writer().field(1, Buffer.from(key)).toBytes()
    const valueField = new Writer().field(2, new Writer().field(1, Buffer.from(value)).toBytes()).toBytes()
    const fields = {
      usual: [keyField, valueField],
      'no value': [keyField],
      turned: [valueField, keyField],
      'two keys': [keyField, valueField, new Writer().field(1, Buffer.from('b')).toBytes()],
      'two values': [keyField, valueField, valueField],
      more: [keyField, valueField, new Writer().field(9, Buffer.from('?')).toBytes()],
    }[shape]
    return (out: Writer) => void out.field(ATTRIBUTES, Buffer.concat(fields))
  })

const never = (): never => {
  throw new Error('invariant: nothing is edited')
}

/** Texts of the values of the first attributes with those keys. */
function valuesOf(bytes: Uint8Array, keys: readonly Uint8Array[]): string {
  const map = new AttributeMap(new Splice(), { frame: never, create: never })
  map.open(bytes, ATTRIBUTES)
  map.piece(0, bytes.length)
  const values = keys.map((key) => {
    const i = map.find(key)
    return i < 0 ? undefined : map.value(i).toText()
  })
  return JSON.stringify(values)
}

test('where the selected attributes have the same key, they have the same values', () => {
  const points = fc.array(fc.oneof(keyValue, fc.constantFrom(time, flags, unknown)), { maxLength: 5 }).map(message)
  const keys = [Buffer.from('b'), Buffer.from('ab')]
  const known = new Map<string, string>()
  const range = new KeyRange()
  fc.assert(
    fc.property(points, (bytes) => {
      const {
        from,
        to,
        bytes: source,
      } = range.ofSelected(bytes, new DataView(bytes.buffer), 0, bytes.length, ATTRIBUTES, keys)
      const key = Buffer.from(source.subarray(from, to)).toString('latin1')
      const values = valuesOf(bytes, keys)
      if (!known.has(key)) known.set(key, values)
      assert.equal(known.get(key), values)
    }),
    { numRuns: 20_000 },
  )
})

test('attributes that were not selected do not stand in the key', () => {
  const usual = (key: string, value: string) => (out: Writer) =>
    void out.field(
      ATTRIBUTES,
      new Writer()
        .field(1, Buffer.from(key))
        .field(2, new Writer().field(1, Buffer.from(value)).toBytes())
        .toBytes(),
    )
  const keyOf = (fields: readonly ((out: Writer) => void)[]): string => {
    const bytes = message(fields)
    const words = new DataView(bytes.buffer)
    const key = new KeyRange().ofSelected(bytes, words, 7, bytes.length, ATTRIBUTES, [
      Buffer.from('b'),
      Buffer.from('c'),
    ])
    return Buffer.from(key.bytes.subarray(key.from, key.to)).toString('latin1')
  }
  assert.equal(
    keyOf([time, usual('a', '1'), usual('b', '2'), usual('c', '3')]),
    keyOf([usual('c', '3'), flags, usual('b', '2')]),
  )
  assert.notEqual(keyOf([usual('b', '2')]), keyOf([usual('c', '2')]))
})
