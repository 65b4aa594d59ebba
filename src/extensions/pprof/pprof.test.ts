import assert from 'node:assert/strict'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import { supervisedHarness } from '../../../test/support/harness.ts'
import { parseConfig } from '../../config/testing.ts'
import { systemClock } from '../../graph/clock.ts'
import type { ShardHealth, ThreadName, Threads } from '../../graph/supervised.ts'
import { RouterThreads } from '../../shards/threads.ts'
import { config } from './config.ts'
import { supervise } from './supervise.ts'

/** What the shards of these tests do: burn for a while, allocate, and rest. */
const WORK = (name: string): string => `
  function burn${name}() { const end = performance.now() + 20; let sum = 0; while (performance.now() < end) sum += Math.sqrt(sum + 1); return sum }
  const kept = []
  function fill${name}() { for (let i = 0; i < 1_000; i++) kept[i] = { text: 'item ' + i } }
  setInterval(() => { burn${name}(); fill${name}() }, 25)`

interface Shard {
  state: ShardHealth['state']
  worker: Worker | undefined
}

/** pprof over threads that really run: one for each of `names`, which is in the names of its functions. */
async function pprof(t: TestContext, plain: object = {}, names: readonly string[] = ['A']) {
  const shards = await Promise.all(names.map((name) => startShard(t, name)))
  const health = () => ({
    ready: true,
    startedAtMs: 0,
    shards: shards.map(({ state }, index) => ({ index, state, components: [], pipelines: [] })),
  })
  const real = new RouterThreads(() => shards, systemClock)
  const begun: ThreadName[] = []
  const threads: Threads = {
    profile(thread, ...rest) {
      begun.push(thread)
      return real.profile(thread, ...rest)
    },
    usage: (thread) => real.usage(thread),
  }
  const settings = { endpoint: '127.0.0.1:0', ...plain }
  const started = await supervisedHarness(t, { supervise, config }, settings, { health, threads })
  const say = async (path: string): Promise<[number, string]> => {
    const response = await started.get(path)
    return [response.status, await response.text()]
  }
  const underWay = async (): Promise<void> => {
    while (begun.length === 0) await sleep(5)
  }
  return { ...started, shards, say, underWay }
}

async function startShard(t: TestContext, name: string): Promise<Shard> {
  const worker = new Worker(WORK(name), { eval: true })
  t.after(() => worker.terminate())
  await once(worker, 'online')
  return { state: 'ready', worker }
}

/** Asks until the profile names the function: on a machine without time for it, a thread may have done next to nothing. */
async function until(get: () => Promise<Response>, functionName: string): Promise<Response> {
  for (let tries = 0; tries < 40; tries++) {
    const response = await get()
    assert.equal(response.status, 200)
    if ((await response.text()).includes(`"functionName":"${functionName}"`)) return response
  }
  throw new Error(`no profile names ${functionName}`)
}

test('a profile of processor time names the functions that used it, in the shard that is asked for', async (t) => {
  const { get } = await pprof(t, {}, ['A', 'B'])
  for (const [path, functionName, file] of [
    ['/debug/pprof/profile?seconds=0.3', 'burnA', 'shard-0'],
    ['/debug/cpu?seconds=0.3&shard=1', 'burnB', 'shard-1'],
  ] as const) {
    const { headers } = await until(() => get(path), functionName)
    assert.equal(headers.get('content-disposition'), `attachment; filename="millrace-${file}.cpuprofile"`)
    assert.equal(headers.get('content-type'), 'application/json')
  }
})

