import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import protobuf from 'protobufjs'
import { type DataType, encodeSparkplug, type MetricValue } from './encode.ts'
import { encodeArray } from './encode-array.ts'
import { DATA_TYPE } from './fields.ts'

const TYPE = DATA_TYPE.values
const root = protobuf.loadSync(fileURLToPath(new URL('../../proto/sparkplug/sparkplug_b.proto', import.meta.url)))
const Payload = root.lookupType('org.eclipse.tahu.protobuf.Payload')

// biome-ignore lint/suspicious/noExplicitAny: a decoded message as a plain object
const decode = (bytes: Uint8Array): any => Payload.toObject(Payload.decode(bytes), { longs: String, oneofs: true })

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex').toUpperCase()

test('a birth and its data are these bytes', () => {
  const birth = encodeSparkplug({
    timestampMs: 1000,
    seq: 0,
    metrics: [
      { name: 'bdSeq', timestampMs: 1000, type: TYPE.Int64, hasType: true, value: 3 },
      {
        name: 't',
        alias: 7,
        timestampMs: 999,
        type: TYPE.Double,
        hasType: true,
        value: 1.5,
        engUnit: 'C',
        quality: 192,
      },
    ],
  })
  const bdSeq = '0A05 6264536571 18E807 2004 5803'
  const unit = '0A07 656E67556E6974 1205 080C 420143'
  const quality = '0A07 5175616C697479 1205 0803 18C001'
  const t = `0A0174 1007 18E707 200A 4A20 ${unit} ${quality} 69000000000000F83F`
  const expected = `08E807 120E ${bdSeq} 1235 ${t} 1800`.replaceAll(' ', '')
  assert.equal(hex(birth), expected)
  const data = encodeSparkplug({
    timestampMs: 2000,
    seq: 255,
    metrics: [{ alias: 7, timestampMs: 2000, type: TYPE.Int8, isHistorical: true, value: -12 }],
  })
  assert.equal(hex(data), '08D00F120D100718D00F280150F4FFFFFF0F18FF01')
})

test('arrays are the vectors of the specification', () => {
  for (const [type, values, expected] of [
    [TYPE.Int32Array, [123456789, 987654321], '15CD5B07B168DE3A'],
    [TYPE.Int16Array, [-30000, 30000], 'D08A3075'],
    [TYPE.UInt16Array, [30, 52360], '1E0088CC'],
    // The specification prints EF for -23, which is -17.
    [TYPE.Int8Array, [-23, 123], 'E97B'],
    [TYPE.BooleanArray, [0, 0, 1, 1, 0, 1, 0, 0, 1, 1, 0, 1].map(Boolean), '0C00000034D0'],
    [TYPE.StringArray, ['ABC', 'hello'], '4142430068656C6C6F00'],
    [TYPE.Int64Array, [-1, 2 ** 40], 'FFFFFFFFFFFFFFFF0000000000010000'],
    [TYPE.DateTimeArray, [1256102875335], 'C7D0907524010000'],
    [TYPE.DoubleArray, [1.5], '000000000000F83F'],
    [TYPE.FloatArray, [1.5], '0000C03F'],
    [TYPE.UInt8Array, [23, 250], '17FA'],
  ] as const)
    assert.equal(hex(encodeArray(type, values)), expected, `type ${type}`)
})

test('every data type that has a value is read back by protobufjs as it was meant', () => {
  const cases: [DataType, MetricValue, string, unknown][] = [
    [TYPE.Int8, -128, 'intValue', 4294967168],
    [TYPE.Int16, -2, 'intValue', 4294967294],
    [TYPE.Int32, -(2 ** 31), 'intValue', 2147483648],
    [TYPE.Int64, -5, 'longValue', '18446744073709551611'],
    [TYPE.Int64, Number.MAX_SAFE_INTEGER, 'longValue', '9007199254740991'],
    [TYPE.UInt8, 255, 'intValue', 255],
    [TYPE.UInt16, 65535, 'intValue', 65535],
    [TYPE.UInt32, 4294967295, 'intValue', 4294967295],
    [TYPE.UInt64, 2 ** 40, 'longValue', String(2 ** 40)],
    [TYPE.Float, 1.25, 'floatValue', 1.25],
    [TYPE.Double, -0.1, 'doubleValue', -0.1],
    [TYPE.Boolean, false, 'booleanValue', false],
    [TYPE.String, 'größer', 'stringValue', 'größer'],
    [TYPE.DateTime, 1_767_225_600_000, 'longValue', '1767225600000'],
    [TYPE.Text, '', 'stringValue', ''],
    [TYPE.UUID, '0-0', 'stringValue', '0-0'],
    [TYPE.Bytes, Uint8Array.of(1, 0), 'bytesValue', Uint8Array.of(1, 0)],
    [TYPE.Int16Array, [-30000], 'bytesValue', Uint8Array.of(0xd0, 0x8a)],
  ]
  for (const [type, value, field, expected] of cases) {
    const bytes = encodeSparkplug({ seq: 1, metrics: [{ name: 'm', type, hasType: true, value }] })
    const [metric] = decode(bytes).metrics
    assert.equal(metric.value, field)
    assert.deepEqual(metric[field], expected, `type ${type}`)
    assert.equal(metric.datatype, type)
  }
})

test('null is said, what is absent is not written, and properties stand side by side with their keys', () => {
  const [bare, full] = decode(
    encodeSparkplug({
      metrics: [
        { alias: 0, type: TYPE.Double, value: null },
        { name: 'p', type: TYPE.Int32, value: 1, engUnit: 'bar', quality: 500 },
      ],
    }),
  ).metrics
  assert.deepEqual(bare, { alias: '0', isNull: true })
  assert.deepEqual(full.properties.keys, ['engUnit', 'Quality'])
  assert.equal(full.properties.values[0].stringValue, 'bar')
  assert.equal(full.properties.values[1].intValue, 500)
  assert.equal(decode(encodeSparkplug({ metrics: [] })).seq, undefined)
})

test('a value that its type does not have is an error, never other bytes', () => {
  for (const [type, value] of [
    [TYPE.Int8, 128],
    [TYPE.UInt32, -1],
    [TYPE.Int64, 2 ** 60],
    [TYPE.Int32, 1.5],
    [TYPE.Boolean, 1],
    [TYPE.String, 1],
    [TYPE.Int8Array, 1],
    [TYPE.DataSet, 'x'],
  ] as const)
    assert.throws(() => encodeSparkplug({ metrics: [{ type, value }] }), RangeError)
})
