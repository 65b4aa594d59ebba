import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { pathToFileURL } from 'node:url'
import { Worker } from 'node:worker_threads'
import { FakeClock } from '../../test/support/fake-clock.ts'
import { Secret } from '../config/schema.ts'
import { parseConfig } from '../config/testing.ts'
import { logsConfig } from './config.ts'
import { LineSink } from './line-sink.ts'
import type { LogFields } from './log.ts'
import { componentFields, createLogger, type RootLogger } from './logger.ts'

const RESOURCE = { 'service.name': 'millrace', 'service.version': '0.1.0' }

function logger(plain: object): { log: RootLogger; lines: string[]; clock: FakeClock } {
  const lines: string[] = []
  const clock = new FakeClock()
  const config = parseConfig(logsConfig, { disable_caller: true, ...plain })
  return { log: createLogger(config, { clock, resource: RESOURCE, write: (line) => lines.push(line) }), lines, clock }
}

process.env.TZ = 'UTC'

test('a console line has time, level, message and fields in columns, with the resource and the component', () => {
  const { log, lines } = logger({})
  log.with(componentFields('exporter', 'otlp/2', 'traces')).warn('Exporting failed.', {
    error: 'refused "here"',
    dropped_items: 5,
    permanent: false,
    none: null,
    absent: undefined,
  })
  assert.deepEqual(lines, [
    '2026-01-01T00:00:00.000Z\twarn\tExporting failed.\t{"resource": {"service.name": "millrace", "service.version": "0.1.0"}, ' +
      '"otelcol.component.id": "otlp/2", "otelcol.component.kind": "exporter", "otelcol.signal": "traces", ' +
      '"error": "refused \\"here\\"", "dropped_items": 5, "permanent": false, "none": null}\n',
  ])
})

test('a JSON line is one object with level, ts, msg and the fields', () => {
  const { log, lines, clock } = logger({ encoding: 'json', initial_fields: { plant: 'mill', line: 3, tags: ['a'] } })
  clock.advance(61_001)
  log.info('line\nbreak', { ratio: 0.5, odd: Number.NaN })
  assert.deepEqual(lines, [
    '{"level":"info","ts":"2026-01-01T00:01:01.001Z","msg":"line\\nbreak","plant":"mill","line":3,"tags":["a"],' +
      '"resource":{"service.name":"millrace","service.version":"0.1.0"},"ratio":0.5,"odd":"NaN"}\n',
  ])
  assert.equal(JSON.parse(lines[0]!).line, 3)
})

test('the resource can be left out, and a line without fields ends with its message', () => {
  const { log, lines } = logger({ disable_zap_resource: true })
  log.info('Everything is ready.')
  assert.deepEqual(lines, ['2026-01-01T00:00:00.000Z\tinfo\tEverything is ready.\n'])
})

test('time is local and carries its offset', (t) => {
  process.env.TZ = 'Asia/Kolkata'
  t.after(() => {
    process.env.TZ = 'UTC'
  })
  const { log, lines } = logger({ disable_zap_resource: true })
  log.info('Now.')
  assert.equal(lines[0], '2026-01-01T05:30:00.000+0530\tinfo\tNow.\n')
})

test('the caller is the file and line that asked, unless it is switched off', () => {
  const { log, lines } = logger({ disable_caller: false, disable_zap_resource: true })
  log.with({ a: 1 }).info('Here.')
  assert.match(lines[0]!, /\tinfo\tself\/logger\.test\.ts:\d+\tHere\.\t\{"a": 1\}\n$/)
})

test('a level silences the levels below it, in any letter case, and fatal silences all', () => {
  const written = (level: string): string => {
    const { log, lines } = logger({ level, disable_zap_resource: true })
    for (const one of ['debug', 'info', 'warn', 'error'] as const) {
      log[one]('x')
      assert.equal(log.enabled(one), lines.at(-1)?.includes(one) ?? false)
    }
    return lines.map((line) => line.split('\t')[1]).join()
  }
  assert.equal(written('debug'), 'debug,info,warn,error')
  assert.equal(written('INFO'), 'info,warn,error')
  assert.equal(written('warn'), 'warn,error')
  assert.equal(written('error'), 'error')
  assert.equal(written('fatal'), '')
})

test('equal messages are thinned out within a tick, each text and level by itself', () => {
  const { log, lines, clock } = logger({ sampling: { tick: '1s', initial: 2, thereafter: 3 } })
  const count = (text: string): number => lines.filter((line) => line.includes(text)).length
  for (let i = 0; i < 9; i++) log.info('again')
  assert.equal(count('again'), 2 + 2)
  log.info('other')
  log.warn('again')
  assert.equal(lines.length, 6)
  clock.advance(1000)
  log.info('again')
  assert.equal(lines.length, 7)
})

test('sampling is on by default as in the Collector, and can be switched off', () => {
  const by = (plain: object): number => {
    const { log, lines } = logger(plain)
    for (let i = 0; i < 250; i++) log.info('again')
    return lines.length
  }
  assert.equal(by({}), 10 + 2)
  assert.equal(by({ sampling: { enabled: false } }), 250)
  assert.equal(by({ sampling: { thereafter: 0 } }), 10)
})

test('a secret that reaches a logger by mistake is not printed', () => {
  const secret = new Secret('hunter2')
  for (const encoding of ['console', 'json']) {
    const { log, lines } = logger({ encoding })
    log.with({ a: secret } as unknown as LogFields).info('x', { b: secret, c: { d: [secret] } } as unknown as LogFields)
    assert.doesNotMatch(lines[0]!, /hunter2/)
    assert.equal(lines[0]!.match(/\[REDACTED\]/g)?.length, 3)
  }
})

