import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ConfigError } from '../config/problem.ts'
import { type PlantEvent, topicMessage } from './messages.ts'
import { Plant } from './plant.ts'
import { readScenario } from './scenario.ts'
import { SMALL_PLANT } from './small-plant.ts'

const START_MS = Date.UTC(2026, 0, 5, 6)
const MINUTE = 60_000
const small = readScenario(SMALL_PLANT, 'small-plant.yaml')

function run(text: string | undefined, lastsMs: number, { seed = 1, strideMs = lastsMs } = {}) {
  const scenario = text === undefined ? small : readScenario(text, 'test.yaml')
  const plant = new Plant({ scenario, seed, startMs: START_MS })
  const events: PlantEvent[] = []
  for (let ms = START_MS; ms < START_MS + lastsMs; ms += strideMs)
    plant.advance(Math.min(ms + strideMs, START_MS + lastsMs), (event) => events.push(event))
  const messages = events.flatMap((event) =>
    event.kind === 'message' ? [{ ...topicMessage(event), atMs: event.atMs, device: event.device }] : [],
  )
  const bodies = (topic: RegExp) => messages.filter((m) => topic.test(m.topic)).map((m) => JSON.parse(m.payload))
  return { events, messages, bodies, truth: plant.truth() }
}

/** The values of one reading of a device, in order. */
const readings = (bodies: { metrics: { name: string; value: number }[] }[], name: string): number[] =>
  bodies.map(({ metrics }) => metrics.find((metric) => metric.name === name)!.value)

test('equal seeds repeat a run to the byte, however the time is cut, and another seed gives another run', () => {
  const whole = run(undefined, 10 * MINUTE)
  assert.deepEqual(run(undefined, 10 * MINUTE, { strideMs: 333 }).events, whole.events)
  assert.deepEqual(run(undefined, 10 * MINUTE).truth, whole.truth)
  assert.notDeepEqual(run(undefined, 10 * MINUTE, { seed: 2 }).messages, whole.messages)
})

test('messages come in the order of their time, and none before its second has begun', () => {
  const { events } = run(undefined, 5 * MINUTE)
  for (const [at, { atMs }] of events.entries()) assert.ok(at === 0 || atMs >= events[at - 1]!.atMs)
})

test('a device that is added changes nothing of what the others do', () => {
  const added = `${SMALL_PLANT.replace('devices:', 'devices:\n  - {id: new-1, type: agv, line: line-9}')}`
  const others = ({ messages }: ReturnType<typeof run>) => messages.filter(({ device }) => device !== 'new-1')
  assert.deepEqual(others(run(added, 5 * MINUTE)), run(undefined, 5 * MINUTE).messages)
})

test('data have the shape {device_id, timestamp, metrics: [{name, value, unit}]} with finite values', () => {
  const { messages } = run(undefined, 2 * MINUTE)
  const data = messages.filter(({ topic }) => /^devices\/[^/]+\/data$/.test(topic))
  assert.ok(data.length > 1_000)
  for (const { topic, payload } of data) {
    const body = JSON.parse(payload)
    assert.deepEqual(Object.keys(body), ['device_id', 'timestamp', 'metrics'])
    assert.equal(topic, `devices/${body.device_id}/data`)
    assert.match(body.timestamp, /^2026-01-05T06:0\d:\d\d\.\d{3}Z$/)
    for (const metric of body.metrics) {
      assert.deepEqual(Object.keys(metric), ['name', 'value', 'unit'])
      assert.ok(Number.isFinite(metric.value), payload)
    }
  }
})

test('the true OEE is what follows from the pieces and stops that the devices told', () => {
  const { bodies, truth } = run(undefined, 60 * MINUTE)
  for (const [id, { production }] of Object.entries(truth.devices)) {
    if (production === undefined) continue
    const pieces = bodies(new RegExp(`^quality/${id}/`)) as { result: string; product_code: string }[]
    assert.equal(production.total, pieces.length)
    assert.equal(production.good, pieces.filter(({ result }) => result === 'pass').length)
    const ideal = (of: typeof pieces): number =>
      of.reduce((sum, { product_code }) => sum + (product_code === 'shaft-20' ? 4 : 6), 0)
    const planned = 3600
    const stopped = production.stops
      .filter(({ state }) => state !== 'micro_stop')
      .reduce((sum, { from_s, to_s }) => sum + to_s - from_s, 0)
    const oee = ideal(pieces.filter(({ result }) => result === 'pass')) / planned
    assert.equal(production.run_s, planned - stopped)
    assert.ok(Math.abs(production.oee! - oee) < 1e-9)
    const { availability = 0, performance = 0, quality = 0 } = production
    assert.ok(Math.abs(availability * performance * quality - oee) < 1e-9)
    assert.ok(oee > 0.3 && oee < 1, `${id} ${oee}`)
  }
})

