// The flags of `millrace simulate`.

import { readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { ConfigError } from '../config/problem.ts'
import { tryDuration } from '../config/units.ts'
import { loadScenario, SPEED_FIX, START_FIX, trySpeed, tryStart } from '../plant/run.ts'
import type { Scenario } from '../plant/scenario.ts'
import { SMALL_PLANT } from '../plant/small-plant.ts'

export interface BrokerOptions {
  /** `mqtt://`, `mqtts://`, `ws://` or `wss://`. */
  readonly url: string
  /** `{device_id}` in it stands for the device. */
  readonly username?: string
  readonly password?: string
  readonly ca?: string
  readonly rejectUnauthorized: boolean
  readonly protocolVersion: 4 | 5
  readonly qos: 0 | 1 | 2
  /** Instead of one for each device. */
  readonly oneConnection: boolean
}

export interface SimulateOptions {
  readonly scenario: Scenario
  readonly seed: number
  readonly startMs: number
  /** Seconds of the plant in one second; Infinity: as fast as the broker takes it. */
  readonly speed: number
  /** Of the plant's time; Infinity: until it is stopped. */
  readonly durationMs: number
  /** Absent: messages are printed. */
  readonly broker?: BrokerOptions
  /** Group id of Sparkplug B; absent: JSON. */
  readonly sparkplugGroup?: string
  readonly truthFile?: string
  readonly reportEveryMs: number
}

/** A flag that cannot be followed; the message says what to write. */
export class SimulateUsageError extends Error {}

export const SIMULATE_HELP = `Let a plant of simulated devices publish to an MQTT broker.

Usage: millrace simulate [flags]

  --broker URL              mqtt:// (default mqtt://localhost:1883), mqtts://, ws:// or wss://
  --username, --password    {device_id} in the name stands for the device; also MILLRACE_MQTT_PASSWORD
  --ca-cert FILE            authority of the broker's certificate
  --insecure-skip-verify    do not check the certificate
  --format json|sparkplug   what is published (default json); sparkplug: Sparkplug B, an edge node for each line
  --group ID                group id of Sparkplug B (default plant)
  --mqtt 3.1.1|5            version to speak (default 3.1.1)
  --qos 0|1|2               default 1
  --one-connection          one for the whole plant, instead of one for each device
  --scenario FILE           the plant (default: a small one; --print-scenario prints it)
  --seed N                  instead of the scenario's: equal seeds repeat a run exactly
  --start TIME              the plant's time at the beginning, as 2026-01-05T06:00:00Z (default: now)
  --speed N|max             seconds of the plant in one second (default 1)
  --duration 10m            of the plant's time (default: until it is stopped)
  --truth FILE              what really happened, written at the end: OEE, breakdowns, readings that went wrong
  --print                   print each message as "topic payload" instead of publishing it
  --interval 10s            between lines of progress

Topics: devices/ID/data (as {"device_id", "timestamp", "metrics": [{"name", "value", "unit"}]}), devices/ID/status
(retained; the last will says Offline), devices/ID/heartbeat, orders/NUMBER/events, quality/ID/inspections.
Sparkplug: spBv1.0/GROUP/NBIRTH/LINE, .../DBIRTH/LINE/ID, .../DDATA/LINE/ID and so on, at QoS 0; a rebirth can be asked for.
`

const FLAGS = {
  broker: { type: 'string', default: 'mqtt://localhost:1883' },
  username: { type: 'string' },
  password: { type: 'string' },
  'ca-cert': { type: 'string' },
  'insecure-skip-verify': { type: 'boolean', default: false },
  format: { type: 'string', default: 'json' },
  group: { type: 'string', default: 'plant' },
  mqtt: { type: 'string', default: '3.1.1' },
  qos: { type: 'string', default: '1' },
  'one-connection': { type: 'boolean', default: false },
  scenario: { type: 'string' },
  'print-scenario': { type: 'boolean' },
  seed: { type: 'string' },
  start: { type: 'string' },
  speed: { type: 'string', default: '1' },
  duration: { type: 'string' },
  truth: { type: 'string' },
  print: { type: 'boolean', default: false },
  interval: { type: 'string', default: '10s' },
  help: { type: 'boolean', short: 'h' },
} as const

export type Surroundings = { readonly env: Readonly<Record<string, string | undefined>>; readonly nowMs: number }

/** A text is to be printed instead. Throws a SimulateUsageError. */
export function readSimulateOptions(argv: readonly string[], { env, nowMs }: Surroundings): SimulateOptions | string {
  const values = parse(argv)
  if (values.help === true) return SIMULATE_HELP
  if (values['print-scenario'] === true) return SMALL_PLANT
  const scenario = scenarioOf(values.scenario)
  const isSparkplug = oneOf('format', { json: false, sparkplug: true } as const, values.format)
  if (isSparkplug) checkSparkplug(values.group, scenario, values.print, values['one-connection'])
  const password = values.password ?? env.MILLRACE_MQTT_PASSWORD
  const ca = values['ca-cert'] === undefined ? undefined : fileOf('ca-cert', values['ca-cert'])
  return {
    scenario,
    seed: values.seed === undefined ? scenario.seed : wholeNumber('seed', values.seed),
    startMs:
      values.start === undefined
        ? Math.floor(nowMs / 1000) * 1000
        : required('start', values.start, tryStart(values.start), START_FIX),
    speed: required('speed', values.speed, trySpeed(values.speed), SPEED_FIX),
    durationMs: values.duration === undefined ? Number.POSITIVE_INFINITY : durationOf('duration', values.duration),
    ...(values.truth === undefined ? {} : { truthFile: values.truth }),
    reportEveryMs: durationOf('interval', values.interval),
    ...(isSparkplug ? { sparkplugGroup: values.group } : {}),
    ...(values.print
      ? {}
      : {
          broker: {
            url: brokerOf(values.broker),
            ...(values.username === undefined ? {} : { username: values.username }),
            ...(password === undefined ? {} : { password }),
            ...(ca === undefined ? {} : { ca }),
            rejectUnauthorized: !values['insecure-skip-verify'],
            protocolVersion: oneOf('mqtt', { '3.1.1': 4, '5': 5 } as const, values.mqtt),
            qos: oneOf('qos', { '0': 0, '1': 1, '2': 2 } as const, values.qos),
            oneConnection: values['one-connection'],
          },
        }),
  }
}

function parse(argv: readonly string[]) {
  try {
    return parseArgs({ args: [...argv], options: FLAGS, strict: true }).values
  } catch (error) {
    throw new SimulateUsageError((error as Error).message)
  }
}

function checkSparkplug(group: string, { devices }: Scenario, print: boolean, oneConnection: boolean): void {
  if (print) throw new SimulateUsageError('--print: Sparkplug is no text; leave out --format')
  if (oneConnection)
    throw new SimulateUsageError('--one-connection: an edge node of Sparkplug has a connection of its own')
  if (group === '' || /[/+#]/.test(group)) throw new SimulateUsageError(`--group ${group}: write a name without / + #`)
  for (const { line } of devices)
    if (line === '' || /[/+#]/.test(line))
      throw new SimulateUsageError(`--scenario: line "${line}" cannot be an edge node; write it without / + #`)
}

function fileOf(flag: string, path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    throw new SimulateUsageError(`--${flag}: ${(error as Error).message}`)
  }
}

function scenarioOf(path = ''): Scenario {
  try {
    return loadScenario(path)
  } catch (error) {
    const { message } = error as Error
    throw new SimulateUsageError(
      error instanceof ConfigError ? `the scenario cannot be followed\n${message}` : `--scenario: ${message}`,
    )
  }
}

function brokerOf(url: string): string {
  if (/^(mqtts?|wss?):\/\/[^/]+/.test(url) && URL.canParse(url)) return url
  throw new SimulateUsageError(`--broker ${url}: write for example mqtt://localhost:1883`)
}

function oneOf<const T extends Readonly<Record<string, unknown>>>(flag: string, words: T, word: string): T[keyof T] {
  if (Object.hasOwn(words, word)) return words[word] as T[keyof T]
  throw new SimulateUsageError(`--${flag} ${word}: write one of ${Object.keys(words).join(', ')}`)
}

function wholeNumber(flag: string, text: string): number {
  if (/^\d{1,15}$/.test(text)) return Number(text)
  throw new SimulateUsageError(`--${flag} ${text}: write a whole number`)
}

function required<T>(flag: string, text: string, value: T | undefined, fix: string): T {
  if (value !== undefined) return value
  throw new SimulateUsageError(`--${flag} ${text}: ${fix}`)
}

function durationOf(flag: string, text: string): number {
  const ms = tryDuration(text)
  if (ms !== undefined && ms > 0) return ms
  throw new SimulateUsageError(`--${flag} ${text}: write a duration, for example 90s or 10m`)
}
