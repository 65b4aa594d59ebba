// A scenario file: the devices of a plant, how well they run, and what happens when.

import { Source } from '../config/node.ts'
import { parseYaml } from '../config/parse.ts'
import { ConfigError, type Problem } from '../config/problem.ts'
import {
  type Complain,
  choice,
  type Decoded,
  duration,
  float,
  group,
  int,
  list,
  object,
  string,
} from '../config/schema.ts'
import { At } from '../config/types.ts'
import { tryTimeOfDay } from './calendar.ts'

const span = object({
  name: string('name', { default: '', doc: 'Its name, for example early.' }),
  from: string('from', { required: true, doc: 'Time of day in UTC, HH:MM.' }),
  to: string('to', { required: true, doc: 'Time of day in UTC, HH:MM; it may be past midnight.' }),
})

const product = object({
  code: string('code', { required: true, doc: 'Product code.' }),
  cycleMs: duration('cycle', { required: true, min: '100ms', max: '24h', doc: 'Ideal time for one piece.' }),
  scrap: float('scrap', { default: 0.02, min: 0, max: 1, doc: 'Share of pieces that are no good.' }),
})

export const DEVICE_TYPES = {
  cnc: 'A machine tool: makes pieces; spindle temperature, speed, vibration, power.',
  robot: 'A welding or handling robot: makes pieces; joint temperature, motor current, power.',
  plc: "A line's controller: pieces of the line, its speed, pressure.",
  conveyor: 'Belt speed, motor current, pieces of its line.',
  agv: 'A vehicle: battery, speed, distance, trips.',
  sensor: 'Temperature and humidity of the hall.',
  meter: "A line's energy meter: power, energy, voltage, current.",
} as const
export type DeviceType = keyof typeof DEVICE_TYPES

/** One entry of `devices`. */
export const deviceSchema = object({
  id: string('id', { required: true, doc: 'Device id; with `count`, -01, -02 and so on are added.' }),
  type: choice('type', { default: 'cnc', of: DEVICE_TYPES, doc: 'What it is.' }),
  count: int('count', { default: 1, min: 1, max: 10_000, doc: 'So many of them.' }),
  line: string('line', { default: 'line-1', doc: 'The line it stands in.' }),
  everyMs: duration('every', { default: '1s', min: '10ms', max: '1h', doc: 'Time between two messages with data.' }),
  heartbeatMs: duration('heartbeat', { default: '10s', min: '100ms', doc: 'Time between two heartbeats.' }),
  warmUpMs: duration('warm_up', {
    default: '3m',
    min: '1s',
    doc: 'Time in which it gets two thirds of the way to its heat.',
  }),
  faultsPerHour: float('faults_per_hour', { default: 0, min: 0, doc: 'Breakdowns by chance.' }),
  faultMs: duration('fault_lasts', { default: '3m', min: '1s', doc: 'How long they last, in the mean.' }),
  microStopsPerHour: float('micro_stops_per_hour', { default: 0, min: 0, doc: 'Short stops by chance.' }),
  microStopMs: duration('micro_stop_lasts', { default: '15s', min: '1s', doc: 'How long they last, in the mean.' }),
  anomaliesPerHour: float('anomalies_per_hour', {
    default: 0,
    min: 0,
    doc: 'Readings that go wrong by chance: spikes, drifts, stuck values.',
  }),
  disconnectsPerHour: float('disconnects_per_hour', { default: 0, min: 0, doc: 'Losses of the connection by chance.' }),
  disconnectMs: duration('disconnect_lasts', { default: '20s', min: '1s', doc: 'How long they last, in the mean.' }),
  speedLoss: float('speed_loss', {
    default: 0.05,
    min: 0,
    max: 5,
    doc: 'How much longer than ideal a cycle takes, in the mean.',
  }),
  clockSkewMs: duration('clock_skew', {
    default: '0s',
    min: '-876000h',
    doc: 'How far its clock is ahead; behind with a minus.',
  }),
  buffer: int('buffer', {
    default: 1000,
    min: 0,
    doc: 'Messages that it keeps while it is not connected; the oldest go first.',
  }),
})

export const EVENT_KINDS = {
  fault: 'It breaks down.',
  micro_stop: 'It stands still for a moment.',
  maintenance: 'It is serviced.',
  slow: 'It runs, and each cycle takes longer by the factor `by`.',
  scrap: 'The share `by` of its pieces is no good.',
  spike: 'Single readings of `metric` are higher by `by`.',
  drift: '`metric` rises by `by` in that time, and falls back.',
  stuck: '`metric` keeps its last value.',
  disconnect: 'Its connection is gone; what it would have sent comes afterwards, with its old times.',
  clock_skew: 'Its clock is ahead by `by` seconds.',
} as const
export type EventKind = keyof typeof EVENT_KINDS

