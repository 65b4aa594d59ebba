// The harness's command line.
//
//   npm run bench -- --case passthrough --sut millrace,otelcol --items 1000 --rate max --duration 20s

import { parseArgs } from 'node:util'
import { nearest } from '../src/config/nearest.ts'
import { tryDuration } from '../src/config/units.ts'
import type { BenchCase } from './case.ts'
import type { Encoding, Protocol } from './rig/load.ts'
import { ATTRIBUTES } from './rig/payloads.ts'
import type { Setting } from './run.ts'
import { KNOWN_SUTS } from './suts.ts'

/** A command line that cannot be followed; the message says what to write. */
export class UsageError extends Error {}

const FLAGS = {
  case: { type: 'string' },
  sut: { type: 'string' },
  items: { type: 'string' },
  attributes: { type: 'string' },
  rate: { type: 'string' },
  duration: { type: 'string' },
  'warm-up': { type: 'string' },
  compression: { type: 'string' },
  protocol: { type: 'string' },
  repeats: { type: 'string' },
  connections: { type: 'string' },
  'in-flight': { type: 'string' },
  profile: { type: 'boolean' },
  'print-config': { type: 'boolean' },
  out: { type: 'string' },
  add: { type: 'boolean' },
  list: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
  'no-save': { type: 'boolean' },
  // Of function cases.
  rounds: { type: 'string' },
  quick: { type: 'boolean' },
} as const
type Flag = keyof typeof FLAGS

const COMPRESSIONS: readonly Encoding[] = ['none', 'gzip', 'zstd']
const PROTOCOLS: readonly Protocol[] = ['grpc', 'http']
/** Flags that function cases know; every other one asks for the harness. */
const FUNCTION_FLAGS: readonly Flag[] = ['list', 'help', 'no-save', 'rounds', 'quick']

export const HELP = `Measures routers side by side, or single functions of Millrace.

  npm run bench -- --case NAMES [flags]   routers;  --list  names the cases
  npm run bench -- [REGEX]                functions whose names match

  --case A,B          what is measured; all means every case
  --sut A,B           who is measured: millrace, otelcol, or NAME=COMMAND for a program that is called with
                      --config FILE (default millrace,otelcol; by turns, in every repeat)
  --items N,N         items in a request (default: the case's)
  --attributes N      of each item, 4 at least (default: the case's, or 10)
  --rate max|N        items a second; max sends the next request when an answer comes (default: the case's)
  --duration 20s      of each run (default: the case's, or 10s), after --warm-up (3s)
  --repeats N         runs of each program, of which the median counts (default: the case's, or 3)
  --compression none|gzip|zstd   of both sides (default: the case's)
  --protocol grpc|http           of both sides (default: the case's)
  --connections N     of the load (default: the case's, or 1; over HTTP one for each request on its way)
  --in-flight N       requests on their way at most
  --profile           leaves a CPU profile of Millrace's shard in bench/results/*.cpuprofile; figures are not kept
  --print-config      prints the files that the programs would get, and runs nothing
  --out NAME          of the result file;  --add  adds rows to it, or replaces them;  --no-save  keeps none

  --rounds N, --quick     of functions
`

export type CommandLine =
  | { readonly kind: 'help' }
  | { readonly kind: 'list'; readonly pattern: string }
  | {
      readonly kind: 'functions'
      readonly pattern: string
      readonly rounds?: number
      readonly quick: boolean
      readonly save: boolean
    }
  | ({ readonly kind: 'harness' } & HarnessOptions)

export interface HarnessOptions {
  readonly cases: readonly string[]
  readonly suts: readonly string[]
  readonly items?: readonly number[]
  readonly attributes?: number
  /** Infinity: max. */
  readonly rate?: number
  readonly durationMs?: number
  readonly warmUpMs?: number
  readonly compression?: Encoding
  readonly protocol?: Protocol
  readonly repeats?: number
  readonly connections?: number
  readonly inFlight?: number
  readonly profile: boolean
  readonly printConfig: boolean
  readonly out?: string
  /** To the rows that the result file has. */
  readonly add: boolean
  readonly save: boolean
}

const LEAST_ATTRIBUTES = 4
const DEFAULT_WARM_UP_MS = 3_000
const DEFAULT_DURATION_MS = 10_000
export const DEFAULT_REPEATS = 3

