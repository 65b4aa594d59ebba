import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { extensionHarness, type Rig } from '../../../test/support/harness.ts'
import { parseConfig } from '../../config/testing.ts'
import { config } from './config.ts'
import { factory } from './factory.ts'
import { Pprof } from './pprof.ts'

interface Started extends Rig {
  readonly extension: Pprof
  get(path: string, init?: RequestInit): Promise<Response>
  /** Resolves when a profile waits for its time to pass. */
  waiting(): Promise<void>
}

async function pprof(t: TestContext, plain: object = {}): Promise<Started> {
  const started = await extensionHarness(t, factory, { endpoint: '127.0.0.1:0', ...plain })
  const { clock, extension } = started
  assert.ok(extension instanceof Pprof)
  const { host, port } = extension.address!
  return {
    ...started,
    extension,
    get: (path, init = {}) => fetch(`http://${host}:${port}${path}`, init),
    waiting: async () => {
      while (clock.pending === 0) await new Promise((resolve) => setImmediate(resolve))
    },
  }
}

function burn(ms: number): number {
  const end = performance.now() + ms
  let sum = 0
  while (performance.now() < end) sum += Math.sqrt(sum + 1)
  return sum
}

/** Burns until this process really had 200 ms of a processor, with pauses in which V8's sampler gets going. */
async function burnProcessorTime(): Promise<void> {
  const before = process.cpuUsage()
  for (let used = 0; used < 200_000; used = process.cpuUsage(before).user) {
    burn(10)
    await new Promise((resolve) => setTimeout(resolve, 1))
  }
}

test('a profile of processor time names the functions that used it', async (t) => {
  const { clock, get, waiting } = await pprof(t)
  for (const path of ['/debug/pprof/profile?seconds=2', '/debug/cpu?seconds=2']) {
    const answer = get(path)
    await waiting()
    await burnProcessorTime()
    clock.advance(2000)
    const response = await answer
    assert.equal(response.status, 200)
    assert.match(response.headers.get('content-disposition')!, /\.cpuprofile"$/)
    const profile = (await response.json()) as { nodes: { callFrame: { functionName: string } }[]; samples: number[] }
    assert.ok(profile.nodes.some((node) => node.callFrame.functionName === 'burn'))
    assert.ok(profile.samples.length > 10)
  }
})

test('a profile of the heap names who allocated what stays, and what went', async (t) => {
  const { clock, get, waiting } = await pprof(t)
  for (const path of ['/debug/pprof/heap?seconds=1', '/debug/heap', '/debug/pprof/allocs']) {
    const answer = get(path)
    await waiting()
    const kept = fill()
    clock.advance(5000)
    const response = await answer
    assert.equal(response.status, 200)
    assert.match(response.headers.get('content-disposition')!, /\.heapprofile"$/)
    assert.match(await response.text(), /"functionName":"fill"/, path)
    assert.equal(kept.length, 20_000)
  }
})

const fill = (): object[] => Array.from({ length: 20_000 }, (_, index) => ({ index, text: `item ${index}` }))

test('one profile is taken at a time', async (t) => {
  const { clock, get, waiting } = await pprof(t)
  const first = get('/debug/pprof/profile')
  await waiting()
  const second = await get('/debug/pprof/heap')
  assert.deepEqual([second.status, await second.text()], [409, 'a profile is being taken already: cpu\n'])
  clock.advance(30_000)
  assert.equal((await first).status, 200)
})

test('a client that leaves ends its profile', async (t) => {
  const { clock, get, waiting } = await pprof(t)
  const gone = new AbortController()
  const first = get('/debug/pprof/profile', { signal: gone.signal })
  await waiting()
  gone.abort()
  await assert.rejects(first)
  while (clock.pending > 0) await new Promise((resolve) => setImmediate(resolve))
  const second = get('/debug/pprof/profile?seconds=1')
  await waiting()
  clock.advance(1000)
  // The first may still be ending.
  assert.ok([200, 409].includes((await second).status))
})

test('seconds out of bounds and unknown paths are refused with words', async (t) => {
  const { get } = await pprof(t)
  for (const seconds of ['0', '-1', '301', 'x', '']) {
    const response = await get(`/debug/pprof/profile?seconds=${seconds}`)
    assert.deepEqual(
      [response.status, await response.text()],
      [400, 'seconds must be above 0 and at most 300\n'],
      seconds,
    )
  }
  const unknown = await get('/debug/pprof/goroutine')
  assert.equal(unknown.status, 404)
  assert.match(await unknown.text(), /\/debug\/pprof\/profile\?seconds=30/)
  assert.equal((await get('/debug/pprof/')).status, 200)
})

test('stopping ends a profile under way and delivers it', async (t) => {
  const { extension, get, waiting } = await pprof(t)
  const answer = get('/debug/pprof/profile?seconds=300')
  await waiting()
  await Promise.all([extension.stop(AbortSignal.timeout(5000)), answer.then((response) => response.json())])
  assert.equal((await answer).status, 200)
})

test('save_to_file profiles from start to stop', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-pprof-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const file = join(folder, 'cpu.cpuprofile')
  const { extension, get, waiting } = await pprof(t, { save_to_file: file })
  await waiting()
  assert.equal((await get('/debug/cpu')).status, 409)
  await extension.stop(AbortSignal.timeout(5000))
  await extension.stop(AbortSignal.timeout(5000))
  assert.ok(Array.isArray(JSON.parse(readFileSync(file, 'utf8')).nodes))
})

test('a profile that cannot be saved is logged and does not keep the router from stopping', async (t) => {
  const { extension, logs, waiting } = await pprof(t, { save_to_file: '/nowhere/at/all.cpuprofile' })
  await waiting()
  await extension.stop(AbortSignal.timeout(5000))
  assert.match(String(logs.find((line) => line.level === 'error')?.fields.error), /ENOENT/)
})

test('the keys of the Collector are read', () => {
  const plain = { block_profile_fraction: 3, mutex_profile_fraction: 5, dialer: { timeout: '1s' } }
  assert.deepEqual(parseConfig(config, plain), { endpoint: 'localhost:1777', saveToFile: '' })
})
