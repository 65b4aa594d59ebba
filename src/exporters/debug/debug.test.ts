import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { LOGS, METRICS, printed, SPANS } from '../../../test/support/debug-requests.ts'
import { exporterHarness } from '../../../test/support/harness.ts'
import { parseConfig } from '../../config/testing.ts'
import { jsonToBytes } from '../../otlp/json/index.ts'
import { config } from './config.ts'
import { factory } from './factory.ts'
import { fixed, shortest, timestamp } from './go-text.ts'

test('basic prints one line with the counts', async (t) => {
  const { push, logs, metric } = await exporterHarness(t, factory, {}, { signals: ['traces', 'metrics', 'logs'] })
  push('traces', SPANS)
  push('metrics', {
    resourceMetrics: [
      {
        scopeMetrics: [
          { metrics: [{ name: 'a', gauge: { dataPoints: [{ asInt: 1 }, { asInt: 2 }] } }, { name: 'b' }] },
        ],
      },
    ],
  })
  push('logs', { resourceLogs: [{ scopeLogs: [{ logRecords: [{}, {}, {}] }] }, {}] })
  assert.deepEqual(
    logs.map(({ level, message, fields }) => ({ level, message, fields })),
    [
      { level: 'info', message: 'Traces', fields: { 'resource spans': 1, spans: 1 } },
      { level: 'info', message: 'Metrics', fields: { 'resource metrics': 1, metrics: 2, 'data points': 2 } },
      { level: 'info', message: 'Logs', fields: { 'resource logs': 2, 'log records': 3 } },
    ],
  )
  assert.equal(metric('exporter_sent_log_records'), 3)
})

test('normal prints a line per span, under its resource and scope', async (t) => {
  assert.deepEqual(await printed(t, 'traces', SPANS, 'normal'), [
    'Traces',
    `ResourceTraces #0 [https://example.org/resource] service.name=press-4
ScopeTraces #0 plc@1.2 line=3
weld 0102030405060708090a0b0c0d0e0f10 1112131415161718 seam=7.5 ok=false none= raw=AQID tags=["\\u003ca\\u003e",9007199254740993] map={"a":null,"b":true}
`,
  ])
})

test('normal prints a line per data point', async (t) => {
  assert.equal(
    (await printed(t, 'metrics', METRICS, 'normal'))[1],
    `ResourceMetrics #0 service.name=press-4
ScopeMetrics #0 plc@1.2
temperature{cpu=0} 78.9
parts{cpu=0} 9007199254740993
cycle{cpu=0} count=3 sum=99.573 min=0.017 le0.125=1 le1=0 2
exponential{cpu=0} count=5 le0.7071067811865475=1 le1=1 le1.4142135623730951=1 le2.0000000000000004=1 zero_count0=1
summary{cpu=0} count=1 sum=15.000000 q0.01=15
`,
  )
})

test('of messages with the same text, the first of each second and then every so many are printed', async (t) => {
  const { push, logs, clock } = await exporterHarness(
    t,
    factory,
    { sampling_initial: 2, sampling_thereafter: 3 },
    { signals: ['logs'] },
  )
  const bytes = jsonToBytes('logs', JSON.stringify(LOGS))
  for (let i = 0; i < 8; i++) assert.ok(push('logs', bytes).delivered)
  assert.equal(logs.length, 4) // 1, 2, 5, 8
  clock.advance(1000)
  push('logs', bytes)
  assert.equal(logs.length, 5)
})

test('without the internal logger the text goes to the files named, without time and level', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-debug-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const path = join(folder, 'out.txt')
  const { push, logs } = await exporterHarness(
    t,
    factory,
    { verbosity: 'normal', use_internal_logger: false, output_paths: [path] },
    { signals: ['logs'] },
  )
  push('logs', LOGS)
  assert.equal(
    readFileSync(path, 'utf8'),
    'Logs\t{"resource logs": 1, "log records": 2}\nResourceLog #0\nScopeLog #0\nopened\nby hand door=4\n \n\n',
  )
  assert.deepEqual(logs, [])
})

test('verbosity is read in any case, and output paths must not be an empty list', () => {
  assert.equal(parseConfig(config, { verbosity: 'Detailed' }).verbosity, 'detailed')
  assert.throws(() => parseConfig(config, { verbosity: 'none' }), /verbosity/)
  assert.throws(() => parseConfig(config, { use_internal_logger: false, output_paths: [] }), /empty list/)
})

test('numbers and times look as Go prints them', () => {
  const numbers = [1e6, 123456, 1234567, 99999999, 1e21, 1e-4, 1e-5, 0.00012345, 0, -0, 1.5, Number.NaN, -Infinity]
  assert.deepEqual(
    numbers.map((value) => `${shortest(value)} ${fixed(value)}`),
    [
      '1e+06 1000000.000000',
      '123456 123456.000000',
      '1.234567e+06 1234567.000000',
      '9.9999999e+07 99999999.000000',
      '1e+21 1000000000000000000000.000000',
      '0.0001 0.000100',
      '1e-05 0.000010',
      '0.00012345 0.000123',
      '0 0.000000',
      '-0 -0.000000',
      '1.5 1.500000',
      'NaN NaN',
      '-Inf -Inf',
    ],
  )
  assert.equal(fixed(1 / 128), '0.007812')
  assert.equal(fixed(-3 / 128), '-0.023438')
  assert.equal(timestamp('18446744073709551615'), '1969-12-31 23:59:59.999999999 +0000 UTC')
  assert.equal(timestamp('1500000000'), '1970-01-01 00:00:01.5 +0000 UTC')
})

test('output paths that have no effect give one warning', async (t) => {
  const { logs } = await exporterHarness(t, factory, { output_paths: ['stdout'] })
  assert.deepEqual(
    logs.map(({ level, message }) => ({ level, message })),
    [{ level: 'warn', message: 'output_paths has no effect: write use_internal_logger: false as well' }],
  )
})