test('a profile of the heap names who allocated what stays, and what went', async (t) => {
  const { get } = await pprof(t)
  for (const path of ['/debug/pprof/heap?seconds=0.3', '/debug/heap?seconds=0.3', '/debug/pprof/allocs?seconds=0.3']) {
    const { headers } = await until(() => get(path), 'fillA')
    assert.match(headers.get('content-disposition')!, /\.heapprofile"$/)
  }
})

test('the main thread is profiled like a shard', async (t) => {
  const { get } = await pprof(t)
  const response = await get('/debug/cpu?seconds=0.1&shard=supervisor')
  assert.equal(response.headers.get('content-disposition'), 'attachment; filename="millrace-supervisor.cpuprofile"')
  assert.ok(Array.isArray(((await response.json()) as { nodes: unknown }).nodes))
})

test('a thread has one profile at a time, which ends when its client leaves', async (t) => {
  const { get, say, underWay } = await pprof(t)
  const gone = new AbortController()
  const first = get('/debug/pprof/profile', { signal: gone.signal })
  await underWay()
  assert.deepEqual(await say('/debug/pprof/heap'), [409, 'a profile of shard 0 is being taken already: cpu\n'])
  assert.equal((await say('/debug/heap?seconds=0.01&shard=supervisor'))[0], 200)
  gone.abort()
  await assert.rejects(first)
  // Long before the 30 seconds are over.
  for (let tries = 0; (await say('/debug/heap?seconds=0.01'))[0] !== 200; tries++) {
    assert.ok(tries < 200)
    await sleep(20)
  }
})

test('seconds out of bounds, unknown shards and unknown paths are refused with words', async (t) => {
  const { say } = await pprof(t, {}, ['A', 'B'])
  for (const seconds of ['0', '-1', '301', 'x', ''])
    assert.deepEqual(await say(`/debug/cpu?seconds=${seconds}`), [400, 'seconds must be above 0 and at most 300\n'])
  for (const shard of ['', '-1', 'two', '1.5'])
    assert.deepEqual(await say(`/debug/cpu?shard=${shard}`), [
      400,
      'shard must be the number of a shard, or supervisor\n',
    ])
  assert.deepEqual(await say('/debug/cpu?shard=2'), [404, 'there is no shard 2: write one of 0, 1, supervisor\n'])
  const [status, words] = await say('/debug/pprof/goroutine')
  assert.equal(status, 404)
  assert.match(words, /\/debug\/pprof\/profile\?seconds=30/)
})

test('the index lists the threads and their states; a shard that is dead says so at once', async (t) => {
  const { say, shards } = await pprof(t, {}, ['A', 'B'])
  shards[1] = { state: 'dead', worker: undefined }
  const [status, words] = await say('/debug/pprof/')
  assert.equal(status, 200)
  assert.match(words, /^ {2}shard=0 +ready\n {2}shard=1 +dead\n {2}shard=supervisor +the main thread$/m)
  assert.deepEqual(await say('/debug/cpu?shard=1'), [503, 'shard 1 is dead\n'])
})

test('stopping ends a profile under way and delivers it', async (t) => {
  const { extension, get, underWay } = await pprof(t)
  const answer = get('/debug/pprof/profile?seconds=300')
  await underWay()
  extension.pipelinesStopping?.()
  const response = await answer
  assert.equal(response.status, 200)
  assert.ok(((await response.json()) as { nodes: unknown }).nodes)
})

function folder(t: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), 'millrace-pprof-'))
  t.after(() => rmSync(path, { recursive: true }))
  return path
}

test('save_to_file profiles one shard into that file', async (t) => {
  const file = join(folder(t), 'cpu.cpuprofile')
  const { extension, say } = await pprof(t, { save_to_file: file })
  extension.pipelinesStarted?.()
  assert.equal((await say('/debug/cpu'))[0], 409)
  extension.pipelinesStopping?.()
  await extension.stop?.(AbortSignal.timeout(5000))
  await extension.stop?.(AbortSignal.timeout(5000))
  assert.ok(Array.isArray(JSON.parse(readFileSync(file, 'utf8')).nodes))
})

test('save_to_file profiles each of several shards into a file of its own, and one that was started again anew', async (t) => {
  const at = folder(t)
  const { clock, extension, logs, shards } = await pprof(t, { save_to_file: join(at, 'cpu.cpuprofile') }, ['A', 'B'])
  extension.pipelinesStarted?.()
  const { worker } = shards[1]!
  shards[1] = { state: 'dead', worker: undefined }
  await worker!.terminate()
  while (!logs.some(({ level, fields }) => level === 'error' && fields.shard === 1)) await sleep(5)
  clock.advance(1_000)
  shards[1] = await startShard(t, 'C')
  clock.advance(1_000)
  await extension.stop?.(AbortSignal.timeout(5000))
  const profiles = [0, 1].map((shard) => JSON.parse(readFileSync(join(at, `cpu-${shard}.cpuprofile`), 'utf8')))
  assert.ok(profiles.every(({ nodes }) => Array.isArray(nodes)))
  assert.ok(!existsSync(join(at, 'cpu.cpuprofile')))
})

test('a profile that cannot be saved is logged and does not keep the router from stopping', async (t) => {
  const { extension, logs } = await pprof(t, { save_to_file: '/nowhere/at/all.cpuprofile' })
  extension.pipelinesStarted?.()
  await extension.stop?.(AbortSignal.timeout(5000))
  assert.match(String(logs.find((line) => line.level === 'error')?.fields.error), /ENOENT/)
})

test('the keys of the Collector are read', () => {
  const plain = { block_profile_fraction: 3, mutex_profile_fraction: 5, dialer: { timeout: '1s' } }
  assert.deepEqual(parseConfig(config, plain), { endpoint: 'localhost:1777', saveToFile: '' })
})
