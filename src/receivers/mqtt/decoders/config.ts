// The keys of a rule that say how its payloads are read.

import {
  bool,
  choice,
  duration,
  float,
  group,
  type Infer,
  list,
  map,
  object,
  section,
  string,
} from '../../../config/schema.ts'
import { TIME_UNITS } from '../../../readings/timestamps.ts'
import { isZone } from '../../../readings/zone.ts'
import { parsePath } from './path.ts'

export const timeConfig = object(
  {
    zone: string('zone', {
      default: 'UTC',
      doc: 'The time zone of times that are written without one, by its IANA name, such as `Europe/Berlin`.',
    }),
    unit: choice('unit', { default: 'auto', of: TIME_UNITS, doc: 'What a time counts that is written as a number.' }),
    futureMaxMs: duration('future_limit', {
      default: '10m',
      doc: 'A time further ahead of its receipt is counted as a wrong clock, and the time of receipt taken; 0 for no limit.',
    }),
    pastMaxMs: duration('past_limit', {
      default: '7d',
      doc: 'The same for a time further behind its receipt. Devices that buffer for longer need a longer limit.',
    }),
  },
  {
    check({ zone }, problem) {
      if (!isZone(zone)) problem('zone', `there is no time zone ${zone}`, 'write an IANA name, such as Europe/Berlin')
    },
  },
)

const KINDS = {
  gauge: 'A value that goes up and down, such as a temperature.',
  counter: 'A count that only grows or begins anew, such as parts or kilowatt-hours.',
  level: 'A count that goes up and down, such as a stock.',
  delta: 'What was counted since the reading before.',
} as const

const fieldConfig = object({
  path: string('path', { required: true, doc: 'Where the value is.' }),
  name: string('name', { optional: true, doc: 'The name of the metric; the path where it is not given.' }),
  unit: string('unit', { default: '', doc: 'The unit, as the plant writes it.' }),
  kind: choice('kind', {
    optional: true,
    of: KINDS,
    doc: 'What the metric is; as the rule says where it is not given.',
  }),
  scale: float('scale', { default: 1, doc: 'The value is multiplied by this.' }),
  offset: float('offset', { default: 0, doc: 'And then this is added.' }),
})

export const pathsConfig = object(
  {
    points: string('points', {
      optional: true,
      doc: 'Where the points are: a list or an object of them, or a path with `*` for each of several. Paths below are from a point; those that begin with `$` from the root.',
    }),
    name: string('name', {
      optional: true,
      doc: "Where a point's name is; `@key` is the name under which the point stands. Absent: the topic's.",
    }),
    value: string('value', { optional: true, doc: 'Where its value is; absent: the point is the value.' }),
    unit: string('unit', { optional: true, doc: 'Where its unit is.' }),
    time: string('time', { optional: true, doc: 'Where its time is.' }),
    quality: string('quality', {
      optional: true,
      doc: 'Where its quality is: true or false, GOOD, UNCERTAIN or BAD, an OPC status code, or 0, 192 and 500.',
    }),
    device: string('device', { optional: true, doc: 'Where the device is named.' }),
    defaultUnit: string('default_unit', {
      default: '',
      doc: 'The unit of points that name none, as the plant writes it.',
    }),
    numbersInText: bool('numbers_in_text', { default: false, doc: 'A text such as "12.5" is a number.' }),
    fields: list('fields', fieldConfig, { default: [], doc: 'Single values by their paths, instead of points.' }),
  },
  {
    check(value, problem) {
      for (const key of ['points', 'name', 'value', 'unit', 'time', 'quality', 'device'] as const) {
        const text = value[key]
        if (text === undefined || text === '@key') continue
        const wrong = parsePath(text)
        if (typeof wrong === 'string')
          problem(key, wrong, "write names with dots between them, such as data.points[0]['a b']")
      }
      for (const [i, { path }] of value.fields.entries()) {
        const wrong = parsePath(path)
        if (typeof wrong === 'string') problem(`fields[${i}].path`, wrong, 'write names with dots between them')
      }
      if (value.points !== undefined && value.fields.length > 0)
        problem('fields', 'points and fields are two ways to say one thing', 'keep one of them')
    },
  },
)
export type PathsConfig = Infer<typeof pathsConfig>

/** Of every rule. */
export const payloadFields = {
  time: group('time', timeConfig, { doc: 'How times in payloads are read.' }),
  words: map('words', float.of(), {
    default: {},
    doc: 'Numbers for texts, such as `RUNNING: 1`. A text that has none is a log record.',
  }),
  paths: section('json', pathsConfig, {
    optional: 'none',
    doc: 'For the decoder `json`: where everything is. Absent: every number is a reading, named by its path.',
  }),
}
