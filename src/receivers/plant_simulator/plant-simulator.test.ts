import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { receiverHarness } from '../../../test/support/harness.ts'
import { until } from '../../../test/support/until.ts'
import { DeliveryError } from '../../delivery/error.ts'
import type { Output } from '../../graph/component.ts'
import type { Batch } from '../../otlp/batch.ts'
import { bytesToJson } from '../../otlp/json/index.ts'
import type { GroundTruth } from '../../plant/ground-truth.ts'
import { factory } from './factory.ts'

const START = '2026-01-05T06:00:00Z'
const RUN = { start: START, speed: 'max' }

function folder(t: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), 'millrace-plant-'))
  t.after(() => rmSync(path, { recursive: true, force: true }))
  return path
}

/** Runs until its duration is over. */
async function whole(t: TestContext, config: object) {
  const run = await receiverHarness(t, factory, { ...RUN, ...config })
  await until(() => run.logs.some(({ message }) => message === 'the plant has come to its end'))
  return run
}

// biome-ignore-start lint/suspicious/noExplicitAny: OTLP/JSON as plain objects
const jsonOf = (batch: Batch): any => JSON.parse(bytesToJson(batch.signal, batch.parts))
const textOf = (attributes: any[] = [], key: string): string | undefined =>
  attributes.find((one) => one.key === key)?.value.stringValue

function flat(sent: readonly Batch[]) {
  const points: {
    device: string
    name: string
    unit: string
    at: number
    value: number
    attributes: any[]
    sum: any
  }[] = []
  const records: { device: string; event: string; at: number; body: string; attributes: any[] }[] = []
  for (const batch of sent) {
    const json = jsonOf(batch)
    for (const { resource, scopeMetrics } of json.resourceMetrics ?? [])
      for (const { name, unit = '', gauge, sum } of scopeMetrics.flatMap((scope: any) => scope.metrics))
        for (const { timeUnixNano, asDouble, attributes = [] } of (gauge ?? sum).dataPoints)
          points.push({
            device: textOf(resource.attributes, 'device.id')!,
            name,
            unit,
            at: Number(timeUnixNano) / 1e6,
            value: asDouble,
            attributes,
            sum,
          })
    for (const { resource, scopeLogs } of json.resourceLogs ?? [])
      for (const { timeUnixNano, eventName, body, attributes } of scopeLogs.flatMap((scope: any) => scope.logRecords))
        records.push({
          device: textOf(resource.attributes, 'device.id')!,
          event: eventName,
          at: Number(timeUnixNano) / 1e6,
          body: body.stringValue,
          attributes,
        })
  }
  return { points, records }
}
// biome-ignore-end lint/suspicious/noExplicitAny: as above

const bytesOf = (sent: readonly Batch[]): string[] =>
  sent.map(({ signal, parts }) => `${signal} ${Buffer.concat(parts).toString('base64')}`)

test('equal scenario, seed and start give equal bytes, and another seed gives others', async (t) => {
  const first = await whole(t, { duration: '5m' })
  const second = await whole(t, { duration: '5m' })
  const other = await whole(t, { duration: '5m', seed: 2 })
  assert.ok(first.sent.length > 100)
  assert.deepEqual(bytesOf(first.sent), bytesOf(second.sent))
  assert.notDeepEqual(bytesOf(first.sent), bytesOf(other.sent))
})

test('readings are points in UCUM, counts are sums, and each says which device, type and line it is of', async (t) => {
  const { sent } = await whole(t, { duration: '1m' })
  const { points } = flat(sent)
  const of = (device: string, name: string) => points.filter((one) => one.device === device && one.name === name)
  assert.ok(of('cnc-01', 'temperature').length > 50)
  assert.equal(of('cnc-01', 'temperature')[0]!.unit, 'Cel')
  assert.equal(of('cnc-01', 'spindle_speed')[0]!.unit, '{revolution}/min')
  assert.equal(of('cnc-01', 'part_count')[0]!.sum.isMonotonic, true)
  assert.equal(of('meter-1', 'energy')[0]!.unit, 'kW.h')
  const [resource] = jsonOf(sent.find(({ signal }) => signal === 'metrics')!).resourceMetrics
  for (const key of ['device.id', 'device.type', 'manufacturing.line'])
    assert.ok(textOf(resource.resource.attributes, key) !== undefined, key)
})