export function parseCommandLine(args: readonly string[], caseNames: readonly string[]): CommandLine {
  for (const arg of args) {
    const name = /^--([^=]+)/.exec(arg)?.[1]
    if (name !== undefined && !(name in FLAGS))
      throw unknown(
        'flag',
        `--${name}`,
        Object.keys(FLAGS).map((flag) => `--${flag}`),
      )
  }
  let parsed: ReturnType<typeof parse>
  try {
    parsed = parse(args)
  } catch (error) {
    // The first sentence says what is wrong; the others are of parseArgs alone.
    throw new UsageError(`${(error as Error).message.split(/\.\s/, 1)[0]}; --help tells the flags`)
  }
  const { values, positionals } = parsed
  if (values.help === true) return { kind: 'help' }
  const given = Object.keys(values) as Flag[]
  const harness = given.some((flag) => !FUNCTION_FLAGS.includes(flag))
  if (harness && positionals.length > 0)
    throw new UsageError(`${positionals[0]} is no flag. For a case of routers write --case ${positionals[0]}`)
  if (positionals.length > 1) throw new UsageError(`one regular expression at most, not ${positionals.join(' ')}`)
  const pattern = regularExpression(positionals[0] ?? '')
  if (values.list === true) return { kind: 'list', pattern }
  if (!harness)
    return {
      kind: 'functions',
      pattern,
      quick: values.quick === true,
      save: values['no-save'] !== true,
      ...optional('rounds', values.rounds, (text) => whole('--rounds', text)),
    }
  for (const flag of ['rounds', 'quick'] as const)
    if (values[flag] !== undefined)
      throw new UsageError(`--${flag} is for functions; routers have --repeats and --duration`)
  return {
    kind: 'harness',
    cases: pickCases(values.case ?? 'passthrough', caseNames),
    suts: pickSuts(values.sut ?? KNOWN_SUTS.join(',')),
    profile: values.profile === true,
    printConfig: values['print-config'] === true,
    add: values.add === true,
    save: values['no-save'] !== true && values.profile !== true,
    ...optional('items', values.items, (text) => words(text).map((word) => whole('--items', word))),
    ...optional('attributes', values.attributes, attributes),
    ...optional('rate', values.rate, (text) => (text === 'max' ? Number.POSITIVE_INFINITY : whole('--rate', text))),
    ...optional('durationMs', values.duration, (text) => duration('--duration', text)),
    ...optional('warmUpMs', values['warm-up'], (text) => duration('--warm-up', text)),
    ...optional('compression', values.compression, (text) => oneOf('--compression', text, COMPRESSIONS)),
    ...optional('protocol', values.protocol, (text) => oneOf('--protocol', text, PROTOCOLS)),
    ...optional('repeats', values.repeats, (text) => whole('--repeats', text)),
    ...optional('connections', values.connections, (text) => whole('--connections', text)),
    ...optional('inFlight', values['in-flight'], (text) => whole('--in-flight', text)),
    ...optional('out', values.out, (text) => text.replace(/\.json$/, '')),
  }
}

const parse = (args: readonly string[]) => parseArgs({ args: [...args], allowPositionals: true, options: FLAGS })

const optional = <Key extends string, Value>(
  key: Key,
  text: string | undefined,
  read: (text: string) => Value,
): { [key in Key]?: Value } => (text === undefined ? {} : ({ [key]: read(text) } as { [key in Key]: Value }))

const words = (text: string): string[] => text.split(',').map((word) => word.trim())

function unknown(what: string, word: string, known: readonly string[]): UsageError {
  const near = nearest(word, known)
  const hint = near === undefined ? `write one of ${known.join(', ')}` : `did you mean ${near}?`
  return new UsageError(`there is no ${what} ${word}: ${hint}`)
}

function regularExpression(text: string): string {
  try {
    new RegExp(text)
    return text
  } catch (error) {
    throw new UsageError(`${(error as Error).message}; write a regular expression over names, for example '^check/'`)
  }
}

function oneOf<Word extends string>(flag: string, word: string, known: readonly Word[]): Word {
  if (known.includes(word as Word)) return word as Word
  throw unknown(flag, word, known)
}

