import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readU64 } from '../wire/varint.ts'
import { ClockSkew } from './clock-skew.ts'
import { DEFAULT_TIME_RULES, TIME, TIME_WORDS, type TimeRules, TimestampReader, writeNanos } from './timestamps.ts'
import { isZone, Zone } from './zone.ts'

const RECEIVED = '2026-01-01T00:00:00Z'

interface Read {
  readonly verdict: string
  readonly time: string
}

/** `2026-01-01T00:00:00.000Z +5ns`: the moment, and nanoseconds beyond its milliseconds where there are some. */
function read(value: string, rules: Partial<TimeRules> = {}, received = RECEIVED): Read {
  const reader = new TimestampReader({ ...DEFAULT_TIME_RULES, ...rules })
  const quoted = value.startsWith('"')
  const bytes = Buffer.from(`xx${quoted ? value.slice(1, -1) : value}9`)
  const now = Date.parse(received)
  const verdict = quoted
    ? reader.readText(bytes, 2, bytes.length - 1, now)
    : reader.readNumber(bytes, 2, bytes.length - 1, now)
  const time = new Date(reader.ms).toISOString() + (reader.ns === 0 ? '' : ` +${reader.ns}ns`)
  return { verdict: TIME_WORDS[verdict]!, time }
}

const ok = (time: string): Read => ({ verdict: 'ok', time })
const instead = (verdict: string): Read => ({ verdict, time: '2026-01-01T00:00:00.000Z' })
const any = { futureMaxMs: 0, pastMaxMs: 0 }

test('the unit of a number is told from its size', () => {
  assert.deepEqual(read('1767225600'), ok('2026-01-01T00:00:00.000Z'))
  assert.deepEqual(read('1767225600.25'), ok('2026-01-01T00:00:00.250Z'))
  assert.deepEqual(read('1767225600.123456789'), ok('2026-01-01T00:00:00.123Z +456789ns'))
  assert.deepEqual(read('1767225600123'), ok('2026-01-01T00:00:00.123Z'))
  assert.deepEqual(read('1767225600123.5'), ok('2026-01-01T00:00:00.123Z +500000ns'))
  assert.deepEqual(read('1767225600123456'), ok('2026-01-01T00:00:00.123Z +456000ns'))
  assert.deepEqual(read('1767225600123456789'), ok('2026-01-01T00:00:00.123Z +456789ns'))
})

test('.NET ticks and FILETIME are known by their ranges', () => {
  assert.deepEqual(read('639028224001234567'), ok('2026-01-01T00:00:00.123Z +456700ns'))
  assert.deepEqual(read('134116992001234567'), ok('2026-01-01T00:00:00.123Z +456700ns'))
})

test('a rule may name the unit', () => {
  assert.deepEqual(read('1767225600', { unit: 'ms', ...any }), instead('clock_not_set'))
  assert.deepEqual(read('1767225600123456789', { unit: 'ns' }), ok('2026-01-01T00:00:00.123Z +456789ns'))
  assert.deepEqual(read('639028224000000000', { unit: 'dotnet' }), ok('2026-01-01T00:00:00.000Z'))
  assert.deepEqual(read('134116992000000000', { unit: 'filetime' }), ok('2026-01-01T00:00:00.000Z'))
  assert.deepEqual(read('1767225600000000', { unit: 'us' }), ok('2026-01-01T00:00:00.000Z'))
  assert.deepEqual(read('1767225600', { unit: 's' }), ok('2026-01-01T00:00:00.000Z'))
})

test('the edges between the units are where they should be', () => {
  // The largest numbers of seconds and milliseconds are past what 64 bits of nanoseconds can hold.
  assert.deepEqual(read('99999999999', any), instead('future'))
  assert.deepEqual(read('99999999999999', any), instead('future'))
  assert.deepEqual(read('1000000000000', any), ok('2001-09-09T01:46:40.000Z'))
  assert.deepEqual(read('1000000000000000', any), ok('2001-09-09T01:46:40.000Z'))
  assert.deepEqual(read('1000000000000000000', any), ok('2001-09-09T01:46:40.000Z'))
  assert.deepEqual(read('119999999999999999', any), instead('clock_not_set'))
  assert.deepEqual(read('659999999999999000', any).verdict, 'ok')
})

test('a number with an exponent is the number it stands for', () => {
  assert.deepEqual(read('1.7672256e9'), ok('2026-01-01T00:00:00.000Z'))
  assert.deepEqual(read('1.767225600123e+12'), ok('2026-01-01T00:00:00.123Z'))
})

test('a double keeps milliseconds of seconds', () => {
  const reader = new TimestampReader()
  assert.equal(reader.fromNumber(1767225600.123, Date.parse(RECEIVED)), TIME.OK)
  assert.equal(reader.ms, 1767225600123)
  assert.equal(reader.fromNumber(1767225600.9999998, Date.parse(RECEIVED)), TIME.OK)
  assert.equal(reader.ms, 1767225601000)
  assert.equal(reader.fromNumber(Number.NaN, 5), TIME.UNREADABLE)
  assert.equal(reader.ms, 5)
})