test('a breakdown, a lost connection and a wrong clock are seen when and as the scenario says', async (t) => {
  const scenario = join(folder(t), 'plant.yaml')
  writeFileSync(
    scenario,
    `devices: [{id: cnc-1, speed_loss: 0}, {id: hall-1, type: sensor, clock_skew: 1h}]
events:
  - {at: 1m, device: cnc-1, kind: fault, for: 1m, reason: tool broken}
  - {at: 150s, device: cnc-1, kind: disconnect, for: 20s}
`,
  )
  const { sent } = await whole(t, { scenario, duration: '4m' })
  const { points, records } = flat(sent)
  const startMs = Date.parse(START)
  const events = records
    .filter(({ device, event }) => device === 'cnc-1' && /device|state/.test(event))
    .map(({ event, at, body }) => [event.split('.').at(-1), (at - startMs) / 1000, body])
  assert.deepEqual(events, [
    ['online', 0, 'the device is online'],
    ['state_changed', 0, 'the state is Running'],
    ['state_changed', 60, 'the state is Error: tool broken'],
    ['state_changed', 120, 'the state is Running'],
    ['offline', 150, 'the device is offline'],
    ['online', 170, 'the device is online'],
  ])
  const late = points.filter(({ attributes }) => attributes.some(({ key }) => key === 'reading.late'))
  assert.ok(late.length > 100)
  for (const { device, at } of late) assert.ok(device === 'cnc-1' && at >= startMs + 150_000 && at < startMs + 170_000)
  for (const { device, at, name } of points)
    if (device === 'hall-1' && name === 'humidity') assert.ok(at >= startMs + 3_600_000)
})

test('the true OEE is what follows from the counts and states that were emitted', async (t) => {
  const truthFile = join(folder(t), 'truth.json')
  const { sent } = await whole(t, { duration: '20m', ground_truth: truthFile })
  const truth: GroundTruth = JSON.parse(readFileSync(truthFile, 'utf8'))
  assert.equal(truth.seconds, 1200)
  const { points, records } = flat(sent)
  const startMs = Date.parse(START)
  const machines = Object.entries(truth.devices).filter(([, { production }]) => production !== undefined)
  assert.equal(machines.length, 5)
  for (const [id, { production }] of machines) {
    const counts = (name: string): number =>
      points.filter((one) => one.device === id && one.name === name).at(-1)!.value
    // The last second is told of only in part: counts are those of the last reading.
    assert.ok(production!.total - counts('part_count') <= 1)
    assert.ok(production!.scrap - counts('reject_count') <= 1)
    const pieces = records.filter(({ device, event }) => device === id && event === 'manufacturing.piece.inspected')
    assert.equal(production!.total, pieces.length)
    const ideal = pieces
      .filter(({ attributes }) => textOf(attributes, 'manufacturing.inspection.result') === 'pass')
      .reduce(
        (sum, { attributes }) => sum + (textOf(attributes, 'manufacturing.product.code') === 'shaft-20' ? 4 : 6),
        0,
      )
    assert.ok(Math.abs(production!.oee! - ideal / 1200) < 1e-9)
    // Run time from the stream of states; Idle holds short stops, which are run time, and changeovers, which are not.
    const changes = records.filter(({ device, event }) => device === id && event.endsWith('state_changed'))
    let runS = 0
    for (const [at, { at: fromMs, body }] of changes.entries())
      if (/Running|blocked/.test(body)) runS += ((changes[at + 1]?.at ?? startMs + 1_200_000) - fromMs) / 1000
    assert.equal(production!.run_s, runS)
  }
})