export function whole(flag: string, text: string): number {
  const value = Number(text.replaceAll('_', ''))
  if (Number.isInteger(value) && value > 0) return value
  throw new UsageError(`${flag} ${text}: write a whole number above 0, for example ${flag} 1000`)
}

function attributes(text: string): number {
  const count = whole('--attributes', text)
  if (count < LEAST_ATTRIBUTES)
    throw new UsageError(`--attributes ${text}: the number of a request needs ${LEAST_ATTRIBUTES}`)
  return count
}

function duration(flag: string, text: string): number {
  const ms = /\d$/.test(text) ? undefined : tryDuration(text)
  if (ms === undefined || ms <= 0) throw new UsageError(`${flag} ${text}: write a duration, for example ${flag} 20s`)
  return ms
}

function pickCases(text: string, known: readonly string[]): string[] {
  if (text === 'all') return [...known]
  return words(text).map((word) => {
    if (known.includes(word)) return word
    throw unknown('case', word, known)
  })
}

export function pickSuts(text: string): string[] {
  const picked = words(text)
  const names = picked.map((word) => {
    const known: readonly string[] = KNOWN_SUTS
    if (/^[^=]+=.*\S/.test(word)) return word.split('=', 1)[0]!
    if (known.includes(word)) return word
    if (word.includes('='))
      throw new UsageError(`--sut ${word}: write NAME=COMMAND, for example --sut "old=node ../old/bin/millrace.js"`)
    const error = unknown('--sut', word, known)
    throw new UsageError(`${error.message} (for another program write ${word}=COMMAND)`)
  })
  const twice = names.find((name, index) => names.indexOf(name) !== index)
  if (twice !== undefined)
    throw new UsageError(`--sut ${text}: ${twice} stands there twice; write another NAME=COMMAND`)
  return picked
}

const MOST_IN_FLIGHT = 128
const LEAST_IN_FLIGHT = 16
const ITEMS_IN_FLIGHT = 16_000
/** An open loop sends what is due; only a router that has stopped to answer meets this bound. */
const OPEN_LOOP_IN_FLIGHT = 512

/** The rows of a case: with each of its variants, with each number of items. */
export function settingsOf(name: string, definition: BenchCase, options: HarnessOptions): Setting[] {
  const protocol = options.protocol ?? definition.protocol ?? 'grpc'
  const variants = Object.keys(definition.variants ?? { '': '' })
  return variants.flatMap((variant) =>
    (options.items ?? definition.items ?? [1000]).map((items) => {
      const rate = options.rate ?? definition.rate?.(items) ?? Number.POSITIVE_INFINITY
      const closedLoop = rate === Number.POSITIVE_INFINITY
      const input = definition.input ?? protocol
      const connections = options.connections ?? definition.connections ?? 1
      const inFlight = closedLoop
        ? Math.max(LEAST_IN_FLIGHT, Math.min(MOST_IN_FLIGHT, Math.floor(ITEMS_IN_FLIGHT / items)))
        : Math.min(OPEN_LOOP_IN_FLIGHT, Math.max(64, Math.floor(ITEMS_IN_FLIGHT / items)))
      return {
        case: name,
        variant,
        definition,
        signal: definition.signal ?? 'traces',
        input,
        output: definition.output ?? protocol,
        format: definition.format ?? 'protobuf',
        compression: options.compression ?? definition.compression ?? 'none',
        items,
        attributes: options.attributes ?? definition.attributes ?? ATTRIBUTES,
        ...(closedLoop ? {} : { rate }),
        ...(definition.sinkItemsPerSecond === undefined ? {} : { sinkItemsPerSecond: definition.sinkItemsPerSecond }),
        copies: definition.copies ?? 1,
        kept: definition.kept?.[variant] ?? 1,
        connections,
        // Over HTTP a connection has one request on its way.
        inFlight:
          options.inFlight ??
          (input === 'http' && options.connections !== undefined ? connections : Math.max(connections, inFlight)),
        durationMs: options.durationMs ?? definition.durationMs ?? DEFAULT_DURATION_MS,
        warmUpMs: options.warmUpMs ?? definition.warmUpMs ?? DEFAULT_WARM_UP_MS,
      }
    }),
  )
}
