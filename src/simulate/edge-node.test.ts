import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { PlantMessage } from '../plant/messages.ts'
import { Plant } from '../plant/plant.ts'
import { idsOf, readScenario, type Scenario } from '../plant/scenario.ts'
import { SMALL_PLANT } from '../plant/small-plant.ts'
import { encodeSparkplug } from '../sparkplug/encode.ts'
import { DATA_TYPE } from '../sparkplug/fields.ts'
import { EdgeNode } from './edge-node.ts'
import { asksForRebirth, REBIRTH } from './sparkplug-command.ts'
import { decodeSparkplug, StrictHost } from './testing.ts'

const TYPE = DATA_TYPE.values
const START_MS = Date.UTC(2026, 0, 5, 6)
const ONE = (devices: string, events = '[]'): Scenario =>
  readScenario(`devices: ${devices}\nevents: ${events}`, 'p.yaml')

/** A plant with one edge node for all of it, and the host that hears it. */
function run(scenario: Scenario) {
  const plant = new Plant({ scenario, startMs: START_MS })
  const host = new StrictHost()
  const lost = { count: 0 }
  const node = new EdgeNode({
    group: 'plant',
    node: 'line-1',
    devices: scenario.devices.flatMap(idsOf),
    startMs: START_MS,
    send: (topic, payload) => host.take(topic, payload),
    lost: () => void lost.count++,
  })
  const messages: PlantMessage[] = []
  const until = (seconds: number): void =>
    plant.advance(START_MS + seconds * 1000, (event) => {
      if (event.kind === 'message') messages.push(event)
      node.take(event)
    })
  const verbs = () => host.heard.map(({ verb }) => verb)
  return { host, node, messages, until, verbs, lost }
}

const command = (name: string, value: boolean): Uint8Array =>
  encodeSparkplug({ timestampMs: 1, metrics: [{ name, type: TYPE.Boolean, hasType: true, value }] })

test('a host that believes births, aliases and seq alone knows what every device of the plant measures', () => {
  const { host, node, messages, until } = run(readScenario(SMALL_PLANT, 'small-plant.yaml'))
  node.connected()
  until(600)
  assert.equal(host.heard[0]!.verb, 'NBIRTH')
  const last = new Map(messages.map((message) => [`${message.device} ${message.word.kind}`, message]))
  let compared = 0
  for (const { device, word } of last.values())
    if (word.kind === 'data')
      for (const [name, value, unit] of word.readings) {
        const known = host.values.get(`line-1/${device}/${name}`)!
        assert.equal(known.type === TYPE.Boolean ? Number(known.value) : known.value, value, `${device} ${name}`)
        assert.equal(known.unit ?? '', unit)
        compared++
      }
  assert.ok(compared > 60)
  assert.ok(host.values.get('line-1/cnc-01/order_number')!.value !== '')
  const types = new Set([...host.values.values()].map(({ type }) => type))
  assert.deepEqual(
    [...types].sort((a, b) => a - b),
    [TYPE.Int32, TYPE.Int64, TYPE.Double, TYPE.Boolean, TYPE.String],
  )
})

test('the NBIRTH has bdSeq and the rebirth control, and a value that stays the same is not told again', () => {
  const { host, node, until } = run(ONE('[{id: cnc-1, heartbeat: 1h}]'))
  node.connected()
  until(60)
  const [birth] = host.heard
  assert.deepEqual(
    birth!.payload.metrics.map(({ name, alias }: { name: string; alias?: number }) => [name, alias]),
    [
      ['bdSeq', undefined],
      [REBIRTH, undefined],
      ['Properties/Software', undefined],
    ],
  )
  const data = host.heard.filter(({ verb }) => verb === 'DDATA')
  const counts = data.flatMap(({ payload }) =>
    payload.metrics.filter((one: { value: string }) => one.value === 'longValue'),
  )
  assert.ok(counts.length > 3 && counts.length < 20, `${counts.length}`)
})

