// The keys of `include` and `exclude` (reference/otelcol-processors.md 3.1).

import {
  anyValue,
  bool,
  type Complain,
  choice,
  group,
  type Infer,
  int,
  list,
  object,
  section,
  string,
  strings,
} from '../config/schema.ts'
import { findPatternProblem } from './pattern.ts'

const attribute = object({
  key: string('key', { required: true, doc: 'The attribute.' }),
  value: anyValue('value', {
    optional: true,
    doc: 'Its value, of the same type, or a pattern that its text matches. Without it, being there is enough.',
  }),
})

const library = object({
  name: string('name', { default: '', doc: 'The name of the instrumentation scope.' }),
  version: string('version', { optional: true, doc: 'Its version. Without it, any.' }),
})

export const SPAN_KINDS = [
  'SPAN_KIND_UNSPECIFIED',
  'SPAN_KIND_INTERNAL',
  'SPAN_KIND_SERVER',
  'SPAN_KIND_CLIENT',
  'SPAN_KIND_PRODUCER',
  'SPAN_KIND_CONSUMER',
] as const

const KINDS_TO_NAME: readonly string[] = SPAN_KINDS.slice(1)

export const matchConfig = object(
  {
    matchType: choice('match_type', {
      required: true,
      of: {
        strict: 'Texts are compared as they stand.',
        regexp: 'Texts are regular expressions in the syntax of RE2, which may match anywhere.',
      },
      doc: 'How to compare.',
    }),
    regexp: group(
      'regexp',
      object({
        cacheEnabled: bool('cacheenabled', {
          default: false,
          doc: 'Remembers whether a text matched, for texts that come again and again.',
        }),
        cacheMaxEntries: int('cachemaxnumentries', {
          default: 0,
          min: 0,
          doc: 'How many answers each pattern remembers. 0 stands for 1000.',
        }),
      }),
      { doc: 'What helps regular expressions.' },
    ),
    services: strings('services', {
      default: [],
      doc: "Any of these is the resource's service.name. Only for spans.",
    }),
    spanNames: strings('span_names', { default: [], doc: "Any of these is the span's name." }),
    spanKinds: strings('span_kinds', { default: [], doc: "Any of these is the span's kind, as SPAN_KIND_SERVER." }),
    logBodies: strings('log_bodies', { default: [], doc: "Any of these is the log record's body, as text." }),
    logSeverityTexts: strings('log_severity_texts', {
      default: [],
      doc: "Any of these is the log record's severity text.",
    }),
    logSeverityNumber: section(
      'log_severity_number',
      object({
        min: int('min', { default: 0, min: 0, max: 24, doc: 'The least severity number that matches.' }),
        matchUndefined: bool('match_undefined', {
          default: false,
          doc: 'Whether a log record without a severity number matches.',
        }),
      }),
      { optional: 'none', doc: "The log record's severity number." },
    ),
    metricNames: strings('metric_names', { default: [], doc: "Any of these is the metric's name." }),
    attributes: list('attributes', attribute, { default: [], doc: 'All of these attributes are there.' }),
    resources: list('resources', attribute, {
      default: [],
      doc: 'All of these are attributes of the resource. No effect on metrics.',
    }),
    libraries: list('libraries', library, { default: [], doc: 'All of these are the instrumentation scope.' }),
  },
  {
    check: (value, problem) =>
      value.matchType === 'regexp' ? checkPatterns(value, problem) : checkKinds(value, problem),
  },
)

export type MatchConfig = Infer<typeof matchConfig>

interface Checked {
  readonly spanKinds: readonly string[]
  readonly attributes: MatchConfig['attributes']
  readonly resources: MatchConfig['resources']
  readonly libraries: MatchConfig['libraries']
  readonly [texts: string]: unknown
}

/** Of `strict`. Unspecified is no kind that the Collector takes here. */
function checkKinds(value: Checked, problem: Complain): void {
  for (const [i, kind] of value.spanKinds.entries()) {
    if (!KINDS_TO_NAME.includes(kind))
      problem(
        `span_kinds[${i}]`,
        `${JSON.stringify(kind)} is no kind of span`,
        `write one of ${KINDS_TO_NAME.join(', ')}`,
      )
  }
}

const TEXT_KEYS = {
  services: 'services',
  spanNames: 'span_names',
  spanKinds: 'span_kinds',
  logBodies: 'log_bodies',
  logSeverityTexts: 'log_severity_texts',
  metricNames: 'metric_names',
} as const

function checkPatterns(value: Checked, problem: Complain): void {
  const check = (path: string, pattern: string): void => {
    const wrong = findPatternProblem(pattern)
    if (wrong !== undefined) problem(path, wrong, 'write a regular expression in the syntax of RE2')
  }
  for (const [name, key] of Object.entries(TEXT_KEYS))
    for (const [i, pattern] of (value[name] as readonly string[]).entries()) check(`${key}[${i}]`, pattern)
  for (const key of ['attributes', 'resources'] as const) {
    for (const [i, { value: pattern }] of value[key].entries()) {
      if (typeof pattern === 'string') check(`${key}[${i}].value`, pattern)
      else if (pattern !== undefined && pattern !== null)
        problem(`${key}[${i}].value`, 'with match_type regexp a value is a pattern', 'write a text')
    }
  }
  for (const [i, { name, version }] of value.libraries.entries()) {
    check(`libraries[${i}].name`, name)
    if (version !== undefined) check(`libraries[${i}].version`, version)
  }
}

const RULES: Readonly<
  Record<'traces' | 'metrics' | 'logs', { readonly takes: readonly string[]; readonly refuses: readonly string[] }>
> = {
  traces: {
    takes: ['services', 'span_names', 'span_kinds', 'attributes', 'resources', 'libraries'],
    refuses: ['log_bodies', 'log_severity_texts', 'log_severity_number', 'metric_names'],
  },
  logs: {
    takes: ['log_bodies', 'log_severity_texts', 'log_severity_number', 'attributes', 'resources', 'libraries'],
    refuses: ['services', 'span_names', 'span_kinds', 'metric_names'],
  },
  // Resources are let pass and have no effect, as in the Collector.
  metrics: {
    takes: ['metric_names', 'resources'],
    refuses: [
      'services',
      'span_names',
      'span_kinds',
      'log_bodies',
      'log_severity_texts',
      'log_severity_number',
      'attributes',
      'libraries',
    ],
  },
}

/** What is wrong with the rules for one signal. */
export function findMatchProblem(config: MatchConfig, signal: 'traces' | 'metrics' | 'logs'): string | undefined {
  const given = givenKeys(config)
  const rules = RULES[signal]
  const wrong = rules.refuses.filter((key) => given.has(key))
  if (wrong.length > 0) return `${wrong.join(' and ')} cannot be asked of ${signal}`
  return rules.takes.some((key) => given.has(key)) ? undefined : `${signal} need one of ${rules.takes.join(', ')}`
}

function givenKeys(config: MatchConfig): Set<string> {
  const given = new Set<string>()
  for (const [name, key] of Object.entries(TEXT_KEYS))
    if (config[name as keyof typeof TEXT_KEYS].length > 0) given.add(key)
  for (const key of ['attributes', 'resources', 'libraries'] as const) if (config[key].length > 0) given.add(key)
  if (config.logSeverityNumber !== undefined) given.add('log_severity_number')
  return given
}
