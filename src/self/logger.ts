// Log lines as the Collector's zap logger writes them (Collector reference 6.2).
//
//   console   2026-01-01T00:00:00.000Z<TAB>info<TAB>otlp/otlp.ts:40<TAB>message<TAB>{"resource": {...}, "key": "value"}
//   json      {"level":"info","ts":"2026-01-01T00:00:00.000Z","caller":"otlp/otlp.ts:40","msg":"message","resource":{...}}
//
// Lines are written synchronously to file descriptors, so that a worker thread that dies or a process that exits has
// lost none. What cannot be written is counted and said once on error_output_paths.

import type { Clock } from '../graph/clock.ts'
import type { ComponentKind } from '../graph/component.ts'
import { callerOf } from './caller.ts'
import type { LogsConfig } from './config.ts'
import { LineSink } from './line-sink.ts'
import type { LogFields, Logger, LogLevel } from './log.ts'
import { LogSampler } from './log-sampler.ts'
import type { Labels } from './meter.ts'

export interface LoggerOptions {
  readonly clock: Clock
  /** From resourceAttributes(); one for the whole process. */
  readonly resource: Labels
  /** Where lines go instead of the configured paths; for tests. */
  readonly write?: (line: string) => void
}

export interface RootLogger extends Logger {
  /**
   * Writes as another configuration says from here on, and so does every logger made of this one. Throws when a file
   * cannot be opened; then nothing has changed.
   */
  reconfigure(config: LogsConfig, resource: Labels): void
  /** Closes the files that were opened; lines after it go nowhere. */
  close(): void
}

const RANK: Readonly<Record<string, number>> = { debug: 0, info: 1, warn: 2, error: 3 }

export function createLogger(config: LogsConfig, options: LoggerOptions): RootLogger {
  const open = ({ outputPaths, errorOutputPaths }: LogsConfig): LineSink | undefined =>
    options.write === undefined ? LineSink.open(outputPaths, errorOutputPaths) : undefined
  let sink = open(config)
  const write = options.write ?? ((line: string) => sink?.write(line))
  const core = new Core(config, options.resource, options.clock, write)
  return {
    ...makeLogger(core, []),
    reconfigure(next, resource) {
      const before = sink
      sink = open(next)
      before?.close()
      core.configure(next, resource)
    },
    close: () => sink?.close(),
  }
}

/** The fields that tell whose line it is, named as the Collector names them. */
export function componentFields(kind: ComponentKind, id: string, signal?: string, pipeline?: string): LogFields {
  return {
    'otelcol.component.id': id,
    'otelcol.component.kind': kind,
    ...(pipeline === undefined ? {} : { 'otelcol.pipeline.id': pipeline }),
    ...(signal === undefined ? {} : { 'otelcol.signal': signal }),
  }
}

type Fields = readonly (readonly [name: string, value: unknown])[]

/** What all loggers of one root share. */
class Core {
  readonly clock: Clock
  readonly write: (line: string) => void
  least = 0
  json = false
  caller = true
  sampler: LogSampler | undefined
  /** Of every line. */
  fields: Fields = []
  /** Changes with the form of lines: what was encoded before is of no use then. */
  version = 0

  constructor(config: LogsConfig, resource: Labels, clock: Clock, write: (line: string) => void) {
    this.clock = clock
    this.write = write
    this.configure(config, resource)
  }

  configure(config: LogsConfig, resource: Labels): void {
    // dpanic, panic and fatal are above everything that a component can say.
    this.least = RANK[config.level] ?? 4
    this.json = config.encoding === 'json'
    this.caller = !config.disableCaller
    this.sampler = config.sampling === undefined ? undefined : new LogSampler(config.sampling, this.clock)
    this.fields = [...config.initialFields, ...(config.disableZapResource ? [] : [['resource', resource] as const])]
    this.version++
  }
}

/** `fields` stand in every line of this logger; they are encoded once for each form of lines. */
function makeLogger(core: Core, fields: Fields): Logger {
  let version = 0
  let encoded = ''
  const encode = (): string => {
    if (version !== core.version) {
      encoded = encodeFields([...core.fields, ...fields], core.json)
      version = core.version
    }
    return encoded
  }
  const at =
    (level: LogLevel) =>
    (message: string, more?: LogFields): void => {
      if (RANK[level]! < core.least) return
      if (core.sampler?.passes(level, message) === false) return
      const own = more === undefined ? '' : encodeFields(Object.entries(more), core.json)
      core.write(formatLine(core, level, message, join(encode(), own, core.json)))
    }
  return {
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
    enabled: (level) => RANK[level]! >= core.least,
    with: (more) => makeLogger(core, [...fields, ...Object.entries(more)]),
  }
}

function join(a: string, b: string, json: boolean): string {
  if (a === '' || b === '') return a + b
  return json ? `${a},${b}` : `${a}, ${b}`
}

function formatLine(core: Core, level: LogLevel, message: string, fields: string): string {
  const time = formatTime(core.clock.now())
  const caller = core.caller ? callerOf(formatLine) : undefined
  if (core.json) {
    const start = `{"level":"${level}","ts":"${time}"`
    const place = caller === undefined ? '' : `,"caller":${JSON.stringify(caller)}`
    return `${start}${place},"msg":${JSON.stringify(message)}${fields === '' ? '' : `,${fields}`}}\n`
  }
  const columns = [time, level]
  if (caller !== undefined) columns.push(caller)
  columns.push(toPrintable(message))
  if (fields !== '') columns.push(`{${fields}}`)
  return `${columns.join('\t')}\n`
}

/** Local time with its offset, in zap's ISO8601 form: 2026-01-01T01:00:00.000+0100, or Z in UTC. */
function formatTime(ms: number): string {
  const offset = -new Date(ms).getTimezoneOffset()
  const local = new Date(ms + offset * 60_000).toISOString()
  if (offset === 0) return local
  const minutes = Math.abs(offset)
  const digits = String(Math.floor(minutes / 60) * 100 + (minutes % 60)).padStart(4, '0')
  return `${local.slice(0, -1)}${offset < 0 ? '-' : '+'}${digits}`
}

// Lines and tabs are meant: the debug exporter prints whole blocks. Other control characters could steer a terminal.
const toPrintable = (text: string): string => text.replace(/(?![\n\t])\p{Cc}/gu, escapeUnit)

const escapeUnit = (unit: string): string => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`

function encodeFields(fields: Iterable<readonly [string, unknown]>, json: boolean): string {
  const parts: string[] = []
  for (const [key, value] of fields) {
    if (value !== undefined) parts.push(`${JSON.stringify(key)}${json ? ':' : ': '}${encodeValue(value, json)}`)
  }
  return parts.join(json ? ',' : ', ')
}

/** Plain values and maps of them; of anything else its text, which for a Secret is [REDACTED]. */
function encodeValue(value: unknown, json: boolean): string {
  if (value === null || typeof value === 'boolean') return String(value)
  if (typeof value === 'number') return Number.isFinite(value) ? String(value) : JSON.stringify(String(value))
  if (typeof value === 'string') return encodeText(value)
  if (Array.isArray(value)) return `[${value.map((item) => encodeValue(item, json)).join(json ? ',' : ', ')}]`
  if (typeof value === 'object' && Object.getPrototypeOf(value) === Object.prototype) {
    return `{${encodeFields(Object.entries(value), json)}}`
  }
  return encodeText(String(value))
}

// JSON itself leaves DEL and the C1 controls as they are.
const encodeText = (text: string): string => JSON.stringify(text).replace(/\p{Cc}/gu, escapeUnit)
