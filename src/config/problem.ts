// What is wrong with a configuration: where, what was found, what to write. Every problem is gathered, none is thrown
// before all are known.

import type { Place, Source } from './node.ts'
import { maskUrlPasswords, REDACTED, URL_PASSWORD } from './secret.ts'

/** Every code with its meaning; docs/reference/config-problems.md is generated from this list. */
export const CODES = {
  CONFIG_SYNTAX: 'The text is not YAML.',
  CONFIG_DUPLICATE: 'The same key, id or name stands twice where it may stand once.',
  CONFIG_SOURCE: 'A configuration source cannot be read or holds no map.',
  CONFIG_SCHEME: 'A source or reference has a scheme that does not exist here.',
  CONFIG_REFERENCE: 'A `${...}` reference cannot be resolved.',
  CONFIG_TOO_LARGE: 'A bound on sources, aliases, depth or expansion is exceeded.',
  CONFIG_UNKNOWN_KEY: 'The key does not exist at this place.',
  CONFIG_WRONG_TYPE: 'The value has another type than the key takes.',
  CONFIG_NO_UNIT: 'A number needs a unit.',
  CONFIG_OUT_OF_RANGE: 'The value is outside the allowed range.',
  CONFIG_UNKNOWN_CHOICE: 'The value is none of the allowed words.',
  CONFIG_MISSING: 'A key without a default is missing or empty.',
  CONFIG_INVALID: 'The value breaks a rule of this component.',
  CONFIG_BAD_ID: 'A component or pipeline id is not of the form type/name.',
  CONFIG_UNKNOWN_TYPE: 'No component has this type.',
  CONFIG_UNAVAILABLE_TYPE: 'The Collector has this component and Millrace does not have it yet.',
  CONFIG_UNDECLARED: 'A pipeline, the service or a component names a component that is not declared or does not run.',
  CONFIG_WRONG_EXTENSION: 'A component names an extension that cannot do what it is named for.',
  CONFIG_AMBIGUOUS_ID: 'A connector has the id of a receiver or exporter.',
  CONFIG_EMPTY: 'The configuration, a section or a pipeline lacks what it needs to do anything.',
  GRAPH_SIGNAL: 'A component stands in a pipeline of a signal that it does not support.',
  GRAPH_CONNECTOR: 'A connector is used on one of its ends only, or between signals that it cannot join.',
  GRAPH_CYCLE: 'Pipelines feed each other in a circle.',
  CONFIG_ALIAS: 'Warning: an old spelling of a type or key is used.',
  CONFIG_REMOVED: 'Warning: something that the Collector removed is used; its successor was taken.',
  CONFIG_DEFAULTED: 'Warning: something named but not declared was taken with its defaults.',
  CONFIG_UNSET: 'Warning: a referenced environment variable is not set.',
  CONFIG_EMPTY_VALUE: 'Notice: a referenced environment variable is empty.',
  CONFIG_GATED: 'Warning: something that the Collector hides behind a feature gate is used without it.',
  CONFIG_IGNORED: 'Warning: a part of a file is not read.',
  CONFIG_UNKNOWN_GATE: 'Warning: no feature gate has this id.',
} as const

export type ProblemCode = keyof typeof CODES

export interface Problem {
  readonly code: ProblemCode
  /** Keys joined by dots, as `processors.batch/2.timeout`; empty for the whole. */
  readonly path: string
  readonly what: string
  /** What to write instead. */
  readonly fix?: string
  /** Absent where nothing was written that could be pointed at, for example a command line. */
  readonly place?: Place
}

/** Carries problems through code that can only throw, such as a component's create(). */
export class ConfigError extends Error {
  readonly problems: readonly Problem[]

  constructor(problems: readonly Problem[]) {
    super(problems.map(formatProblem).join('\n'))
    this.name = 'ConfigError'
    this.problems = problems
  }
}

/** Longest quoted line in characters; a longer one is cut around the caret. */
const MAX_LINE_LENGTH = 160

/**
 *     configs/line-3.yaml:5:20: CONFIG_NO_UNIT processors.enrich.refresh_every: 200 has no unit
 *       5 |     refresh_every: 200
 *         |                    ^^^
 *       fix: write a duration from 1s to 1d, for example 5m (the default)
 */
export function formatProblem(problem: Problem): string {
  const head = `${problem.code}${problem.path === '' ? '' : ` ${problem.path}`}: ${maskUrlPasswords(problem.what)}`
  const fix = problem.fix === undefined ? [] : [`  fix: ${maskUrlPasswords(problem.fix)}`]
  const { place } = problem
  if (place === undefined) return [head, ...fix].join('\n')
  const { line, column } = place.source.position(place.start)
  const quoted = place.source.text === '' ? [] : quoteLine(place, line)
  return [`${place.source.name}:${line}:${column}: ${head}`, ...quoted, ...fix].join('\n')
}

