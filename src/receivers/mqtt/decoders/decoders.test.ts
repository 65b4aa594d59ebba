import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { checkRequest } from '../../../otlp/check.ts'
import { jsonToBytes } from '../../../otlp/json/index.ts'
import { KIND } from '../../../readings/naming.ts'
import type { Decoder } from './decoder.ts'
import { findDecoder } from './decoders.ts'
import { DecoderRig } from './testing.ts'

const AT = '@1700000000123000000'
const RECEIVED = '@1767225600000000000'

const rigOf = (name: string): DecoderRig => new DecoderRig(findDecoder(name) as Decoder)

test('json_points: a device, a time and points become gauges of that device', () => {
  const rig = rigOf('json_points')
  const message = {
    device_id: 'cnc-01',
    timestamp: 1700000000123,
    metrics: [
      { name: 'temperature', value: 20.57, unit: 'C' },
      { name: 'part_count', value: 1024 },
    ],
  }
  for (const payload of [JSON.stringify(message), JSON.stringify(message, null, 2)]) {
    assert.equal(rig.push(payload), undefined)
    assert.deepEqual(rig.taken(), [
      `{device.id=cnc-01}temperature=20.57C ${AT}`,
      `{device.id=cnc-01}part_count=1024 ${AT}`,
    ])
  }
})

test('json_points: names may come in any order, others are skipped, escapes are read', () => {
  const rig = rigOf('json_points')
  const payload = `{"schema":{"v":[1,2]},"metrics":[{"unit":"\\u00b0C","x":[{}],"value":-1.5e-3,"name":"t\\u0065mp"}],
    "timestamp":"2023-11-14T22:13:20.123Z","device_id":7}`
  assert.equal(rig.push(payload), undefined)
  assert.deepEqual(rig.taken(), [`{device.id=7}temp=-0.0015°C ${AT}`])
})

test('json_points: without a time or a device the receive time and the topic stand in', () => {
  const rig = rigOf('json_points')
  assert.equal(rig.push('{"metrics":[{"name":"a","value":1}],"timestamp":null}'), undefined)
  assert.deepEqual(rig.taken(), [`a=1 ${RECEIVED}`])
})

test('json_points: booleans are 1 and 0, null is no reading, a text is a log record', () => {
  const rig = rigOf('json_points')
  const payload =
    '{"metrics":[{"name":"on","value":true},{"name":"gone","value":null},{"name":"state","value":"RUN\\"1"}]}'
  assert.equal(rig.push(payload), undefined)
  assert.deepEqual(rig.taken(), [`on=1 ${RECEIVED}`, `log {"stringValue":"RUN\\"1"}{reading.name=state} ${RECEIVED}`])
})

test('json_points: what is no such message is refused as a whole, with its reason', () => {
  const cases: [string, string][] = [
    ['', 'wrong_shape'],
    ['[]', 'wrong_shape'],
    ['{}', 'wrong_shape'],
    ['{"metrics":{}}', 'wrong_shape'],
    ['{"metrics":[1]}', 'wrong_shape'],
    ['{"metrics":[{"value":1}]}', 'wrong_shape'],
    ['{"metrics":[],"metrics":[]}', 'duplicate_key'],
    ['{"timestamp":1,"metrics":[],"timestamp":2}', 'duplicate_key'],
    ['{"device_id":"a","metrics":[],"device_id":"b"}', 'duplicate_key'],
    ['{"device_id":"a","timestamp":1,"metrics":[],"device_id":"b"}', 'duplicate_key'],
    ['{"metrics":[{"name":"a","value":1,"value":2}]}', 'duplicate_key'],
    ['{"metrics":[{"name":"a","value":null,"value":2}]}', 'duplicate_key'],
    ['{"metrics":[{"name":"a","name":"b","value":1}]}', 'duplicate_key'],
    ['{"metrics":[{"name":"a","unit":"C","unit":"F","value":1}]}', 'duplicate_key'],
    ['{"metrics":[{"name":"a","value":1},{"name":"b","value":NaN}]}', 'not_json'],
    ['{"metrics":[{"name":"a","value":1},{"name":"b","value":01}]}', 'not_json'],
    ['{"metrics":[{"name":"a","value":1},{"name":"b","value":1e999}]}', 'bad_number'],
    ['{"metrics":[{"name":"a","value":1}]', 'not_json'],
    ['{"metrics":[{"name":"a","value":1}]}x', 'not_json'],
    ['{"metrics":[{"name":"a","value":1}],}', 'not_json'],
    ['{"metrics":[{"name":"","value":1}]}', 'bad_name'],
    ['{"timestamp":"soon","metrics":[]}', 'bad_time'],
    [`{"x":${'['.repeat(100)}${']'.repeat(100)},"metrics":[]}`, 'too_deep'],
  ]
  const rig = rigOf('json_points')
  for (const [payload, reason] of cases) assert.equal(rig.push(payload)?.reason, reason, payload)
  const broken = Buffer.concat([Buffer.from('{"metrics":[{"name":"'), Buffer.of(0xff), Buffer.from('","value":1}]}')])
  assert.equal(rig.push(broken)?.reason, 'not_utf8')
  const text = Buffer.concat([Buffer.from('{"metrics":[{"name":"a","value":"'), Buffer.of(0xff), Buffer.from('"}]}')])
  assert.equal(rig.push(text)?.reason, 'not_utf8')
  assert.deepEqual(rig.taken(), [])
})

