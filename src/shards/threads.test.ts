import assert from 'node:assert/strict'
import { EventEmitter, once } from 'node:events'
import { type TestContext, test } from 'node:test'
import { Worker } from 'node:worker_threads'
import { namedPipe } from '../../test/support/named-pipe.ts'
import { systemClock } from '../graph/clock.ts'
import type { ProfileSubject } from '../graph/supervised.ts'
import { RouterThreads } from './threads.ts'

const CPU: ProfileSubject = { kind: 'cpu', intervalMs: 1 }
const HEAP: ProfileSubject = { kind: 'heap', garbage: false }
const NEVER = new AbortController().signal

/** A shard that runs `code`, and beside it one that is dead. */
async function threadsWith(t: TestContext, code: string, enterMs?: number) {
  const worker = new Worker(code, { eval: true })
  t.after(() => worker.terminate())
  await once(worker, 'online')
  const shards = () => [{ state: 'ready', worker } as const, { state: 'dead', worker: undefined } as const]
  return { worker, threads: new RouterThreads(shards, systemClock, enterMs) }
}

const IDLE = `require('node:worker_threads').parentPort.on('message', () => {})`
const SPIN = 'function spin() { for (let i = 0; ; i++) Math.sqrt(i) } setTimeout(spin)'
const FILL =
  'const kept = []; function fill() { for (let i = 0; ; i++) kept[i % 50_000] = { text: "item " + i } } setTimeout(fill)'
/** Out of V8's reach from a message on, until somebody writes into the pipe. */
const blockedBy = (pipe: string): string => `const { parentPort } = require('node:worker_threads')
const { readFileSync } = require('node:fs')
parentPort.on('message', () => {
  readFileSync(${JSON.stringify(pipe)})
})`

test('a shard that is stuck in a loop shows where, and what fills its heap', async (t) => {
  for (const [code, subject, found] of [
    [SPIN, CPU, /"functionName":"spin"/],
    [FILL, HEAP, /"functionName":"fill"/],
  ] as const) {
    const { threads } = await threadsWith(t, code)
    // On a machine that has no time for it, the thread may have done next to nothing in one of them.
    for (let tries = 0; !found.test(await threads.profile(0, subject, 200, NEVER)); tries++) assert.ok(tries < 50)
  }
})

test('the heap and the processor time of each thread are known, of one that is stuck, too', async (t) => {
  const { threads } = await threadsWith(t, SPIN)
  for (const thread of [0, 'supervisor'] as const) {
    const { heap, cpuSeconds } = await threads.usage(thread)
    assert.ok(heap.used_heap_size > 0 && cpuSeconds > 0)
  }
})

test('the main thread is profiled like a shard', async (t) => {
  const { threads } = await threadsWith(t, IDLE)
  assert.ok(Array.isArray(JSON.parse(await threads.profile('supervisor', CPU, 50, NEVER)).nodes))
  assert.ok(JSON.parse(await threads.profile('supervisor', HEAP, 50, NEVER)).head)
})

test('a thread has one profile at a time; others have theirs meanwhile', async (t) => {
  const { threads } = await threadsWith(t, IDLE)
  const enough = new AbortController()
  const first = threads.profile(0, CPU, 60_000, enough.signal)
  await assert.rejects(threads.profile(0, HEAP, 1, NEVER), {
    reason: 'busy',
    message: 'a profile of shard 0 is being taken already: cpu',
  })
  await threads.profile('supervisor', CPU, 1, NEVER)
  enough.abort()
  assert.ok(JSON.parse(await first).nodes)
  await threads.profile(0, HEAP, 1, NEVER)
})

test('a shard that is not there is said so at once, and one that ends at its end', async (t) => {
  const { threads, worker } = await threadsWith(t, IDLE)
  const unknown = { reason: 'unknown', message: 'there is no shard 2: write one of 0, 1, supervisor' }
  await assert.rejects(threads.profile(2, CPU, 1, NEVER), unknown)
  await assert.rejects(threads.usage(1), { reason: 'unavailable', message: 'shard 1 is dead' })
  const profile = threads.profile(0, CPU, 60_000, NEVER)
  setTimeout(() => void worker.terminate(), 50)
  await assert.rejects(profile, { reason: 'unavailable' })
})

test('a shard that ends in the very turn in which its profile begins is seen to have ended', async () => {
  // Such a turn cannot be had on demand from a thread that runs.
  const worker = Object.assign(new EventEmitter(), {
    startCpuProfile: async () => {
      queueMicrotask(() => worker.emit('exit', 0))
      return { stop: () => new Promise(() => {}) }
    },
  })
  const threads = new RouterThreads(() => [{ state: 'ready', worker: worker as unknown as Worker }], systemClock)
  const ended = { reason: 'unavailable', message: 'shard 0 has ended' }
  await assert.rejects(threads.profile(0, CPU, 60_000, NEVER), ended)
  assert.equal(worker.listenerCount('exit'), 0)
})

test('a thread that waits for the system is given up in time, and can be profiled once it has come back', async (t) => {
  const { pipe, release } = namedPipe(t)
  const { threads, worker } = await threadsWith(t, blockedBy(pipe), 100)
  worker.postMessage('go')
  const text = 'shard 0 lets nobody in: it has waited for the system for 100 ms'
  // On a busy machine it may be late by itself: it waits for the pipe once it is late again and again.
  for (let late = 0; late < 3; ) {
    const said = await threads.usage(0).catch((error: Error) => error.message)
    late = said === text ? late + 1 : 0
  }
  await assert.rejects(threads.profile(0, CPU, 1, NEVER), { reason: 'unavailable', message: text })
  await assert.rejects(threads.profile(0, CPU, 1, NEVER), { reason: 'busy' })
  release()
  for (let tries = 0; ; tries++) {
    const profile: string = await threads.profile(0, CPU, 1, NEVER).catch((error: Error) => error.message)
    if (profile.startsWith('{')) break
    assert.ok(tries < 300, profile)
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
})
