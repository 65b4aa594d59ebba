import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, type TestContext, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { connectAsync } from 'mqtt'
import { extensionHarness } from '../../test/support/harness.ts'
import { until } from '../../test/support/until.ts'
import { factory } from '../extensions/mqtt_broker/factory.ts'
import { encodeSparkplug } from '../sparkplug/encode.ts'
import { DATA_TYPE } from '../sparkplug/fields.ts'
import { readSimulateOptions, SimulateUsageError } from './options.ts'
import { StrictHost } from './testing.ts'

const main = fileURLToPath(new URL('../main.ts', import.meta.url))

function simulate(...flags: string[]) {
  const child = spawn(process.execPath, [main, 'simulate', ...flags], { stdio: ['ignore', 'pipe', 'pipe'] })
  const output = { stdout: '', stderr: '' }
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output.stdout += text
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    output.stderr += text
  })
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve))
  return { child, output, ended }
}

async function broker(t: TestContext, config: object = {}) {
  const running = await extensionHarness(t, factory, { tcp: { endpoint: '127.0.0.1:0' }, ...config })
  const url = `mqtt://${running.logs.find(({ message }) => message.endsWith('listens.'))?.fields.endpoint}`
  return { ...running, url }
}

function folder(t: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), 'millrace-simulate-'))
  t.after(() => rmSync(path, { recursive: true, force: true }))
  return path
}