test('zero and times before 2000 mean a clock that was not set, and the time of receipt stands in', () => {
  for (const value of ['0', '-1', '1', '946684799', '"1970-01-01T00:00:05Z"', '"1999-12-31T23:59:59Z"', '"0"'])
    assert.deepEqual(read(value, any), instead('clock_not_set'), value)
  assert.deepEqual(read('946684800', any), ok('2000-01-01T00:00:00.000Z'))
})

test('a clock in 2099 is counted as future, one of last year as past, and the limits are to the millisecond', () => {
  assert.deepEqual(read('"2099-01-01T00:00:00Z"'), instead('future'))
  assert.deepEqual(read('"2025-01-01T00:00:00Z"'), instead('past'))
  assert.deepEqual(read('"2026-01-01T00:10:00.000Z"'), ok('2026-01-01T00:10:00.000Z'))
  assert.deepEqual(read('"2026-01-01T00:10:00.001Z"'), instead('future'))
  assert.deepEqual(read('"2025-12-25T00:00:00.000Z"'), ok('2025-12-25T00:00:00.000Z'))
  assert.deepEqual(read('"2025-12-24T23:59:59.999Z"'), instead('past'))
  assert.deepEqual(read('"2099-01-01T00:00:00Z"', any), ok('2099-01-01T00:00:00.000Z'))
})

test('ISO 8601 in the forms that devices write', () => {
  const half = ok('2026-01-01T00:00:00.500Z')
  for (const text of [
    '2026-01-01T00:00:00.5Z',
    '2026-01-01t00:00:00.500z',
    '2026-01-01 00:00:00.500Z',
    '2026-01-01 00:00:00,5 Z',
    '2026-01-01T01:00:00.5+01:00',
    '2026-01-01T01:00:00.5+0100',
    '2026-01-01T01:00:00.5+01',
    '2025-12-31T18:30:00.5-05:30',
    '20260101T000000.5Z',
    ' 2026-01-01T00:00:00.5 ',
    '1767225600.5',
    '1767225600500',
  ])
    assert.deepEqual(read(`"${text}"`), half, text)
  assert.deepEqual(read('"2026-01-01T00:00:00.1234567Z"'), ok('2026-01-01T00:00:00.123Z +456700ns'))
  assert.deepEqual(read('"2026-01-01T00:00:00.12345678987Z"'), ok('2026-01-01T00:00:00.123Z +456789ns'))
  assert.deepEqual(read('"2026-01-01T00:05Z"'), ok('2026-01-01T00:05:00.000Z'))
  assert.deepEqual(read('"2026-01-01"'), ok('2026-01-01T00:00:00.000Z'))
  assert.deepEqual(read('"2025-12-31T23:59:60Z"'), ok('2026-01-01T00:00:00.000Z'))
  assert.deepEqual(read('"2024-02-29T12:00:00Z"', any), ok('2024-02-29T12:00:00.000Z'))
})

test('a text that is no time is unreadable, and the time of receipt stands in', () => {
  for (const text of [
    '',
    'yesterday',
    '2026-13-01T00:00:00Z',
    '2026-02-29T00:00:00Z',
    '2026-01-00T00:00:00Z',
    '2026-01-01T24:00:00Z',
    '2026-01-01T00:60:00Z',
    '2026-01-01T00:00:61Z',
    '2026-01-01T00:00:00.Z',
    '2026-01-01T00:00:00Q',
    '2026-01-01T00:00:00+25:00',
    '2026-01-01T00:00:00+01:0',
    '2026-01-01T00:00:00Zx',
    '2026-01-01X00:00:00Z',
    '12:30:00',
    '1.',
    '1e',
    '99999999999999999999',
  ])
    assert.deepEqual(read(`"${text}"`), instead('unreadable'), text)
})

test('every beginning of a time is a time or unreadable, never a crash and never a wrong verdict', () => {
  for (const whole of ['2026-01-01T00:00:00.1234567+01:00', '20260101T000000.5Z', '1767225600123456789', '1.5e9'])
    for (let i = 0; i <= whole.length; i++) {
      const { verdict, time } = read(`"${whole.slice(0, i)}"`, any)
      assert.ok(verdict === 'ok' || time === '2026-01-01T00:00:00.000Z', whole.slice(0, i))
    }
})

const BERLIN = { zone: 'Europe/Berlin', ...any }

