// When something was measured, from what devices write: numbers of any unit, ISO 8601 with and without a zone.
//
// Numbers are told apart by their size:
//
//   below 1e11   seconds (fractions are common)        1.2e17 to 1.4e17   Windows FILETIME: 100 ns since 1601
//   below 1e14   milliseconds                          6.2e17 to 6.6e17   .NET ticks: 100 ns since year 1
//   below 1e17   microseconds                          other              nanoseconds
//
// A time before 2000 means that the clock was not set (a PLC that has just booted); one far in the future or past is a clock
// that is wrong. Either way the verdict says so and the time of receipt stands in: a reading without a usable time is
// still a reading.
//
// A text without a zone is plant time. In the hour that the autumn clock change repeats it means two moments; the one
// nearer to the time of receipt is taken.

import { writeU32 } from '../wire/varint.ts'
import { daysIn, utcMs, Zone } from './zone.ts'

export const TIME = { OK: 0, UNREADABLE: 1, CLOCK_NOT_SET: 2, FUTURE: 3, PAST: 4 } as const
export type TimeVerdict = (typeof TIME)[keyof typeof TIME]

/** By verdict: the word for it in metrics and logs. */
export const TIME_WORDS: readonly string[] = ['ok', 'unreadable', 'clock_not_set', 'future', 'past']

/** What a number counts; `auto` goes by its size. */
export const TIME_UNITS = {
  auto: 'Told from the size of the number.',
  s: 'Seconds since 1970.',
  ms: 'Milliseconds since 1970.',
  us: 'Microseconds since 1970.',
  ns: 'Nanoseconds since 1970.',
  dotnet: '.NET ticks: 100 ns since the year 1.',
  filetime: 'Windows FILETIME: 100 ns since 1601.',
} as const
export type TimeUnit = keyof typeof TIME_UNITS

export interface TimeRules {
  /** IANA name of the zone for texts without one. */
  readonly zone: string
  readonly unit: TimeUnit
  /** How far ahead of the time of receipt a time may be; 0 for no limit. */
  readonly futureMaxMs: number
  /** How far behind it; 0 for no limit. */
  readonly pastMaxMs: number
}

export const DEFAULT_TIME_RULES: TimeRules = {
  zone: 'UTC',
  unit: 'auto',
  futureMaxMs: 10 * 60_000,
  pastMaxMs: 7 * 86_400_000,
}

const YEAR_2000_MS = 946_684_800_000
const DOTNET_EPOCH_MS = 62_135_596_800_000
const FILETIME_EPOCH_MS = 11_644_473_600_000

export class TimestampReader {
  /** The moment read last: whole milliseconds since 1970, and the nanoseconds beyond them (0 to 999999). */
  ms = 0
  ns = 0
  readonly #rules: TimeRules
  readonly #zone: Zone

  constructor(rules: TimeRules = DEFAULT_TIME_RULES) {
    this.#rules = rules
    this.#zone = new Zone(rules.zone)
  }

  /** A number as JSON writes it, in `bytes[from, to)`. Nanoseconds keep all their digits. */
  readNumber(bytes: Uint8Array, from: number, to: number, receivedMs: number): TimeVerdict {
    let p = from
    const negative = bytes[p] === MINUS
    if (negative) p++
    const first = p
    while (p < to && isDigit(bytes[p]!)) p++
    const digits = p - first
    if (digits === 0 || digits > 19) return this.#unreadable(receivedMs)
    const split = Math.max(first, p - 9)
    const high = wholeNumber(bytes, first, split)
    const low = wholeNumber(bytes, split, p)
    let fraction = 0
    if (p < to && bytes[p] === DOT) {
      const start = ++p
      while (p < to && isDigit(bytes[p]!)) p++
      if (p === start) return this.#unreadable(receivedMs)
      fraction = fractionNanos(bytes, start, p)
    }
    if (p < to && (bytes[p]! | 0x20) === 0x65) {
      const value = Number(Buffer.from(bytes.buffer, bytes.byteOffset + from, to - from).toString('latin1'))
      return this.fromNumber(value, receivedMs)
    }
    if (p !== to) return this.#unreadable(receivedMs)
    if (negative) return this.#instead(TIME.CLOCK_NOT_SET, receivedMs)
    return this.#count(high, low, fraction, receivedMs)
  }

  /** The same from a double; a fraction is good to a millionth of its unit. */
  fromNumber(value: number, receivedMs: number): TimeVerdict {
    if (!Number.isFinite(value) || value >= 1e19) return this.#unreadable(receivedMs)
    if (value < 0) return this.#instead(TIME.CLOCK_NOT_SET, receivedMs)
    let whole = Math.floor(value)
    let millionths = Math.round((value - whole) * 1e6)
    if (millionths === 1e6) {
      whole++
      millionths = 0
    }
    const high = Math.floor(whole / 1e9)
    return this.#count(high, whole - high * 1e9, millionths * 1000, receivedMs)
  }