const START = ['--start', '2026-01-05T06:00:00Z']
// They wait for a plant more than they do anything.
describe('a simulated plant', { concurrency: true }, () => {
  test('everything that a run prints arrives at a broker, once and in order for each device', async (t) => {
    const scenario = join(folder(t), 'plant.yaml')
    writeFileSync(scenario, 'devices: [{id: cnc, count: 3}, {id: hall-1, type: sensor}]\n')
    const flags = ['--scenario', scenario, ...START, '--speed', 'max', '--duration', '2m', '--seed', '5']
    const printed = simulate(...flags, '--print')
    assert.equal(await printed.ended, 0, printed.output.stderr)
    const expected = printed.output.stdout.trimEnd().split('\n')

    const { url } = await broker(t)
    const reader = await connectAsync(url)
    t.after(() => reader.end(true))
    const got: string[] = []
    reader.on('message', (topic, payload) => got.push(`${topic} ${payload}`))
    await reader.subscribeAsync('#', { qos: 1 })
    const published = simulate(...flags, '--broker', url)
    assert.equal(await published.ended, 0, published.output.stderr)
    await until(() => got.length >= expected.length)
    const of = (lines: string[], device: string) => lines.filter((line) => line.includes(`"device_id":"${device}"`))
    for (const device of ['cnc-01', 'cnc-02', 'cnc-03', 'hall-1'])
      assert.deepEqual(of(got, device), of(expected, device))
    assert.match(published.output.stdout, new RegExp(`4 devices to .*: sent ${expected.length} messages, lost 0`))
  })

  test('a device that loses its connection leaves its last will, and is there again with its status', async (t) => {
    const scenario = join(folder(t), 'plant.yaml')
    writeFileSync(
      scenario,
      'devices: [{id: hall-1, type: sensor, every: 200ms}]\nevents: [{at: 1s, device: hall-1, kind: disconnect, for: 2s}]\n',
    )
    const { url } = await broker(t)
    const reader = await connectAsync(url)
    t.after(() => reader.end(true))
    const statuses: string[] = []
    reader.on('message', (_topic, payload) => statuses.push(JSON.parse(String(payload)).status))
    await reader.subscribeAsync('devices/hall-1/status', { qos: 1 })
    const { child, ended } = simulate('--scenario', scenario, '--broker', url)
    await until(() => statuses.length >= 3, 20_000)
    child.kill('SIGINT')
    assert.equal(await ended, 0)
    // A busy machine may lose its connection once more.
    assert.deepEqual(statuses.slice(0, 3), ['Running', 'Offline', 'Running'])
  })

  test('Ctrl-C while a device is away ends as it should', async (t) => {
    const scenario = join(folder(t), 'plant.yaml')
    writeFileSync(
      scenario,
      'devices: [{id: hall-1, type: sensor, every: 100ms}]\nevents: [{at: 1s, device: hall-1, kind: disconnect, for: 1h}]\n',
    )
    const { url, metric } = await broker(t)
    const { child, ended, output } = simulate('--scenario', scenario, '--broker', url)
    await until(() => (metric('extension_mqtt_broker_received_messages') ?? 0) > 5, 20_000)
    await until(() => metric('extension_mqtt_broker_clients') === 0, 20_000)
    child.kill('SIGINT')
    assert.equal(await ended, 0, output.stderr)
  })

  test('the ground truth is written at the end, also after Ctrl-C', async (t) => {
    const truth = join(folder(t), 'truth.json')
    const { url, metric } = await broker(t)
    const { child, ended, output } = simulate('--broker', url, '--truth', truth, '--speed', '60', ...START)
    await until(() => (metric('extension_mqtt_broker_received_messages') ?? 0) > 200, 20_000)
    child.kill('SIGINT')
    assert.equal(await ended, 0, output.stderr)
    const { start, devices, seconds } = JSON.parse(readFileSync(truth, 'utf8'))
    assert.equal(start, '2026-01-05T06:00:00.000Z')
    assert.ok(seconds > 5)
    assert.ok(devices['cnc-01'].production.total > 0)
  })

  test('a broker that refuses the name or the version ends the run with its words', async (t) => {
    const { url } = await broker(t, { users: [{ username: 'a', password: 'b', publish: ['#'] }] })
    const stranger = simulate('--broker', url)
    assert.equal(await stranger.ended, 1)
    assert.match(stranger.output.stderr, /bad user ?name or password/i)
    const newer = simulate('--broker', url, '--username', 'a', '--password', 'b', '--mqtt', '5')
    assert.equal(await newer.ended, 1)
    assert.match(newer.output.stderr, /protocol version/i)
  })

  test('a flag that cannot be followed says what to write', () => {
    const surroundings = { env: {}, nowMs: 0 }
    for (const [argv, words] of [
      [['--broker', 'localhost:1883'], /write for example mqtt:\/\//],
      [['--qos', '3'], /one of 0, 1, 2/],
      [['--speed', '0'], /above 0, or max/],
      [['--duration', '10'], /write a duration/],
      [['--start', 'yesterday'], /with its zone/],
      [['--seed', '1.5'], /whole number/],
      [['--scenario', '/nowhere.yaml'], /no such file/],
      [['--format', 'xml'], /one of json, sparkplug/],
      [['--format', 'sparkplug', '--group', 'a/b'], /without \/ \+ #/],
      [['--format', 'sparkplug', '--print'], /no text/],
      [['--faster'], /--faster/],
    ] as const)
      assert.throws(
        () => readSimulateOptions(argv, surroundings),
        (error) => {
          assert.ok(error instanceof SimulateUsageError)
          assert.match(error.message, words)
          return true
        },
      )
  })

  test('the password may come from the environment, and the time begins with a whole second', () => {
    const options = readSimulateOptions([], { env: { MILLRACE_MQTT_PASSWORD: 'p' }, nowMs: 12_345 })
    assert.ok(typeof options === 'object')
    assert.equal(options.broker?.password, 'p')
    assert.equal(options.startMs, 12_000)
  })

  test('as Sparkplug B each line is an edge node that a strict host can follow, asks to be reborn, and hears die', async (t) => {
    const { url } = await broker(t)
    const host = new StrictHost()
    const reader = await connectAsync(url)
    t.after(() => reader.end(true))
    reader.on('message', (topic, payload) => host.take(topic, payload))
    await reader.subscribeAsync('spBv1.0/#', { qos: 1 })
    const { child, ended, output } = simulate('--broker', url, '--format', 'sparkplug', '--group', 'g', '--speed', '10')
    const has = (verb: string, node: string): number =>
      host.heard.filter((one) => one.verb === verb && one.node === node).length
    await until(() => has('DDATA', 'line-1') > 10 && has('DDATA', 'line-2') > 10, 20_000)
    const births = has('NBIRTH', 'line-1')
    const command = encodeSparkplug({
      timestampMs: Date.now(),
      metrics: [{ name: 'Node Control/Rebirth', type: DATA_TYPE.values.Boolean, hasType: true, value: true }],
    })
    await reader.publishAsync('spBv1.0/g/DCMD/line-1/cnc-01', Buffer.from(command))
    await reader.publishAsync('spBv1.0/g/NCMD/line-1', Buffer.from(command))
    await until(() => has('NBIRTH', 'line-1') === births + 1, 20_000)
    assert.equal(has('NBIRTH', 'line-2'), 1)
    await until(() => output.stderr.includes('spBv1.0/g/DCMD/line-1/cnc-01: ignored'))
    child.kill('SIGINT')
    assert.equal(await ended, 0, output.stderr)
    await until(() => has('NDEATH', 'line-1') === 1 && has('NDEATH', 'line-2') === 1)
  })

  test('an edge node that dies without a word has its NDEATH from the broker, and its next birth another bdSeq', async (t) => {
    const { url } = await broker(t)
    const host = new StrictHost()
    const reader = await connectAsync(url)
    t.after(() => reader.end(true))
    reader.on('message', (topic, payload) => host.take(topic, payload))
    await reader.subscribeAsync('spBv1.0/#', { qos: 1 })
    const run = simulate('--broker', url, '--format', 'sparkplug')
    await until(() => host.heard.some(({ verb }) => verb === 'NBIRTH'), 20_000)
    // A second client with its name: the broker closes the first connection.
    const thief = await connectAsync(url, { clientId: 'simulated-plant-line-1', reconnectPeriod: 0 })
    const of = (verb: string) => host.heard.filter((one) => one.verb === verb && one.node === 'line-1')
    const bdSeqs = (verb: string): number[] => of(verb).map(({ payload }) => payload.metrics[0].longValue)
    await until(() => of('NBIRTH').length > 1, 20_000)
    assert.deepEqual(bdSeqs('NBIRTH').slice(0, 2), [0, 1])
    assert.equal(bdSeqs('NDEATH')[0], 0)
    thief.end(true)
    run.child.kill('SIGINT')
    assert.equal(await run.ended, 0, run.output.stderr)
  })
})