test('json_points: a refused message takes nothing of its neighbours with it, wherever it broke', () => {
  const devices = ['a', 'b'.repeat(70), 'c'.repeat(200)]
  const message = fc.record({
    device: fc.constantFrom(...devices),
    values: fc.array(fc.integer(), { minLength: 1, maxLength: 40 }),
    broken: fc.boolean(),
  })
  fc.assert(
    fc.property(fc.array(message, { maxLength: 12 }), (messages) => {
      const rig = rigOf('json_points')
      const expected: string[] = []
      for (const { device, values, broken } of messages) {
        const points = values.map((value, i) => ({ name: `n${i}`, value }))
        const whole = JSON.stringify({ device_id: device, timestamp: 1700000000123, metrics: points })
        assert.equal(rig.push(broken ? whole.slice(0, -2) : whole)?.reason, broken ? 'not_json' : undefined)
        if (!broken) for (const { name, value } of points) expected.push(`{device.id=${device}}${name}=${value} ${AT}`)
      }
      assert.deepEqual(rig.taken(), expected)
    }),
  )
})

test('json_points: numbers are those that JSON.parse reads', () => {
  const rig = rigOf('json_points')
  fc.assert(
    fc.property(fc.oneof(fc.double({ noNaN: true, noDefaultInfinity: true }), fc.integer()), (value) => {
      const text = JSON.stringify(value)
      rig.push(`{"metrics":[{"name":"n","value":${text}}]}`)
      assert.deepEqual(rig.taken(), [`n=${JSON.parse(text)} ${RECEIVED}`])
    }),
  )
})

test('json: nested names are joined, the time may stand at the end', () => {
  const rig = rigOf('json')
  const payload =
    '{"temperature":27.3,"motor":{"temp":71,"vib":{"x":1.2,"ok":true},"w":[1,2]},"mode":"AUTO","ts":1700000000123}'
  assert.equal(rig.push(payload), undefined)
  assert.deepEqual(rig.taken(), [
    `temperature=27.3 ${AT}`,
    `motor.temp=71 ${AT}`,
    `motor.vib.x=1.2 ${AT}`,
    `motor.vib.ok=1 ${AT}`,
    `motor.w.0=1 ${AT}`,
    `motor.w.1=2 ${AT}`,
    `log {"stringValue":"AUTO"}{reading.name=mode} ${AT}`,
  ])
  assert.equal(rig.push('[1]')?.reason, 'wrong_shape')
  assert.equal(rig.push(`${'{"a":'.repeat(80)}1${'}'.repeat(80)}`)?.reason, 'too_deep')
})

test('value: a number, a boolean or a word of devices, named by the topic', () => {
  const rig = rigOf('value')
  for (const payload of ['32.5', ' -1e3\n', 'ON', 'false', '"7"', 'E04 overload'])
    assert.equal(rig.push(payload), undefined)
  assert.deepEqual(rig.taken(), [
    `own=32.5 ${RECEIVED}`,
    `own=-1000 ${RECEIVED}`,
    `own=1 ${RECEIVED}`,
    `own=0 ${RECEIVED}`,
    `own=7 ${RECEIVED}`,
    `log {"stringValue":"E04 overload"}{reading.name=own} ${RECEIVED}`,
  ])
  assert.equal(rig.push('')?.reason, 'wrong_shape')
  assert.equal(rig.push(Buffer.of(0xff))?.reason, 'not_utf8')
  assert.equal(rig.push('1e999')?.reason, 'bad_number')
})

test('text: any payload is the body of a log record', () => {
  const rig = rigOf('text')
  rig.push('spindle stopped')
  rig.push(Buffer.of(0xff, 0))
  assert.deepEqual(rig.taken(), [
    `log {"stringValue":"spindle stopped"} ${RECEIVED}`,
    `log {"bytesValue":"/wA="} ${RECEIVED}`,
  ])
})

test('otlp_*: a request goes on as it came, protobuf and JSON; what is none is refused', () => {
  const request = '{"resourceSpans":[{"scopeSpans":[{"spans":[{"name":"weld"}]}]}]}'
  const bytes = jsonToBytes('traces', request)
  const rig = rigOf('otlp_traces')
  assert.equal(rig.push(request), undefined)
  assert.equal(rig.push(bytes), undefined)
  assert.equal(rig.push(Buffer.of(0x0a, 9))?.reason, 'not_otlp')
  assert.deepEqual(
    rig.out.requests.map((r) => [r.signal, r.items, checkRequest('traces', r.bytes), Buffer.compare(r.bytes, bytes)]),
    [
      ['traces', 1, 1, 0],
      ['traces', 1, 1, 0],
    ],
  )
})