test('while a pipeline refuses for now time waits: nothing is lost, out of order or twice', async (t) => {
  const expected = await whole(t, { duration: '2m' })
  const sent: Batch[] = []
  let asked = 0
  const moody: Output = {
    send(batch) {
      if (++asked % 3 === 0) {
        sent.push(batch)
        batch.delivery.deliver()
      } else batch.delivery.refuse(new DeliveryError('QUEUE_FULL', 'full', { retry: 'backoff' }))
    },
  }
  const run = await receiverHarness(t, factory, { ...RUN, duration: '2m' }, { out: moody })
  await until(() => {
    run.clock.advance(10_000)
    return run.logs.some(({ message }) => message === 'the plant has come to its end')
  })
  assert.deepEqual(bytesOf(sent), bytesOf(expected.sent))
  assert.ok(run.metric('receiver_plant_simulator_postponed_batches')! > 100)
  assert.equal(run.metric('receiver_accepted_metric_points'), expected.metric('receiver_accepted_metric_points'))
})

test('at a speed the plant goes with the clock, and a pipeline that answers late makes it wait', async (t) => {
  const sent: Batch[] = []
  const run = await receiverHarness(
    t,
    factory,
    { start: START, speed: 60 },
    { out: { send: (batch) => sent.push(batch) } },
  )
  run.clock.advance(1_000)
  const held = sent.length
  assert.ok(held > 0)
  run.clock.advance(60_000)
  assert.equal(sent.length, held)
  const latest = (): number => Math.max(...flat(sent).points.map(({ at }) => at))
  const goOn = (): void => {
    for (const batch of sent) if (!batch.delivery.settled) batch.delivery.deliver()
  }
  for (let turn = 0; turn < 200; turn++) {
    run.clock.advance(20)
    for (let batch = 0; batch < 4; batch++) goOn()
  }
  const plantS = (latest() - Date.parse(START)) / 1000
  // Four seconds of the clock; those in which nothing was taken do not count.
  assert.ok(plantS > 200 && plantS < 260, `${plantS}`)
})

test('what is refused for good is counted and told, and the plant goes on', async (t) => {
  const refuse: Output = {
    send: (batch) => batch.delivery.refuse(new DeliveryError('NEXT_HOP_REFUSED', 'no', { retry: 'never' })),
  }
  const run = await receiverHarness(t, factory, { ...RUN, duration: '1m' }, { out: refuse })
  await until(() => run.logs.some(({ message }) => message === 'the plant has come to its end'))
  assert.ok(run.metric('receiver_refused_metric_points')! > 1000)
  assert.ok(run.logs.some(({ message }) => message === 'a pipeline refused what the plant said for good'))
})

test('stop ends within its deadline although a pipeline never answers, writes the truth and counts what is left', async (t) => {
  const truthFile = join(folder(t), 'truth.json')
  const run = await receiverHarness(t, factory, { ...RUN, ground_truth: truthFile }, { out: { send: () => {} } })
  await run.receiver.stop?.(AbortSignal.timeout(20))
  assert.ok(run.metric('receiver_plant_simulator_dropped_items')! > 0)
  assert.equal(JSON.parse(readFileSync(truthFile, 'utf8')).seconds, 1)
})

test('without a pipeline for logs the events are counted as dropped', async (t) => {
  const run = await receiverHarness(t, factory, { ...RUN, duration: '30s' }, { signals: ['metrics'] })
  await until(() => run.logs.some(({ message }) => message === 'the plant has come to its end'))
  assert.ok(run.sent.every(({ signal }) => signal === 'metrics'))
  assert.ok(run.metric('receiver_plant_simulator_dropped_items')! > 10)
})

test('a scenario that cannot be read or followed is a problem of the configuration', async (t) => {
  const missing = receiverHarness(t, factory, { scenario: '/nowhere.yaml' })
  await assert.rejects(missing, /receivers\.plant_simulator\.scenario: the scenario cannot be read: .*no such file/)
  const path = join(folder(t), 'plant.yaml')
  writeFileSync(path, 'devices: [{id: cnc, type: lathe}]\n')
  await assert.rejects(receiverHarness(t, factory, { scenario: path }), /plant\.yaml:1:27: CONFIG_UNKNOWN_CHOICE/)
})