test('a text without a zone is plant time, in summer and in winter', () => {
  assert.deepEqual(read('"2024-02-24T22:20:38"', BERLIN), ok('2024-02-24T21:20:38.000Z'))
  assert.deepEqual(read('"2024-07-24T22:20:38"', BERLIN), ok('2024-07-24T20:20:38.000Z'))
  assert.deepEqual(read('"2024-07-24T22:20:38Z"', BERLIN), ok('2024-07-24T22:20:38.000Z'))
  assert.deepEqual(read('"2024-07-24T22:20:38"', { zone: 'Asia/Kolkata', ...any }), ok('2024-07-24T16:50:38.000Z'))
  assert.deepEqual(read('"2024-07-24T22:20:38"', any), ok('2024-07-24T22:20:38.000Z'))
})

// Clocks in Berlin go back from 03:00 to 02:00 on 2026-10-25, at 01:00 UTC: 02:00 to 03:00 comes twice.
test('in the hour that autumn repeats, the moment nearer to the time of receipt is taken', () => {
  const at = (text: string, received: string): string => read(`"${text}"`, BERLIN, received).time
  assert.equal(at('2026-10-25T01:59:59', '2026-10-25T00:00:01Z'), '2026-10-24T23:59:59.000Z')
  assert.equal(at('2026-10-25T02:00:00', '2026-10-25T00:00:01Z'), '2026-10-25T00:00:00.000Z')
  assert.equal(at('2026-10-25T02:30:00', '2026-10-25T00:30:01Z'), '2026-10-25T00:30:00.000Z')
  assert.equal(at('2026-10-25T02:59:59', '2026-10-25T01:00:00Z'), '2026-10-25T00:59:59.000Z')
  assert.equal(at('2026-10-25T02:00:00', '2026-10-25T01:00:01Z'), '2026-10-25T01:00:00.000Z')
  assert.equal(at('2026-10-25T02:30:00', '2026-10-25T01:30:01Z'), '2026-10-25T01:30:00.000Z')
  assert.equal(at('2026-10-25T02:59:59', '2026-10-25T02:00:00Z'), '2026-10-25T01:59:59.000Z')
  assert.equal(at('2026-10-25T03:00:00', '2026-10-25T02:00:01Z'), '2026-10-25T02:00:00.000Z')
})

// Clocks go forward from 02:00 to 03:00 on 2026-03-29, at 01:00 UTC: 02:00 to 03:00 does not exist.
test('a time in the hour that spring leaves out counts on from before it', () => {
  const at = (text: string): string => read(`"${text}"`, BERLIN).time
  assert.equal(at('2026-03-29T01:59:59'), '2026-03-29T00:59:59.000Z')
  assert.equal(at('2026-03-29T02:30:00'), '2026-03-29T01:30:00.000Z')
  assert.equal(at('2026-03-29T03:00:00'), '2026-03-29T01:00:00.000Z')
})

test('every quarter of an hour of two years goes to plant time and back, on both sides of the world', () => {
  for (const name of ['Europe/Berlin', 'America/New_York', 'Australia/Lord_Howe', 'Asia/Kolkata']) {
    const zone = new Zone(name)
    for (let utc = Date.UTC(2025, 0, 1); utc < Date.UTC(2027, 0, 1); utc += 900_000)
      assert.equal(zone.toUtc(utc + zone.offsetAt(utc), utc), utc, `${name} ${new Date(utc).toISOString()}`)
  }
})

test('names of zones are checked', () => {
  assert.ok(isZone('Europe/Berlin'))
  assert.ok(isZone('UTC'))
  assert.equal(isZone('Europe/Berlinn'), false)
})

test('nanoseconds are written without losing one', () => {
  const bytes = new Uint8Array(8)
  const view = new DataView(bytes.buffer)
  for (const [ms, ns] of [
    [0, 0],
    [1767225600123, 456789],
    [1767225600123, 999999],
    [946684800000, 1],
    [18446744073709, 551615],
    [2 ** 20, 0],
    [2 ** 32, 7],
  ] as const) {
    assert.equal(writeNanos(bytes, 0, ms, ns), 8)
    assert.equal(view.getBigUint64(0, true), BigInt(ms) * 1_000_000n + BigInt(ns))
  }
  writeNanos(bytes, 0, 1, 0)
  assert.equal(readU64(bytes, 0), 1e6)
})

test('the skew of a clock is the median of receipt minus event', () => {
  const skew = new ClockSkew()
  assert.ok(Number.isNaN(skew.medianMs()))
  for (let i = 0; i < 20; i++) skew.observe(i * 10_000 + 4000 - (i % 3), i * 10_000)
  assert.equal(skew.medianMs(), -3999)
})

test('a burst of buffered readings is no skew', () => {
  const skew = new ClockSkew()
  for (let i = 0; i < 8; i++) skew.observe(i * 10_000 - 50, i * 10_000)
  for (let i = 0; i < 5000; i++) skew.observe(-3_600_000 + i * 100, 80_000 + i)
  assert.equal(skew.medianMs(), 50)
})
