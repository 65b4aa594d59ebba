import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { encodeSparkplug, type PlainMetric } from '../../../../test/support/sparkplug.ts'
import { NOW_MS, SparkplugRig } from '../../../../test/support/sparkplug-reader.ts'
import { TYPE } from '../../../sparkplug/numbers.ts'

const metric = (name: string, alias: number, datatype: number, value: PlainMetric): PlainMetric => ({
  name,
  alias,
  datatype,
  timestamp: NOW_MS,
  ...value,
})
const bdSeq = (value: number): PlainMetric => ({ name: 'bdSeq', datatype: TYPE.Int64, long_value: value })
const speed = (value: number) => metric('Speed', 1, TYPE.Double, { double_value: value })
const nodeBirth = (seq = 0, session = 0, ...metrics: PlainMetric[]) => ({ seq, metrics: [bdSeq(session), ...metrics] })
const aliased = (seq: number, value: number, alias = 1) => ({
  seq,
  metrics: [{ alias, timestamp: NOW_MS, double_value: value }],
})

test('a birth names and types what data say by alias; node and devices are resources of their own', () => {
  const rig = new SparkplugRig()
  rig.send('NBIRTH/E', nodeBirth(0, 0, metric('Uptime', 9, TYPE.Int64, { long_value: 5 })))
  rig.send('DBIRTH/E/D', { seq: 1, metrics: [{ ...speed(1), properties: unit('rpm') }] })
  assert.deepEqual(rig.taken(), [
    'E Uptime=5i',
    'E manufacturing.device.up=11',
    'D Speed=1{revolution}/min',
    'D manufacturing.device.up=11',
    'E log manufacturing.device.online',
    'D log manufacturing.device.online',
  ])
  rig.send('DDATA/E/D', aliased(2, 2))
  rig.send('NDATA/E', { seq: 3, metrics: [{ alias: 9, long_value: 6, timestamp: NOW_MS }] })
  assert.deepEqual(rig.taken(), ['D Speed=2{revolution}/min', 'E Uptime=6i'])
  assert.deepEqual(rig.troubles, [])
})

test('integers keep their width and sign, whatever bits the sender has filled', () => {
  const rig = new SparkplugRig()
  const values: [number, PlainMetric, string][] = [
    [TYPE.Int8, { int_value: 0xf4 }, '-12i'],
    [TYPE.Int8, { int_value: 0xfffffff4 }, '-12i'],
    [TYPE.Int16, { int_value: 0xfff4 }, '-12i'],
    [TYPE.Int32, { int_value: 0xfffffff4 }, '-12i'],
    [TYPE.Int64, { long_value: '18446744073709551604' }, '-12i'],
    [TYPE.UInt8, { int_value: 255 }, '255i'],
    [TYPE.UInt16, { int_value: 65535 }, '65535i'],
    [TYPE.UInt32, { int_value: 4294967295 }, '4294967295i'],
    [TYPE.UInt32, { long_value: 4294967295 }, '4294967295i'],
    [TYPE.UInt64, { long_value: '9223372036854775807' }, '9223372036854775807i'],
    [TYPE.UInt64, { long_value: '18446744073709551615' }, '18446744073709552000'],
    [TYPE.Float, { float_value: 0.5 }, '0.5'],
    [TYPE.Double, { double_value: 0.1 }, '0.1'],
    [TYPE.Boolean, { boolean_value: true }, '1'],
    [TYPE.DateTime, { long_value: NOW_MS }, `${NOW_MS}ims`],
  ]
  rig.send('NBIRTH/E', nodeBirth(0, 0, ...values.map(([type, value], i) => metric(`m${i}`, i, type, value))))
  assert.deepEqual(
    rig.values(),
    values.map(([, , expected], i) => `E m${i}=${expected}`),
  )
})