test('without a shift, and in a break, nothing is planned, made or counted', () => {
  const { bodies, truth } = run(
    `shifts: [{name: early, from: "06:10", to: "06:40"}]
breaks: [{from: "06:20", to: "06:25"}]
devices: [{id: cnc-1}]`,
    60 * MINUTE,
  )
  const { production } = truth.devices['cnc-1']!
  assert.equal(production?.planned_s, 25 * 60)
  assert.equal(production?.seconds.running, 25 * 60)
  for (const { timestamp } of bodies(/^quality/)) assert.match(timestamp, /T06:(1\d|2[5-9]|3\d)/)
  assert.deepEqual(
    bodies(/status$/).map(({ status, timestamp }) => `${timestamp.slice(11, 16)} ${status}`),
    ['06:10 Running', '06:20 Idle', '06:25 Running', '06:40 Idle'],
  )
})

test('an event happens when and as the scenario says, and the ground truth has it', () => {
  const { bodies, truth } = run(
    `devices: [{id: cnc-1, speed_loss: 0}]
events:
  - {at: 1m, device: cnc-1, kind: fault, for: 2m, reason: tool broken}
  - {at: 5m, device: cnc-1, kind: drift, metric: vibration, by: 10, for: 1m}
  - {at: 7m, device: cnc-1, kind: stuck, metric: power, for: 30s}
  - {at: 8m, device: cnc-1, kind: scrap, by: 1, for: 1m}`,
    10 * MINUTE,
  )
  const { production, anomalies, episodes } = truth.devices['cnc-1']!
  assert.deepEqual(production?.stops, [{ state: 'fault', reason: 'tool broken', from_s: 60, to_s: 180 }])
  assert.equal(production?.seconds.fault, 120)
  const error = bodies(/status$/).find(({ status }) => status === 'Error')
  assert.equal(error.reason, 'tool broken')
  const data = bodies(/data$/)
  const vibration = readings(data, 'vibration')
  assert.ok(Math.max(...vibration.slice(350, 359)) > 10 && Math.max(...vibration.slice(361, 400)) < 3)
  assert.equal(new Set(readings(data, 'power').slice(421, 449)).size, 1)
  assert.deepEqual(
    anomalies.map(({ kind, from_s, to_s }) => [kind, from_s, to_s]),
    [
      ['drift', 300, 360],
      ['stuck', 420, 450],
    ],
  )
  assert.deepEqual(episodes, [{ kind: 'scrap', from_s: 480, to_s: 540, by: 1 }])
  assert.ok(bodies(/^quality/).some(({ result }) => result === 'fail'))
})

test('a device without a connection is silent, and afterwards sends what it kept, with its old times', () => {
  const { events, messages } = run(
    `devices: [{id: hall-1, type: sensor, buffer: 10}]
events: [{at: 1m, device: hall-1, kind: disconnect, for: 30s}]`,
    2 * MINUTE,
  )
  const silence = events.filter(({ atMs }) => atMs > START_MS + 60_000 && atMs < START_MS + 90_000)
  assert.deepEqual(silence, [])
  assert.deepEqual(
    events.filter(({ kind }) => kind !== 'message').map(({ kind, atMs }) => [kind, atMs - START_MS]),
    [
      ['disconnected', 60_000],
      ['connected', 90_000],
    ],
  )
  const late = messages.filter(({ atMs }) => atMs === START_MS + 90_000)
  assert.equal(late.length, 10)
  for (const { payload } of late) assert.ok(Date.parse(JSON.parse(payload).timestamp) < START_MS + 90_000)
})

test('a clock that is wrong shows in the times alone', () => {
  const { bodies, messages } = run(
    `devices: [{id: hall-1, type: sensor, clock_skew: -90s}]
events: [{at: 1m, device: hall-1, kind: clock_skew, by: 3600, for: 30s}]`,
    2 * MINUTE,
  )
  const skews = bodies(/data$/).map(
    ({ timestamp }, at) =>
      (Date.parse(timestamp) - messages.filter(({ topic }) => /data$/.test(topic))[at]!.atMs) / 1000,
  )
  assert.deepEqual([...new Set(skews)], [-90, 3510])
})

test('counters never fall, and a meter counts what its line takes', () => {
  const { bodies } = run(undefined, 10 * MINUTE)
  for (const [topic, name] of [
    [/cnc-01\/data/, 'part_count'],
    [/plc-1\/data/, 'part_count'],
    [/meter-1\/data/, 'energy'],
    [/agv-01\/data/, 'distance'],
  ] as const) {
    const values = readings(bodies(topic), name)
    assert.ok(values.at(-1)! > values[0]!, name)
    for (const [at, value] of values.entries()) assert.ok(at === 0 || value >= values[at - 1]!, `${name} falls`)
  }
  const meter = bodies(/meter-1\/data/)
  const power = readings(meter, 'power')
  const kwh = readings(meter, 'energy')
  const mean = power.reduce((sum, value) => sum + value, 0) / power.length
  assert.ok(Math.abs(kwh.at(-1)! - kwh[0]! - (mean * 598) / 3600) < 0.3)
})

