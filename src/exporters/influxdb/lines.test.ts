import assert from 'node:assert/strict'
import { test } from 'node:test'
import { writeTime } from './line-time.ts'
import { LineWriter } from './lines.ts'

const bytes = (text: string): Uint8Array => Buffer.from(text)
const text = (writer: LineWriter): string => Buffer.from(writer.bytes.subarray(0, writer.length)).toString()

test('what would end a measurement, a key or a value is escaped, and a backslash at the end is left out', () => {
  const writer = new LineWriter()
  writer.measurement(bytes('a, b=c\\d\\'))
  writer.byte(44)
  assert.equal(writer.key(bytes('k, =\n\\')), true)
  writer.byte(61)
  assert.equal(writer.key(bytes('\\\\')), false)
  writer.quoted(bytes('say "hi" \\ now\n'))
  assert.equal(text(writer), 'a\\,\\ b=c\\d,k\\,\\ \\=\\n="say \\"hi\\" \\\\ now\n"')
})

test('numbers are written so that they read back as they were', () => {
  for (const value of [0, -0, 1, 9, 10, 99, 100, 123456789, 1e9, -7, 0.1, -2.5e-9, 1e21, 5e-324, Number.MAX_VALUE]) {
    const writer = new LineWriter()
    writer.float(value)
    assert.equal(Number(text(writer)), value === 0 ? 0 : value)
  }
  const writer = new LineWriter()
  writer.integer(0x7fffffff, 0xffffffff)
  writer.integer(0xffffffff, 0xfffffff9)
  assert.equal(text(writer), '9223372036854775807i-7i')
})

test('times are exact to the nanosecond in every unit', () => {
  const into = new Uint8Array(32)
  for (const nanos of [
    0n,
    1n,
    999n,
    1_000_000n,
    1_700_000_000_123_456_789n,
    1_699_999_999_999_999_999n,
    2n ** 63n - 1n,
  ])
    for (const [unit, per] of [
      [1, 1n],
      [1e3, 1000n],
      [1e6, 1_000_000n],
      [1e9, 1_000_000_000n],
    ] as const) {
      const end = writeTime(into, 0, Number(nanos >> 32n), Number(nanos & 0xffffffffn), unit)
      assert.equal(Buffer.from(into.subarray(0, end)).toString(), String(nanos / per))
    }
})

test('a line that is opened again takes more fields, and a payload knows where its lines end', () => {
  const writer = new LineWriter()
  writer.ascii('m a=1')
  const fields = writer.length
  writer.endLine(0, 5, 1)
  writer.reopenLine(fields)
  writer.ascii(',b=2')
  writer.endLine(0, 5, 1)
  writer.ascii('m a="x\ny"')
  writer.endLine(0, 6, 1)
  const { bytes, ends } = writer.take()
  assert.equal(Buffer.from(bytes).toString(), 'm a=1,b=2 5\nm a="x\ny" 6\n')
  assert.deepEqual([...ends], [12, 24])
  assert.equal(writer.length + writer.lines, 0)
})