test('the arrays of the specification are a point for each element', () => {
  const rig = new SparkplugRig()
  const arrays: [number, string, (string | number)[]][] = [
    [TYPE.Int32Array, '15CD5B07B168DE3A', [123456789, 987654321]],
    [TYPE.Int16Array, 'D08A3075', [-30000, 30000]],
    [TYPE.UInt16Array, '1E0088CC', [30, 52360]],
    [TYPE.Int8Array, 'EF7B', [-17, 123]],
    [TYPE.BooleanArray, '0C00000034D0', [0, 0, 1, 1, 0, 1, 0, 0, 1, 1, 0, 1]],
    [TYPE.UInt8Array, '17FA', [23, 250]],
    [TYPE.UInt32Array, '3400000077CE9F0D', [52, 228576887]],
    [TYPE.Int64Array, 'FFFFFFFFFFFFFFFF', [-1]],
    [TYPE.UInt64Array, '0100000001000000', [4294967297]],
    [TYPE.FloatArray, '0000803F', [1]],
    [TYPE.DoubleArray, '000000000000F03F', [1]],
    [TYPE.DateTimeArray, 'C7D0906F8A010000', [Number(0x018a6f90d0c7n)]],
  ]
  for (const [i, [type, hex, expected]] of arrays.entries()) {
    rig.send('NBIRTH/E', nodeBirth(0, i, metric('a', 1, type, { bytes_value: Buffer.from(hex, 'hex') })))
    assert.deepEqual(
      rig.values().filter((line) => !/=-(\{|$)/.test(line)),
      expected.map((value, index) => `E a=${value}{sparkplug.index=${index}}`),
    )
  }
  rig.send(
    'NBIRTH/F',
    nodeBirth(0, 0, metric('s', 1, TYPE.StringArray, { bytes_value: Buffer.from('41424300', 'hex') })),
  )
  assert.deepEqual(rig.values(), ['F log "ABC"{reading.name=s,sparkplug.index=0}'])
  assert.deepEqual(rig.troubles, [])
})

test('texts are records or the numbers that words give them; bytes are records', () => {
  const rig = new SparkplugRig({}, { words: { RUNNING: 1 } })
  rig.send(
    'NBIRTH/E',
    nodeBirth(
      0,
      0,
      metric('State', 1, TYPE.String, { string_value: 'RUNNING' }),
      metric('Order', 2, TYPE.Text, { string_value: 'A-7' }),
      metric('Id', 3, TYPE.UUID, { string_value: 'u' }),
      metric('Raw', 4, TYPE.Bytes, { bytes_value: Buffer.from([0xff, 0]) }),
    ),
  )
  assert.deepEqual(rig.values(), [
    'E State=1',
    'E log "A-7"{reading.name=Order}',
    'E log "u"{reading.name=Id}',
    'E log {"bytesValue":"/wA="}{reading.name=Raw}',
  ])
})

test('a dataset is a point for each numeric cell, with the texts of its row', () => {
  const rig = new SparkplugRig()
  const row = (text: string, number: number) => ({ elements: [{ string_value: text }, { int_value: number }] })
  const table = {
    num_of_columns: 2,
    columns: ['tool', 'wear'],
    types: [TYPE.String, TYPE.Int32],
    rows: [row('drill', 3), row('mill', 4)],
  }
  rig.send('NBIRTH/E', nodeBirth(0, 0, metric('Tools', 1, TYPE.DataSet, { dataset_value: table })))
  assert.deepEqual(rig.values(), [
    'E Tools/wear=3{sparkplug.index=0,tool=drill}',
    'E Tools/wear=4{sparkplug.index=1,tool=mill}',
  ])
})

test('templates are flattened; definitions of templates have no values; what is too deep is counted', () => {
  const rig = new SparkplugRig({ max_template_depth: 2 })
  const template = (name: string, metrics: PlainMetric[], more = {}) =>
    metric(name, 50, TYPE.Template, { template_value: { metrics, ...more } })
  rig.send(
    'NBIRTH/E',
    nodeBirth(
      0,
      0,
      template('_types_/Motor', [speed(0)], { is_definition: true }),
      template('M1', [speed(3), template('Inner', [speed(4), template('Deep', [speed(5)])])]),
    ),
  )
  assert.deepEqual(rig.values(), ['E M1/Speed=3', 'E M1/Inner/Speed=4'])
  assert.deepEqual(rig.troubles, ['too_deep'])
  const data = { name: 'M1', timestamp: NOW_MS, template_value: { metrics: [{ name: 'Speed', double_value: 6 }] } }
  rig.send('NDATA/E', { seq: 1, metrics: [data] })
  assert.deepEqual(rig.values(), ['E M1/Speed=6'])
})

test('quality, historical and transient values are marked; a null is a point without a value', () => {
  const rig = new SparkplugRig()
  rig.send('NBIRTH/E', nodeBirth(0, 0, { ...speed(1), properties: quality(0) }))
  rig.send('NDATA/E', { seq: 1, metrics: [{ ...speed(2), properties: quality(500) }] })
  rig.send('NDATA/E', { seq: 2, metrics: [{ ...speed(3), properties: quality(192), is_historical: true }] })
  rig.send('NDATA/E', { seq: 3, metrics: [{ ...speed(4), is_transient: true }] })
  rig.send('NDATA/E', { seq: 4, metrics: [{ alias: 1, timestamp: NOW_MS, is_null: true }] })
  assert.deepEqual(rig.values(), [
    'E Speed=1{data.quality=bad}',
    'E Speed=2{data.quality=stale}',
    'E Speed=3{sparkplug.historical=true}',
    'E Speed=4{sparkplug.transient=true}',
    'E Speed=-{sparkplug.transient=true}',
  ])
})

test('a death ends every series of the node and its devices, once', () => {
  const rig = born()
  rig.send('NDEATH/E', { metrics: [bdSeq(0)] })
  assert.deepEqual(rig.taken(), [
    'E manufacturing.device.up=01',
    'D Speed=-',
    'D manufacturing.device.up=01',
    'E log manufacturing.device.offline',
    'D log manufacturing.device.offline',
  ])
  rig.send('NDEATH/E', { metrics: [bdSeq(0)] })
  assert.deepEqual(rig.taken(), [])
})

test('a death of an earlier session is ignored', () => {
  const rig = born(5)
  rig.send('NDEATH/E', { metrics: [bdSeq(4)] })
  assert.deepEqual([rig.taken(), rig.ignored], [[], 1])
})

test('the death of a device leaves its node and the other devices alone', () => {
  const rig = born()
  rig.send('DBIRTH/E/D2', { seq: 2, metrics: [speed(1)] }).taken()
  rig.send('DDEATH/E/D', { seq: 3 })
  assert.deepEqual(rig.taken(), ['D Speed=-', 'D manufacturing.device.up=01', 'D log manufacturing.device.offline'])
  rig.send('DDATA/E/D2', aliased(4, 7))
  assert.deepEqual(rig.taken(), ['D2 Speed=7'])
  rig.send('DDATA/E/D', aliased(5, 7))
  assert.deepEqual([rig.taken(), rig.troubles], [[], ['before_birth']])
})

test('a new session of a node makes its devices stale until they are born again; a rebirth does not', () => {
  const rig = born(0)
  rig.send('NBIRTH/E', nodeBirth(0, 0)).send('DBIRTH/E/D', { seq: 1, metrics: [speed(2)] })
  assert.deepEqual(rig.values(), ['D Speed=2'])
  rig.send('NBIRTH/E', nodeBirth(0, 1))
  assert.deepEqual(rig.values(), ['D Speed=-'])
  rig.send('DDATA/E/D', aliased(1, 3))
  assert.deepEqual([rig.values(), rig.troubles], [[], ['before_birth']])
})

test('data before a birth are counted and a rebirth is asked for; data that say what they are, are taken', () => {
  const rig = new SparkplugRig()
  rig.send('DDATA/E/D', aliased(7, 1))
  assert.deepEqual([rig.values(), rig.troubles], [[], ['before_birth']])
  assert.deepEqual(new Set(rig.rebirths), new Set(['E: before_birth', 'E: its birth is not known']))
  rig.send('DDATA/E/D', { seq: 8, metrics: [speed(2)] })
  assert.deepEqual(rig.values(), ['D Speed=2'])
})

test('an unknown alias costs none of the other metrics', () => {
  const rig = born()
  rig.send('DDATA/E/D', { seq: 2, metrics: [{ alias: 77, double_value: 1 }, ...aliased(2, 5).metrics] })
  assert.deepEqual(
    [rig.values(), rig.troubles, rig.rebirths],
    [['D Speed=5'], ['unknown_metric'], ['E: unknown_metric']],
  )
})

test('a value that its type does not have, and NaN, cost none of the other metrics', () => {
  const rig = born()
  const wrong = [
    { alias: 1, string_value: 'x' },
    { alias: 1, double_value: Number.NaN },
  ]
  for (const [i, one] of wrong.entries()) {
    rig.send('DDATA/E/D', { seq: 2 + i, metrics: [one, { ...speed(4), name: 'Other', alias: undefined }] })
    assert.ok(rig.values().includes('D Other=4'))
  }
  assert.deepEqual(rig.troubles, ['wrong_type', 'bad_number'])
})

test('messages that overtake each other are taken in the order of their seq', () => {
  const rig = born()
  rig.send('DDATA/E/D', aliased(3, 3)).send('DDATA/E/D', aliased(4, 4))
  assert.deepEqual([rig.values(), rig.reader.heldMessages], [[], 2])
  rig.send('DDATA/E/D', aliased(2, 2))
  assert.deepEqual(rig.values(), ['D Speed=2', 'D Speed=3', 'D Speed=4'])
  rig.clock.advance(60_000)
  assert.deepEqual([rig.missing, rig.rebirths], [0, []])
})

test('after the reorder timeout what is missing is lost, a rebirth is asked for, and what was held is taken', () => {
  const rig = born(0, { reorder_timeout: '2s' })
  rig.send('DDATA/E/D', aliased(4, 4))
  rig.clock.advance(1_999)
  assert.deepEqual(rig.values(), [])
  rig.clock.advance(1)
  assert.deepEqual([rig.values(), rig.missing, rig.rebirths], [['D Speed=4'], 2, ['E: a gap']])
  rig.send('DDATA/E/D', aliased(5, 5)).send('DDATA/E/D', aliased(3, 3))
  assert.deepEqual(
    [rig.values(), rig.troubles],
    [
      ['D Speed=5', 'D Speed=3'],
      ['gap', 'wrong_seq'],
    ],
  )
})

test('no more than max_held_messages wait', () => {
  const rig = born(0, { max_held_messages: 3 })
  for (let seq = 3; seq < 6; seq++) rig.send('DDATA/E/D', aliased(seq, seq))
  assert.equal(rig.reader.heldMessages, 3)
  rig.send('DDATA/E/D', aliased(6, 6))
  assert.deepEqual([rig.reader.heldMessages, rig.reader.heldBytes, rig.values().length, rig.missing], [0, 0, 4, 1])
})

test('in whatever order a window of messages comes, they are applied by seq, over the wrap of 3.0 and beyond it in 4.0', () => {
  void fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 255 }),
      fc.boolean(),
      fc.shuffledSubarray(
        Array.from({ length: 30 }, (_, i) => i),
        { minLength: 30 },
      ),
      (base, isWide, order) => {
        const rig = new SparkplugRig()
        rig.send('NBIRTH/E', nodeBirth(base, 0, speed(0))).taken()
        for (const i of order) {
          const seq = base + 1 + i
          rig.send('NDATA/E', aliased(isWide ? seq : seq % 256, i))
        }
        assert.deepEqual(
          rig.values(),
          Array.from({ length: 30 }, (_, i) => `E Speed=${i}`),
        )
        assert.deepEqual([rig.troubles, rig.reader.heldMessages, rig.reader.heldBytes], [[], 0, 0])
      },
    ),
    { numRuns: 50 },
  )
})