test('a reading beyond the bound on series is dropped, those that are known pass', () => {
  const rig = new DecoderRig(findDecoder('json')!, undefined, { maxSources: 1, maxSeries: 2 })
  for (let i = 0; i < 2; i++) rig.push('{"a":1,"b":2,"c":3}')
  assert.equal(rig.taken().length, 4)
  assert.deepEqual(rig.full, ['series', 'series'])
})

test('rules choose the kind and the unit of a metric', () => {
  const rig = new DecoderRig(findDecoder('json_points')!, {
    kindOf: (name) => (name === 'parts' ? KIND.COUNTER : KIND.GAUGE),
    unitOf: (unit) => (unit === 'C' ? 'Cel' : unit),
  })
  rig.push('{"metrics":[{"name":"parts","value":5,"unit":"pcs"},{"name":"t","value":1,"unit":"C"}]}')
  assert.deepEqual(rig.taken(), [`counter parts=5pcs ${RECEIVED}`, `t=1Cel ${RECEIVED}`])
})

test('auto: a payload of a form that cannot be mistaken is read as that form', () => {
  const rig = rigOf('auto')
  const read = (payload: string, contentType?: string): string[] => {
    assert.equal(rig.push(payload, { contentType })?.message, undefined, payload)
    return rig.taken()
  }
  assert.deepEqual(read('{"metrics":[{"name":"a","value":1}]}'), [`a=1 ${RECEIVED}`])
  assert.deepEqual(read('{"a":{"b":1}}'), [`a.b=1 ${RECEIVED}`])
  assert.deepEqual(read('{"timestamp_ms":1700000000123,"value":1}'), [`own=1 ${AT}`])
  assert.deepEqual(read('{"value":1,"timestamp_ms":1700000000123}'), [`own=1 ${AT}`])
  assert.deepEqual(read('{"ts":1700000000123,"values":{"a":1}}'), [`a=1 ${AT}`])
  assert.deepEqual(read('[{"ts":1700000000123,"values":{"a":1}}]'), [`a=1 ${AT}`])
  assert.deepEqual(read('[{"t":1700000000123,"v":1}]'), [`own=1 ${AT}`])
  assert.deepEqual(read('{"timestamp":1,"values":[{"id":"a","v":1,"t":1700000000123}]}'), [`a=1 ${AT}`])
  assert.deepEqual(read('{"timestamp":1700000000123,"node":"n","group":"g","values":{"a":1}}'), [
    `{device.id=n}g.a=1 ${AT}`,
  ])
  assert.deepEqual(read('{"MessageType":"ua-data","PublisherId":"p","Messages":[{"Payload":{"a":1}}]}'), [
    `{device.id=p}a=1 ${RECEIVED}`,
  ])
  assert.deepEqual(read('room,site=x temp=1.5,ok=t 1700000000123000000'), [
    `room.temp=1.5{site=x} ${AT}`,
    `room.ok=1{site=x} ${AT}`,
  ])
  assert.deepEqual(read('32.5'), [`own=32.5 ${RECEIVED}`])
  assert.deepEqual(read('E04 overload'), [`log {"stringValue":"E04 overload"}{reading.name=own} ${RECEIVED}`])
  const event = '{"specversion":"1.0","id":"1","source":"s","type":"t","data":{"a":1}}'
  const expected = [`{device.id=s}a=1{cloudevents.event_type=t,cloudevents.event_source=s} ${RECEIVED}`]
  assert.deepEqual(read(event), expected)
  assert.deepEqual(read(event, 'application/cloudevents+json'), expected)
})

test('marks of the message stay when a reading has its own', () => {
  const rig = rigOf('kepware')
  const { out } = rig
  const begin = out.begin.bind(out)
  out.begin = (stream, receivedMs) => {
    begin(stream, receivedMs)
    out.markMessage([['mqtt.retained', true]])
  }
  rig.push('{"values":[{"id":"a","v":1,"q":false},{"id":"b","v":2,"q":true}]}')
  const [bad, good] = rig.takenRequests().flatMap((json) => JSON.parse(json).resourceMetrics[0].scopeMetrics[0].metrics)
  const keys = (metric: { gauge: { dataPoints: { attributes: { key: string }[] }[] } }): string[] =>
    metric.gauge.dataPoints[0]!.attributes.map(({ key }) => key)
  assert.deepEqual(keys(bad), ['mqtt.retained', 'data.quality'])
  assert.deepEqual(keys(good), ['mqtt.retained'])
})

test('a traceparent that is none is ignored', () => {
  const rig = rigOf('json')
  for (const parent of [
    '',
    '00',
    `00-${'0'.repeat(32)}-00f067aa0ba902b7-01`,
    `ff-${'a'.repeat(32)}-00f067aa0ba902b7-01`,
  ])
    assert.equal(rig.push(JSON.stringify({ a: 1, traceparent: parent })), undefined)
  assert.ok(!rig.takenRequests().join().includes('exemplars'))
})
