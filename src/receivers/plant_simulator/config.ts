// The configuration of `plant_simulator`.

import { type Complain, custom, duration, group, type Infer, int, list, object, string } from '../../config/schema.ts'
import { INVALID, stringType, type ValueType } from '../../config/types.ts'
import { SPEED_FIX, START_FIX, trySpeed, tryStart } from '../../plant/run.ts'
import { checkIds, type DeviceSpec, deviceSchema } from '../../plant/scenario.ts'

/** Infinity is written `max`. */
const speedType: ValueType<number> = {
  words: 'number or `max`',
  secret: false,
  decode(node, at) {
    const text =
      node.kind === 'scalar' && typeof node.value === 'number' ? String(node.value) : stringType.decode(node, at)
    if (text === INVALID) return INVALID
    const speed = trySpeed(text)
    return speed ?? at.problem('CONFIG_INVALID', `"${text}" is no speed`, SPEED_FIX, node.place)
  },
  print: (speed) => (Number.isFinite(speed) ? speed : 'max'),
  json: () => ({ anyOf: [{ type: 'number', exclusiveMinimum: 0 }, { type: 'string' }] }),
  zero: () => 1,
}

export const config = object(
  {
    scenario: string('scenario', {
      default: '',
      doc: 'File with the scenario, as docs/simulator.md has it. Empty: a small plant of two lines.',
    }),
    devices: list('devices', deviceSchema, {
      default: [],
      doc: "Devices as in a scenario, instead of the scenario's.",
    }),
    seed: int('seed', {
      optional: true,
      min: 0,
      doc: "Instead of the scenario's: equal seeds and starts repeat a run exactly.",
    }),
    start: string('start', {
      default: '',
      doc: "The plant's time at the beginning, as 2026-01-05T06:00:00Z. Empty: now.",
    }),
    speed: custom('speed', speedType, {
      default: 1,
      doc: 'Seconds of the plant in one second, or `max`: as fast as the pipelines take it.',
    }),
    durationMs: duration('duration', {
      default: '0s',
      min: '0s',
      doc: "Of the plant's time; then it is silent. 0: for ever.",
    }),
    groundTruth: string('ground_truth', {
      default: '',
      doc: 'File for what really happened (OEE, breakdowns, readings that went wrong), written at the end. Empty: none.',
    }),
    retry: group(
      'retry',
      object({
        initialMs: duration('initial_interval', { default: '100ms', min: '1ms', doc: 'Before the first try.' }),
        maxMs: duration('max_interval', { default: '5s', min: '1ms', doc: 'The wait doubles up to this.' }),
      }),
      { doc: "Waits before what a pipeline refused for now is sent to it again; the plant's time waits, too." },
    ),
  },
  { check },
)

export type PlantSimulatorConfig = Infer<typeof config>

function check({ start, devices }: { start: string; devices: readonly DeviceSpec[] }, problem: Complain): void {
  if (start !== '' && tryStart(start) === undefined) problem('start', `"${start}" is no time`, START_FIX)
  checkIds(devices, problem)
}