  /** A text in `bytes[from, to)`: ISO 8601, or a number in quotes. */
  readText(bytes: Uint8Array, from: number, to: number, receivedMs: number): TimeVerdict {
    let start = from
    let end = to
    while (start < end && bytes[start] === SPACE) start++
    while (end > start && bytes[end - 1] === SPACE) end--
    const verdict = this.#iso(bytes, start, end, receivedMs)
    return verdict ?? this.readNumber(bytes, start, end, receivedMs)
  }

  /** `high * 1e9 + low` of the unit, and billionths of one. */
  #count(high: number, low: number, fraction: number, receivedMs: number): TimeVerdict {
    switch (this.#rules.unit === 'auto' ? unitOf(high * 1e9 + low) : this.#rules.unit) {
      case 's': {
        const part = Math.floor(fraction / 1e6)
        return this.#settle((high * 1e9 + low) * 1000 + part, fraction - part * 1e6, receivedMs)
      }
      case 'ms':
        return this.#settle(high * 1e9 + low, Math.floor(fraction / 1000), receivedMs)
      case 'us':
        return this.#settle(
          high * 1e6 + Math.floor(low / 1000),
          (low % 1000) * 1000 + Math.floor(fraction / 1e6),
          receivedMs,
        )
      case 'dotnet':
        return this.#settle(high * 1e5 + Math.floor(low / 1e4) - DOTNET_EPOCH_MS, (low % 1e4) * 100, receivedMs)
      case 'filetime':
        return this.#settle(high * 1e5 + Math.floor(low / 1e4) - FILETIME_EPOCH_MS, (low % 1e4) * 100, receivedMs)
      default:
        return this.#settle(high * 1000 + Math.floor(low / 1e6), low % 1e6, receivedMs)
    }
  }

  //   date = YYYY '-' MM '-' DD | YYYYMMDD      time = hh ':' mm [ ':' ss [ '.' digits ] ] | hhmm [ ss [ '.' digits ] ]
  //   text = date [ ( 'T' | ' ' ) time [ 'Z' | ( '+' | '-' ) hh [ [ ':' ] mm ] ] ]
  /** Undefined where the text does not begin like a date. */
  #iso(bytes: Uint8Array, from: number, to: number, receivedMs: number): TimeVerdict | undefined {
    const dashed = to - from >= 10 && bytes[from + 4] === MINUS && bytes[from + 7] === MINUS
    const packed = !dashed && to - from >= 13 && (bytes[from + 8]! | 0x20) === LETTER_T
    if (!dashed && !packed) return undefined
    const year = digitsAt(bytes, from, 4, to)
    const month = digitsAt(bytes, from + (dashed ? 5 : 4), 2, to)
    const day = digitsAt(bytes, from + (dashed ? 8 : 6), 2, to)
    let p = from + (dashed ? 10 : 8)
    let hour = 0
    let minute = 0
    let second = 0
    let fraction = 0
    let offsetMinutes: number | undefined
    if (p < to) {
      const mark = bytes[p++]!
      if (mark !== SPACE && (mark | 0x20) !== LETTER_T) return this.#unreadable(receivedMs)
      hour = digitsAt(bytes, p, 2, to)
      p += 2
      const colons = bytes[p] === COLON
      if (colons) p++
      minute = digitsAt(bytes, p, 2, to)
      p += 2
      if (p < to && (colons ? bytes[p] === COLON : isDigit(bytes[p]!))) {
        if (colons) p++
        second = digitsAt(bytes, p, 2, to)
        p += 2
        if (p < to && (bytes[p] === DOT || bytes[p] === COMMA)) {
          const start = ++p
          while (p < to && isDigit(bytes[p]!)) p++
          if (p === start) return this.#unreadable(receivedMs)
          fraction = fractionNanos(bytes, start, p)
        }
      }
      if (bytes[p] === SPACE && p < to) p++
      if (p < to) {
        const sign = bytes[p++]!
        if ((sign | 0x20) === LETTER_Z) offsetMinutes = 0
        else if (sign === PLUS || sign === MINUS) {
          const hours = digitsAt(bytes, p, 2, to)
          p += 2
          if (p < to && bytes[p] === COLON) p++
          const minutes = p < to ? digitsAt(bytes, p, 2, to) : 0
          if (p < to) p += 2
          if (hours > 23 || minutes > 59) return this.#unreadable(receivedMs)
          offsetMinutes = (sign === PLUS ? 1 : -1) * (hours * 60 + minutes)
        } else return this.#unreadable(receivedMs)
      }
    }
    const valid = year >= 0 && month >= 1 && month <= 12 && day >= 1 && hour >= 0 && hour < 24 && minute >= 0
    // A leap second is the first moment of the next minute.
    if (p !== to || !valid || minute > 59 || second < 0 || second > 60 || day > daysIn(year, month))
      return this.#unreadable(receivedMs)
    const local = utcMs(year, month, day) + (hour * 60 + minute) * 60_000 + second * 1000
    const part = Math.floor(fraction / 1e6)
    const utc = offsetMinutes === undefined ? this.#zone.toUtc(local, receivedMs) : local - offsetMinutes * 60_000
    return this.#settle(utc + part, fraction - part * 1e6, receivedMs)
  }

  #settle(ms: number, ns: number, receivedMs: number): TimeVerdict {
    const { futureMaxMs, pastMaxMs } = this.#rules
    if (ms < YEAR_2000_MS) return this.#instead(TIME.CLOCK_NOT_SET, receivedMs)
    if (futureMaxMs > 0 && ms - receivedMs > futureMaxMs) return this.#instead(TIME.FUTURE, receivedMs)
    if (pastMaxMs > 0 && receivedMs - ms > pastMaxMs) return this.#instead(TIME.PAST, receivedMs)
    // What 64 bits of nanoseconds can hold ends in 2554.
    if (ms > MS_MAX) return this.#instead(TIME.FUTURE, receivedMs)
    this.ms = ms
    this.ns = ns
    return TIME.OK
  }

  #unreadable(receivedMs: number): TimeVerdict {
    return this.#instead(TIME.UNREADABLE, receivedMs)
  }

  #instead(verdict: TimeVerdict, receivedMs: number): TimeVerdict {
    this.ms = Math.floor(receivedMs)
    this.ns = 0
    return verdict
  }
}