test('a device that is away dies and is born again, and what it kept is historical, with its own times', () => {
  const scenario = ONE('[{id: hall-1, type: sensor}]', '[{at: 60s, device: hall-1, kind: disconnect, for: 30s}]')
  const { host, node, until, verbs } = run(scenario)
  node.connected()
  until(120)
  const death = verbs().indexOf('DDEATH')
  assert.deepEqual(verbs().slice(death, death + 3), ['DDEATH', 'DBIRTH', 'DDATA'])
  assert.ok(host.historical.length >= 58)
  for (const { atMs } of host.historical) assert.ok(atMs >= START_MS + 60_000 && atMs < START_MS + 90_000)
})

test('a rebirth on demand says everything again with the same bdSeq, and no other command does anything', () => {
  const { host, node, until, verbs } = run(ONE('[{id: hall-1, type: sensor}, {id: agv-1, type: agv}]'))
  node.connected()
  until(30)
  const before = verbs().length
  assert.equal(node.command('spBv1.0/plant/NCMD/line-1', command(REBIRTH, true)), undefined)
  assert.deepEqual(verbs().slice(before), ['NBIRTH', 'DBIRTH', 'DBIRTH'])
  assert.equal(host.heard[before]!.payload.metrics[0].longValue, 0)
  for (const payload of [command(REBIRTH, false), command('Node Control/Reboot', true), Uint8Array.of(0x12, 0x50)])
    assert.match(node.command('spBv1.0/plant/NCMD/line-1', payload)!, /takes no command but/)
  assert.match(node.command('spBv1.0/plant/DCMD/line-1/agv-1', command(REBIRTH, true))!, /no commands to devices/)
  assert.equal(verbs().length, before + 3)
})

test('what the broker missed comes after the births as historical data, with the next bdSeq; the oldest go first', () => {
  const { host, node, until, verbs, lost } = run(ONE('[{id: hall-1, type: sensor, heartbeat: 1h}]'))
  const bdSeqOf = (payload: { metrics: { name: string; longValue: number }[] }): number =>
    payload.metrics.find(({ name }) => name === 'bdSeq')!.longValue
  assert.equal(bdSeqOf(decodeSparkplug(node.death.payload)), 0)
  node.connected()
  until(30)
  node.disconnected()
  node.disconnected() // a try that failed
  const before = verbs().length
  until(60)
  assert.equal(verbs().length, before)
  assert.equal(bdSeqOf(decodeSparkplug(node.death.payload)), 1)
  node.connected()
  assert.deepEqual(verbs().slice(before, before + 3), ['NBIRTH', 'DBIRTH', 'DDATA'])
  assert.equal(bdSeqOf(host.heard[before]!.payload), 1)
  assert.equal(host.historical.length, 60)
  assert.equal(lost.count, 0)
  node.disconnected()
  until(60 + 10_100)
  assert.equal(node.waiting, 10_000)
  assert.ok(lost.count > 90)
})

test('the same scenario and seed give the same bytes', () => {
  const bytes = (): string[] => {
    const scenario = readScenario(SMALL_PLANT, 'small-plant.yaml')
    const sent: string[] = []
    const node = new EdgeNode({
      group: 'g',
      node: 'n',
      devices: scenario.devices.flatMap(idsOf),
      startMs: START_MS,
      send: (topic, payload) => sent.push(`${topic} ${Buffer.from(payload).toString('hex')}`),
      lost: () => {},
    })
    node.connected()
    new Plant({ scenario, startMs: START_MS }).advance(START_MS + 60_000, (event) => node.take(event))
    return sent
  }
  assert.deepEqual(bytes(), bytes())
})

test('no cut of a command makes anything but no rebirth of it', () => {
  const whole = command(REBIRTH, true)
  assert.equal(asksForRebirth(whole), true)
  for (let end = 0; end < whole.length; end++) assert.equal(asksForRebirth(whole.subarray(0, end)), false)
})