const event = object({
  atMs: duration('at', { required: true, min: '0s', doc: 'From the start on.' }),
  device: string('device', { required: true, doc: 'Device id.' }),
  kind: choice('kind', { default: 'fault', of: EVENT_KINDS, doc: 'What happens.' }),
  forMs: duration('for', { default: '1m', min: '1s', doc: 'How long.' }),
  metric: string('metric', { default: '', doc: 'The reading that goes wrong.' }),
  by: float('by', { default: 1, doc: 'How much.' }),
  reason: string('reason', { default: '', doc: 'What the device says about it.' }),
})

const fields = {
  seed: int('seed', { default: 1, min: 0, doc: 'Equal seeds repeat a run exactly.' }),
  shifts: list('shifts', span, { default: [], doc: 'When production is planned; none: always.' }),
  breaks: list('breaks', span, { default: [], doc: 'When it is not, within shifts.' }),
  products: list('products', product, {
    default: [{ code: 'part', cycle: '10s' }],
    doc: 'What is made; orders take them in turn.',
  }),
  orders: group(
    'orders',
    object({
      quantity: int('quantity', { default: 50, min: 1, doc: 'Pieces of an order.' }),
      changeoverMs: duration('changeover', { default: '1m', min: '0s', doc: 'Setting up between two products.' }),
    }),
    { doc: 'Work orders: each machine that makes pieces has one at a time.' },
  ),
  devices: list('devices', deviceSchema, { required: true, doc: 'The devices.' }),
  events: list('events', event, { default: [], doc: 'What happens when, whatever chance has in store.' }),
}

export const scenarioSchema = object(fields, { check })
export type Scenario = Decoded<typeof fields>
export type ProductSpec = Scenario['products'][number]
export type DeviceSpec = Scenario['devices'][number]
export type EventSpec = Scenario['events'][number]

const METRIC_KINDS: ReadonlySet<EventKind> = new Set(['spike', 'drift', 'stuck'])

function check(scenario: Scenario, problem: Complain): void {
  for (const key of ['shifts', 'breaks'] as const)
    for (const [at, one] of scenario[key].entries())
      for (const end of ['from', 'to'] as const)
        if (tryTimeOfDay(one[end]) === undefined)
          problem(`${key}[${at}].${end}`, `"${one[end]}" is no time of day`, 'write HH:MM, for example 06:00')
  if (scenario.products.length === 0)
    problem('products', 'there is nothing to make', 'add a product, or remove products')
  const ids = checkIds(scenario.devices, problem)
  for (const [at, one] of scenario.events.entries()) {
    if (!ids.has(one.device))
      problem(
        `events[${at}].device`,
        `there is no device "${one.device}"`,
        `write one of ${[...ids].slice(0, 8).join(', ')}`,
      )
    if (METRIC_KINDS.has(one.kind) && one.metric === '')
      problem(`events[${at}].kind`, `${one.kind} needs a metric`, 'add metric, for example metric: temperature')
  }
}

/** Complains of ids that stand twice or cannot be used; returns all of them. */
export function checkIds(devices: readonly DeviceSpec[], problem: Complain): ReadonlySet<string> {
  const ids = new Set<string>()
  for (const [at, one] of devices.entries())
    for (const id of idsOf(one)) {
      if (ids.has(id)) problem(`devices[${at}].id`, `device "${id}" stands here twice`, 'give it another id')
      if (/[/+#]/.test(id)) problem(`devices[${at}].id`, `"${id}" cannot stand in a topic`, 'write it without / + #')
      ids.add(id)
    }
  return ids
}

/** The scenario with other devices, and of its events those that are still about one. */
export function withDevices(scenario: Scenario, devices: readonly DeviceSpec[]): Scenario {
  const ids = new Set(devices.flatMap(idsOf))
  return { ...scenario, devices: [...devices], events: scenario.events.filter(({ device }) => ids.has(device)) }
}

/** The ids of a device entry: its own, or one for each of `count`. */
export function idsOf({ id, count }: Pick<DeviceSpec, 'id' | 'count'>): string[] {
  if (count === 1) return [id]
  const digits = Math.max(2, String(count).length)
  return Array.from({ length: count }, (_, at) => `${id}-${String(at + 1).padStart(digits, '0')}`)
}

/** Reads a scenario. Throws a ConfigError with every problem, each with its place in the file. */
export function readScenario(text: string, name: string): Scenario {
  const source = new Source(name, text)
  const { node, problems } = parseYaml(source)
  if (problems.length > 0) throw new ConfigError(problems)
  const found: Problem[] = []
  const scenario = scenarioSchema.decode(node, new At('', { source, start: 0, end: 0 }, found))
  if (found.length > 0) throw new ConfigError(found)
  return scenario
}