test('every beginning of every message is read or refused, and leaves nothing half done', () => {
  const birth = encodeSparkplug({
    timestamp: NOW_MS,
    seq: 0,
    metrics: [
      bdSeq(0),
      { ...speed(1), properties: { ...quality(0), ...{} } },
      metric('a', 2, TYPE.Int32Array, { bytes_value: Buffer.from('15CD5B07', 'hex') }),
      metric('t', 3, TYPE.Template, { template_value: { metrics: [speed(1)] } }),
      metric('d', 4, TYPE.DataSet, {
        dataset_value: { num_of_columns: 1, columns: ['c'], types: [3], rows: [{ elements: [{ int_value: 1 }] }] },
      }),
    ],
  })
  for (const what of ['NBIRTH/E', 'DBIRTH/E/D', 'NDATA/E', 'DDATA/E/D', 'NDEATH/E', 'DDEATH/E/D'])
    for (let length = 0; length <= birth.length; length++) {
      const rig = born()
      rig.send(what, birth.subarray(0, length))
      rig.taken()
      assert.ok(!rig.troubles.includes('failed'), `${what} ${length}`)
    }
})

test('a birth that cannot be read changes nothing of what is known', () => {
  const rig = born()
  const birth = encodeSparkplug({
    timestamp: NOW_MS,
    seq: 2,
    metrics: [metric('Speed', 1, TYPE.Int64, { long_value: 1 })],
  })
  rig.send('DBIRTH/E/D', birth.subarray(0, birth.length - 1))
  assert.deepEqual([rig.troubles, rig.rebirths, rig.values()], [['not_sparkplug'], ['E: a malformed payload'], []])
  rig.send('DDATA/E/D', aliased(2, 2.5))
  assert.deepEqual(rig.values(), ['D Speed=2.5'])
})