test('a scenario that cannot be followed says where and why, all at once', () => {
  const text = `products: [{code: a}]
shifts: [{from: "6", to: "14:00"}]
devices:
  - {id: cnc, count: 2}
  - {id: cnc-01, type: lathe}
events:
  - {at: 1m, device: cnc, kind: drift}
`
  assert.throws(
    () => readScenario(text, 'plant.yaml'),
    (error) => {
      assert.ok(error instanceof ConfigError)
      assert.match(error.message, /plant\.yaml:1:12: CONFIG_MISSING products\[0\]\.cycle/)
      assert.match(error.message, /plant\.yaml:5:24: CONFIG_UNKNOWN_CHOICE devices\[1\]\.type/)
      return true
    },
  )
  const second = text.replace('code: a', 'code: a, cycle: 5s').replace('lathe', 'cnc')
  assert.throws(
    () => readScenario(second, 'plant.yaml'),
    (error) => {
      for (const words of [
        '"6" is no time of day',
        '"cnc-01" stands here twice',
        'no device "cnc"',
        'drift needs a metric',
      ])
        assert.ok((error as Error).message.includes(words), words)
      return true
    },
  )
})

test('in an hour of the small plant everything is seen that goes on in one', () => {
  const { bodies, events, truth } = run(undefined, 60 * MINUTE)
  const types = Object.values(truth.devices).map(({ type }) => type)
  assert.deepEqual([...new Set(types)].sort(), ['agv', 'cnc', 'conveyor', 'meter', 'plc', 'robot', 'sensor'])

  const statuses = bodies(/(cnc|robot)-\d+\/status$/)
  assert.deepEqual([...new Set(statuses.map(({ status }) => status))].sort(), [
    'Error',
    'Idle',
    'Maintenance',
    'Running',
  ])
  const reasons = new Set(statuses.map(({ reason }) => reason))
  for (const reason of ['blocked', 'changeover', 'coolant change', 'bearing', 'tool broken'])
    assert.ok(reasons.has(reason), reason)

  const orders = bodies(/^orders\//)
  for (const event of ['started', 'completed']) assert.ok(orders.some((order) => order.event === event))
  assert.deepEqual([...new Set(orders.map(({ product_code }) => product_code))].sort(), ['flange-8', 'shaft-20'])
  assert.ok(bodies(/^quality\//).some(({ result }) => result === 'fail'))

  const heat = readings(bodies(/cnc-01\/data$/), 'temperature')
  const mean = (values: number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length
  assert.ok(mean(heat.slice(0, 5)) + 10 < mean(heat.slice(60, 90)), 'machines warm up')

  const anomalies = Object.values(truth.devices).flatMap((device) => device.anomalies)
  assert.deepEqual([...new Set(anomalies.map(({ kind }) => kind))].sort(), ['drift', 'spike', 'stuck'])
  assert.ok(anomalies.some(({ kind, before_fault }) => kind === 'drift' && before_fault))
  assert.ok(events.filter(({ kind }) => kind === 'connected').length > 5)
  assert.ok(events.some((event) => event.kind === 'message' && event.isLate))
  const meter = events.find((event) => event.kind === 'message' && event.device === 'meter-2')
  assert.ok(meter?.kind === 'message' && meter.deviceMs - meter.atMs === 3_000)
})

test('availability, performance and quality of the ground truth are those of the states and counts in the data', () => {
  const { bodies, truth } = run(
    `products: [{code: pin, cycle: 2s, scrap: 0.1}]
devices: [{id: cnc-1, faults_per_hour: 20, fault_lasts: 20s, disconnects_per_hour: 10}]`,
    60 * MINUTE,
  )
  const data = bodies(/data$/).sort((a, b) => Date.parse(a.timestamp) - Date.parse(b.timestamp))
  // A reading each second; what was kept without a connection is there too.
  assert.equal(data.length, 3600)
  const running = readings(data, 'state').filter((state) => state === 1).length
  const total = readings(data, 'part_count').at(-1)!
  const rejects = readings(data, 'reject_count').at(-1)!
  const { production } = truth.devices['cnc-1']!
  assert.equal(production!.availability, running / 3600)
  assert.equal(production!.performance, (2 * total) / running)
  assert.ok(Math.abs(production!.quality! - (total - rejects) / total) < 1e-12)
  assert.ok(Math.abs(production!.oee! - (2 * (total - rejects)) / 3600) < 1e-12)
})