/**
 * Problems without a place first, then in the order of `sources` and of their texts. One mistake is one problem, also
 * where an alias repeats it under other paths.
 */
export function sortProblems(problems: readonly Problem[], sources: readonly Source[] = []): Problem[] {
  const order = new Map(sources.map((source, index) => [source, index]))
  for (const { place } of problems) {
    if (place === undefined || order.has(place.source)) continue
    // What is read twice, through two references, is one text to its author.
    const { name, text } = place.source
    const same = [...order.keys()].find((source) => source.name === name && source.text === text)
    order.set(place.source, same === undefined ? order.size : order.get(same)!)
  }
  const rank = ({ place }: Problem): number => (place === undefined ? -1 : order.get(place.source)!)
  const seen = new Set<string>()
  const unique = problems.filter((problem) => {
    const { code, path, what, place } = problem
    const key = JSON.stringify([code, place === undefined ? path : '', what, rank(problem), place?.start])
    return seen.has(key) ? false : seen.add(key)
  })
  return unique.toSorted((a, b) => rank(a) - rank(b) || (a.place?.start ?? 0) - (b.place?.start ?? 0))
}

function quoteLine(place: Place, line: number): string[] {
  const { source } = place
  const lineStart = source.lineStarts[line - 1]!
  let lineEnd = source.text.indexOf('\n', lineStart)
  if (lineEnd < 0) lineEnd = source.text.length
  if (source.text[lineEnd - 1] === '\r') lineEnd--
  const masked = maskLine(source, lineStart, lineEnd)
  let from = masked.offset(place.start)
  const to = Math.max(from + 1, masked.offset(Math.min(place.end, lineEnd)))
  let { text } = masked
  let width = to - from
  if (text.length > MAX_LINE_LENGTH) {
    const start = Math.max(0, Math.min(from - 40, text.length - MAX_LINE_LENGTH))
    const end = Math.min(text.length, start + MAX_LINE_LENGTH)
    width = Math.max(1, Math.min(width, end - from))
    text = `${start > 0 ? '...' : ''}${text.slice(start, end)}${end < text.length ? '...' : ''}`
    from = from - start + (start > 0 ? 3 : 0)
  }
  // A tab before the caret stays a tab, so that the caret stands under its character whatever a tab is worth.
  const indent = text.slice(0, from).replaceAll(/[^\t]/g, ' ')
  const number = String(line)
  return [`  ${number} | ${text}`, `  ${' '.repeat(number.length)} | ${indent}${'^'.repeat(width)}`]
}

/** Keys whose value is masked even where no schema says that it is secret: in a broken text no schema was asked. */
const SECRET_KEY =
  /(?:password|passwd|passphrase|secret|token|api[-_]?key|authorization|credentials?|private[-_]?key|key_pem)["']?\s*[:=]\s*(\S.*)$/i

function maskLine(source: Source, start: number, end: number): { text: string; offset: (at: number) => number } {
  const ranges = source.secrets.filter((range) => range.start < end && range.end > start)
  const line = source.text.slice(start, end)
  const guess = SECRET_KEY.exec(line)
  const shown = guess?.[1]
  // A reference is no secret; what it stands for is, and is not shown here.
  if (shown !== undefined && !shown.startsWith('${') && ranges.length === 0) {
    const at = end - shown.length
    ranges.push({ start: at, end })
  }
  for (const found of line.matchAll(URL_PASSWORD)) {
    const from = start + found.index + found[1]!.length
    const to = from + found[2]!.length
    if (ranges.every((range) => range.end <= from || range.start >= to)) ranges.push({ start: from, end: to })
  }
  ranges.sort((a, b) => a.start - b.start)
  let text = ''
  let at = start
  const shifts: { from: number; to: number; at: number }[] = []
  for (const range of ranges) {
    const from = Math.max(range.start, start)
    const to = Math.min(range.end, end)
    text += source.text.slice(at, from)
    shifts.push({ from, to, at: text.length })
    text += REDACTED
    at = to
  }
  text += source.text.slice(at, end)
  const offset = (position: number): number => {
    let shift = -start
    for (const { from, to, at: masked } of shifts) {
      if (position <= from) break
      if (position < to) return masked
      shift = masked + REDACTED.length - to
    }
    return position + shift
  }
  return { text, offset }
}