test('what steers a terminal is printed as an escape, line breaks of a message stay', () => {
  const { log, lines } = logger({ disable_zap_resource: true })
  log.info('one\n\ttwo\u001b[2J', { text: '\u001b]0;\u009b\n' })
  assert.equal(lines[0], '2026-01-01T00:00:00.000Z\tinfo\tone\n\ttwo\\u001b[2J\t{"text": "\\u001b]0;\\u009b\\n"}\n')
})

function temporary(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-log-'))
  t.after(() => rmSync(folder, { recursive: true }))
  return folder
}

test('lines are appended to every output path, and written before the call returns', (t) => {
  const folder = temporary(t)
  const paths = [join(folder, 'a.log'), pathToFileURL(join(folder, 'b.log')).href]
  for (const text of ['first', 'second']) {
    const config = parseConfig(logsConfig, { output_paths: paths, disable_zap_resource: true, disable_caller: true })
    const log = createLogger(config, { clock: new FakeClock(), resource: {} })
    log.info(text)
    log.close()
    log.close()
    log.info('after the end')
  }
  const expected = '2026-01-01T00:00:00.000Z\tinfo\tfirst\n2026-01-01T00:00:00.000Z\tinfo\tsecond\n'
  assert.equal(readFileSync(join(folder, 'a.log'), 'utf8'), expected)
  assert.equal(readFileSync(join(folder, 'b.log'), 'utf8'), expected)
})

const fullDevice = { skip: process.platform === 'linux' ? false : 'needs /dev/full' }

test(
  'a file that cannot be opened is said at the start, one that cannot be written once on error_output_paths',
  fullDevice,
  (t) => {
    assert.throws(() => LineSink.open(['/nowhere/at/all.log'], []), /ENOENT/)
    const errors = join(temporary(t), 'errors.log')
    const sink = LineSink.open(['/dev/full'], [errors])
    sink.write('one\n')
    sink.write('two\n')
    sink.close()
    const text = readFileSync(errors, 'utf8')
    assert.match(text, /write error: \/dev\/full: ENOSPC/)
    assert.equal(text.split('\n').length, 2)
  },
)

test('a worker thread that dies right after a line has not lost it', async (t) => {
  const file = join(temporary(t), 'worker.log')
  const code = `
    const { createLogger } = await import(${JSON.stringify(new URL('./logger.ts', import.meta.url).href)})
    const { logsConfig } = await import(${JSON.stringify(new URL('./config.ts', import.meta.url).href)})
    const { parseConfig } = await import(${JSON.stringify(new URL('../config/testing.ts', import.meta.url).href)})
    const { systemClock } = await import(${JSON.stringify(new URL('../graph/clock.ts', import.meta.url).href)})
    const config = parseConfig(logsConfig, { output_paths: [${JSON.stringify(file)}], sampling: { enabled: false } })
    const log = createLogger(config, { clock: systemClock, resource: {} })
    for (let i = 0; i < 500; i++) log.error('last words', { i })
    process.exit(3)`
  const worker = new Worker(new URL(`data:text/javascript,${encodeURIComponent(code)}`))
  await new Promise((resolve) => worker.once('exit', resolve))
  assert.equal(readFileSync(file, 'utf8').trimEnd().split('\n').length, 500)
})

test('a pipe that nobody reads holds the router up for a second at most, and gets lines again once it is read', async (t) => {
  const code = `
    process.stderr.write('') // makes the descriptor non-blocking
    const { LineSink } = await import(${JSON.stringify(new URL('./line-sink.ts', import.meta.url).href)})
    const sink = LineSink.open(['stderr'], [])
    for (let i = 0; i < 20_000; i++) sink.write('x'.repeat(100) + '\\n')
    process.stdout.write('full')
    setInterval(() => sink.write('read again\\n'), 10)`
  const child = spawn(process.execPath, ['--input-type=module', '--eval', code], { stdio: 'pipe' })
  t.after(() => child.kill())
  await once(child.stdout, 'data')
  let text = ''
  child.stderr.setEncoding('utf8').on('data', (chunk) => {
    text += chunk
  })
  while (!text.endsWith('read again\n')) await once(child.stderr, 'data')
  const lines = text.trimEnd().split('\n')
  assert.equal(lines.at(-1), 'read again')
  assert.ok(lines.length > 100 && lines.length < 20_000, String(lines.length))
})

test('another configuration is in force for every logger made of the root, at once', () => {
  const { log, lines } = logger({})
  const own = log.with({ line: 3 })
  own.debug('not yet')
  own.info('first')
  const json = parseConfig(logsConfig, { disable_caller: true, encoding: 'json', level: 'debug' })
  log.reconfigure(json, { 'service.name': 'renamed' })
  own.debug('second')
  assert.deepEqual(lines, [
    '2026-01-01T00:00:00.000Z\tinfo\tfirst\t{"resource": {"service.name": "millrace", "service.version": "0.1.0"}, "line": 3}\n',
    '{"level":"debug","ts":"2026-01-01T00:00:00.000Z","msg":"second","resource":{"service.name":"renamed"},"line":3}\n',
  ])
})

test('a configuration whose file cannot be opened changes nothing', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-log-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const at = (path: string) => parseConfig(logsConfig, { output_paths: [join(folder, path)], disable_caller: true })
  const log = createLogger(at('a.log'), { clock: new FakeClock(), resource: RESOURCE })
  assert.throws(() => log.reconfigure(at('nowhere/b.log'), RESOURCE), /ENOENT/)
  log.info('still here')
  log.reconfigure(at('c.log'), RESOURCE)
  log.info('moved')
  log.close()
  assert.match(readFileSync(join(folder, 'a.log'), 'utf8'), /still here/)
  assert.match(readFileSync(join(folder, 'c.log'), 'utf8'), /moved/)
})