test('edge nodes, metrics and elements beyond their bounds are counted and left', () => {
  const rig = new SparkplugRig({ max_edge_nodes: 1, max_metrics: 2, max_elements: 2 })
  const array = metric('a', 1, TYPE.UInt8Array, { bytes_value: Buffer.from([1, 2, 3]) })
  rig.send('NBIRTH/E', nodeBirth(0, 0, array, speed(1), metric('more', 3, TYPE.Double, { double_value: 1 })))
  rig.send('NBIRTH/F', nodeBirth(0, 0, speed(1)))
  assert.deepEqual(rig.values(), ['E a=1{sparkplug.index=0}', 'E a=2{sparkplug.index=1}', 'E Speed=1'])
  assert.deepEqual(rig.troubles, ['too_many_elements', 'too_many_edge_nodes'])
})

test('births that the broker keeps tell the aliases, are marked, and say nothing of who is there', () => {
  const rig = new SparkplugRig()
  rig.send('DBIRTH/E/D', { seq: 4, metrics: [speed(1)] }, true)
  assert.deepEqual(rig.taken(), ['D Speed=1{mqtt.retained=true}'])
  rig.send('DDATA/E/D', aliased(99, 2))
  assert.deepEqual([rig.values(), rig.troubles], [['D Speed=2'], []])
})

test('cut off from the broker every value is unknown, and data go on by the aliases that are known', () => {
  const rig = born()
  rig.reader.forget(rig.clock.now())
  assert.deepEqual(rig.taken(), ['D Speed=-'])
  rig.send('DDATA/E/D', aliased(2, 3))
  assert.deepEqual([rig.values(), rig.rebirths], [['D Speed=3'], ['E: its birth is not known']])
})

function born(session = 0, config: object = {}): SparkplugRig {
  const rig = new SparkplugRig(config)
  rig.send('NBIRTH/E', nodeBirth(0, session)).send('DBIRTH/E/D', { seq: 1, metrics: [speed(1)] })
  rig.taken()
  assert.deepEqual(rig.troubles, [])
  return rig
}

const unit = (text: string) => ({ keys: ['engUnit'], values: [{ type: TYPE.String, string_value: text }] })
const quality = (code: number) => ({ keys: ['Quality'], values: [{ type: TYPE.Int32, int_value: code }] })