const MS_MAX = 18_446_744_073_709

/** Milliseconds in one of what a number counts, told from its size. */
export function unitMs(value: number): number {
  return UNIT_MS[unitOf(value)]
}

const UNIT_MS = { s: 1000, ms: 1, us: 1e-3, ns: 1e-6, dotnet: 1e-4, filetime: 1e-4 } as const

function unitOf(value: number): Exclude<TimeUnit, 'auto'> {
  if (value < 1e11) return 's'
  if (value < 1e14) return 'ms'
  if (value < 1e17) return 'us'
  if (value >= 1.2e17 && value < 1.4e17) return 'filetime'
  if (value >= 6.2e17 && value < 6.6e17) return 'dotnet'
  return 'ns'
}

const SPACE = 0x20
const PLUS = 0x2b
const COMMA = 0x2c
const MINUS = 0x2d
const DOT = 0x2e
const COLON = 0x3a
const LETTER_T = 0x74
const LETTER_Z = 0x7a

const isDigit = (char: number): boolean => char >= 0x30 && char <= 0x39

/** `count` digits at `at`; -1 where they are none or end too early. */
function digitsAt(bytes: Uint8Array, at: number, count: number, to: number): number {
  if (at + count > to) return -1
  let value = 0
  for (let i = at; i < at + count; i++) {
    if (!isDigit(bytes[i]!)) return -1
    value = value * 10 + bytes[i]! - 0x30
  }
  return value
}

function wholeNumber(bytes: Uint8Array, from: number, to: number): number {
  let value = 0
  for (let i = from; i < to; i++) value = value * 10 + bytes[i]! - 0x30
  return value
}

/** Digits behind a point as billionths; what is finer is cut off. */
function fractionNanos(bytes: Uint8Array, from: number, to: number): number {
  let value = 0
  for (let i = 0; i < 9; i++) value = value * 10 + (from + i < to ? bytes[from + i]! - 0x30 : 0)
  return value
}

/**
 * Writes a moment as fixed64 nanoseconds since 1970 and returns the offset behind it. Exact: 1e6 ms is split so that no
 * product passes 2^53.
 */
export function writeNanos(target: Uint8Array, at: number, ms: number, ns: number): number {
  const upper = Math.floor(ms / 2 ** 20) * 1e6
  const rest = (ms % 2 ** 20) * 1e6 + ns
  // upper * 2^20 + rest, of which the low 12 bits of `upper` reach below bit 32.
  const carry = Math.floor(upper / 4096)
  const sum = (upper - carry * 4096) * 2 ** 20 + rest
  const high = Math.floor(sum / 2 ** 32)
  return writeU32(target, writeU32(target, at, sum - high * 2 ** 32), carry + high)
}
