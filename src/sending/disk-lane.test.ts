import assert from 'node:assert/strict'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { type MoodyFiles, moodyFiles, NO_SPACE, ownDirectory } from '../../test/support/disk.ts'
import { batchOf, type Fate, rig, witness } from '../../test/support/harness.ts'
import { object } from '../config/schema.ts'
import { parseConfig } from '../config/testing.ts'
import { DeliveryError, type Retry, WHEN_THERE_IS_ROOM } from '../delivery/error.ts'
import type { Batch, ClientInfo } from '../otlp/batch.ts'
import { DiskQueue } from '../storage/disk-queue.ts'
import { lockDirectory } from '../storage/lock.ts'
import type { Storage } from '../storage/storage.ts'
import { sendingFields } from './config.ts'
import { Sending } from './sending.ts'

const schema = object({ ...sendingFields })
const SMALL = { fileMaxBytes: 8192, memoryMaxBytes: 2048, pendingMaxBytes: 2 ** 20, groupEveryMs: 0 }

/** A storage extension over one directory, with files that fail when the test says so. */
function storageIn(directory: string, files: MoodyFiles, maxBytes: number): Storage {
  return {
    async openQueue({ events }) {
      const lock = await lockDirectory(directory, { timeoutMs: 0, wait: () => Promise.resolve() })
      return await DiskQueue.open({ directory, files, fsync: false, maxBytes, lock, events, bounds: SMALL })
    },
    openState: () => assert.fail('no state here'),
  }
}

interface Tried {
  readonly batch: Batch
  readonly names: readonly string[]
  ok(): void
  fail(error: Error): void
}

async function stage(t: TestContext, directory: string, config: object = {}, maxBytes = 2 ** 24) {
  const files = moodyFiles()
  const base = rig({ extensions: { store: storageIn(directory, files, maxBytes) as never } })
  const tried: Tried[] = []
  const full = { retry_on_failure: { initial_interval: '1s', randomization_factor: 0 }, ...config }
  const sending = new Sending(
    { ...base.context('exporter', 'otlp'), signals: ['traces'] },
    parseConfig(schema, {
      ...full,
      sending_queue: { storage: 'store', ...(full as { sending_queue?: object }).sending_queue },
    }),
    (batch, signal) =>
      new Promise((resolve, reject) => {
        signal.addEventListener('abort', () => reject(signal.reason))
        tried.push({ batch, names: namesIn(batch), ok: resolve, fail: reject })
      }),
  )
  await sending.start()
  t.after(() => sending.stop(AbortSignal.abort()))
  const push = (name: string, spans = 1, client?: ClientInfo): Fate => {
    const { delivery, fate } = witness()
    sending.send(batchOf('traces', request(name, spans), delivery, client))
    return fate
  }
  /** Real files take real time. */
  const until = async (done: () => boolean, what: string): Promise<void> => {
    for (let i = 0; !done(); i++) {
      if (i === 2000) assert.fail(`never: ${what}`)
      await new Promise((resolve) => setTimeout(resolve, 2))
    }
  }
  const tries = (count: number): Promise<void> => until(() => tried.length >= count, `${count} tries`)
  /** Answers every try with success until nothing is queued; names in the order of sending. */
  const drain = async (): Promise<string[]> => {
    const names: string[] = []
    for (let at = 0; ; at++) {
      await until(() => tried.length > at || base.metric('exporter_queue_size') === 0, 'the next try or the end')
      if (tried.length <= at) return names
      names.push(...tried[at]!.names)
      tried[at]!.ok()
    }
  }
  return { ...base, files, sending, tried, push, until, tries, drain }
}

const request = (name: string, spans: number): object => ({
  resourceSpans: [
    {
      scopeSpans: [
        {
          spans: Array.from({ length: spans }, (_, i) => ({
            traceId: '0102030405060708090a0b0c0d0e0f10',
            spanId: '0102030405060708',
            name: `${name}.${i};`,
          })),
        },
      ],
    },
  ],
})

const namesIn = (batch: Batch): string[] =>
  [
    ...Buffer.concat(batch.parts)
      .toString('latin1')
      .matchAll(/([\w-]+)\.\d+;/g),
  ].map((match) => match[1]!)

const failing = (retry: Retry): DeliveryError => new DeliveryError('TEST_FAILED', 'no', { retry })
const settled = (fate: Fate): boolean => fate.delivered || fate.refused !== undefined

test('a sender hears that its request is delivered when the disk has it, not when the destination has', async (t) => {
  const { push, tries, tried, until, metric } = await stage(t, ownDirectory(t))
  const fate = push('a', 3)
  assert.deepEqual([fate.accepted, fate.delivered], [false, false])
  await until(() => fate.delivered, 'delivered')
  await tries(1)
  assert.equal(metric('exporter_queue_size'), 1)
  assert.ok(metric('exporter_queue_disk_size')! > 24)
  assert.equal(metric('exporter_queue_disk_capacity'), 2 ** 24)
  tried[0]!.ok()
  await until(() => metric('exporter_queue_size') === 0, 'settled')
  assert.equal(metric('exporter_sent_spans'), 3)
})

test('what is queued goes over a restart: sizes, order, headers without credentials', async (t) => {
  const directory = ownDirectory(t)
  const config = { sending_queue: { sizer: 'items', queue_size: 100, num_consumers: 2 } }
  const first = await stage(t, directory, config)
  const client: ClientInfo = {
    address: '10.0.0.1',
    metadata: new Map([
      ['x-tenant', ['north', 'south']],
      ['authorization', ['Bearer abc']],
      ['x-api-token', ['abc']],
    ]),
  }
  const names = Array.from({ length: 20 }, (_, i) => `r${i}`)
  const fates = names.map((name) => first.push(name, 4, client))
  await first.until(() => fates.every(settled), 'on disk')
  await first.tries(2)
  first.tried[0]!.ok()
  await first.until(() => first.metric('exporter_queue_size') === 76, 'one settled')
  await first.sending.stop(AbortSignal.abort())
  assert.equal(first.metric('exporter_send_failed_spans'), undefined)
  assert.deepEqual(
    first.logs.filter(({ level }) => level === 'error'),
    [],
  )
  for (const file of readdirSync(directory)) assert.ok(!readFileSync(join(directory, file)).includes('abc'), file)

  const second = await stage(t, directory, config)
  assert.equal(second.metric('exporter_queue_size'), 76)
  await second.tries(2)
  assert.deepEqual([...second.tried[0]!.batch.client.metadata!], [['x-tenant', ['north', 'south']]])
  assert.deepEqual(second.push('too-many', 25).refused?.message, 'sending queue is full')
  // With two senders what was under way may come first or second.
  assert.deepEqual([...new Set(await second.drain())], names.slice(1))
})

test('a permanent failure and the end of retries drop a request for good, counted and logged as from memory', async (t) => {
  const directory = ownDirectory(t)
  const config = { retry_on_failure: { initial_interval: '30s', max_elapsed_time: '30s', randomization_factor: 0 } }
  const first = await stage(t, directory, config)
  first.push('bad', 2)
  first.push('late', 3)
  await first.tries(2)
  first.tried[0]!.fail(failing('never'))
  first.tried[1]!.fail(failing('backoff'))
  await first.until(
    () => first.logs.some(({ message }) => message.startsWith('Exporting failed. Will retry')),
    'back-off',
  )
  first.clock.advance(30_000)
  await first.tries(3)
  first.tried[2]!.fail(failing('backoff'))
  await first.until(() => first.metric('exporter_queue_size') === 0, 'both dropped')
  assert.equal(first.metric('exporter_send_failed_spans'), 5)
  assert.match(first.logs.find(({ level }) => level === 'error')!.message, /^Exporting failed. Dropping data./)
  await first.sending.stop()
  assert.equal((await stage(t, directory)).metric('exporter_queue_size'), 0)
})

test('a stop keeps what waits in back-off and what waits for a sender, and takes no longer than what is on its way', async (t) => {
  const directory = ownDirectory(t)
  const first = await stage(t, directory, { sending_queue: { num_consumers: 2 } })
  for (const name of ['a', 'b', 'c', 'd']) first.push(name)
  await first.tries(2)
  first.tried[0]!.fail(failing('backoff'))
  await first.until(
    () => first.logs.some(({ message }) => message.startsWith('Exporting failed. Will retry')),
    'back-off',
  )
  const stopped = first.sending.stop()
  first.tried[1]!.ok()
  await stopped
  assert.equal(first.metric('exporter_sent_spans'), 1)
  assert.equal(first.push('e').refused?.code, 'EXPORTER_STOPPED')
  const second = await stage(t, directory, { sending_queue: { num_consumers: 1 } })
  assert.deepEqual(await second.drain(), ['a', 'c', 'd'])
})

test('batch inside the queue joins what comes from disk, over restarts and with pieces that fail', async (t) => {
  const directory = ownDirectory(t)
  const config = { sending_queue: { num_consumers: 1, batch: { min_size: 10, max_size: 10, flush_timeout: '1s' } } }
  const first = await stage(t, directory, config)
  const fates = [first.push('a', 4), first.push('b', 4), first.push('c', 4), first.push('d', 4)]
  await first.until(() => fates.every(settled), 'on disk')
  await first.tries(1)
  assert.deepEqual(first.tried[0]!.batch.items, 10)
  // All of a and b, and half of c, whose other half is on its way when the router stops.
  first.tried[0]!.ok()
  await first.until(() => first.metric('exporter_queue_size') === 2, 'a and b are settled')
  await first.sending.stop(AbortSignal.abort())
  const second = await stage(t, directory, config)
  assert.equal(second.metric('exporter_queue_size'), 2)
  await second.until(() => second.clock.pending > 0, 'a batch gathers')
  await new Promise((resolve) => setTimeout(resolve, 20))
  second.clock.advance(1_000)
  await second.tries(1)
  assert.deepEqual([...new Set(second.tried[0]!.names)], ['c', 'd'])
  second.tried[0]!.ok()
  await second.until(() => second.metric('exporter_queue_size') === 0, 'all settled')
})

test('a disk that is full refuses with a code of its own, counted, and told once and then as a sum', async (t) => {
  const { push, files, until, metric, logs, clock, drain } = await stage(t, ownDirectory(t))
  files.fail = (operation) => (operation === 'write' ? NO_SPACE() : undefined)
  const fates = Array.from({ length: 20 }, (_, i) => push(`r${i}`, 2))
  await until(() => fates.every(settled), 'refused')
  for (const { refused } of fates)
    assert.deepEqual([refused!.code, refused!.retry], ['QUEUE_DISK_FAILED', WHEN_THERE_IS_ROOM])
  assert.equal(metric('exporter_enqueue_failed_spans'), 40)
  assert.equal(metric('exporter_queue_size'), 0)
  assert.equal(logs.length, 1)
  clock.advance(10_000)
  assert.deepEqual([logs[0]!.fields.rejected_items, logs[1]!.fields.rejected_items], [2, 38])
  files.fail = () => undefined
  const well = push('well')
  await until(() => well.delivered, 'the disk is well again')
  assert.deepEqual(await drain(), ['well'])
})

test('block_on_overflow lets senders wait for room on disk as well', async (t) => {
  const { push, tries, tried, until } = await stage(t, ownDirectory(t), {
    sending_queue: { queue_size: 1, num_consumers: 1, block_on_overflow: true },
  })
  const [one, two] = [push('one'), push('two')]
  await tries(1)
  await until(() => one.delivered, 'the first')
  assert.equal(settled(two), false)
  tried[0]!.ok()
  await until(() => two.delivered, 'the second')
})

test('a queue at its cap on disk refuses with a retryable error', async (t) => {
  const { push, until } = await stage(t, ownDirectory(t), {}, 64 * 1024)
  const fates: Fate[] = []
  for (let i = 0; i < 80; i++) fates.push(push(`r${i}`, 40))
  await until(() => fates.every(settled), 'all answered')
  const refused = fates.filter((fate) => fate.refused !== undefined)
  assert.ok(refused.length > 0 && refused.length < 80, String(refused.length))
  for (const fate of refused)
    assert.deepEqual([fate.refused!.code, fate.refused!.retry], ['QUEUE_FULL', WHEN_THERE_IS_ROOM])
})

test('records that cannot be read back are counted, logged, and hold up nobody', async (t) => {
  const directory = ownDirectory(t)
  const first = await stage(t, directory, { sending_queue: { num_consumers: 1 } })
  const names = Array.from({ length: 6 }, (_, i) => `r${i}`)
  const fates = names.map((name) => first.push(name, 5))
  await first.until(() => fates.every(settled), 'on disk')
  await first.sending.stop(AbortSignal.abort())
  const path = join(directory, '0000000001.segment')
  const bytes = readFileSync(path)
  const at = bytes.indexOf('r3.2;')
  bytes[at]! ^= 1
  writeFileSync(path, bytes)
  const second = await stage(t, directory, { sending_queue: { num_consumers: 1 } })
  assert.equal(second.metric('exporter_queue_size'), 6)
  assert.deepEqual([...new Set(await second.drain())], ['r0', 'r1', 'r2', 'r4', 'r5'])
  assert.equal(second.metric('exporter_queue_disk_lost_requests'), 1)
  assert.equal(second.metric('exporter_queue_disk_lost_items'), 5)
  const line = second.logs.find(({ level }) => level === 'error')!
  assert.match(line.message, /cannot be read back from disk/)
  assert.deepEqual([line.fields.lost_requests, line.fields.dropped_items], [1, 5])
})

test('without its storage extension an exporter does not start, and says what to do', async () => {
  const base = rig()
  const sending = new Sending(
    { ...base.context('exporter', 'otlp'), signals: ['traces'] },
    parseConfig(schema, { sending_queue: { storage: 'file_storage/2' } }),
    () => Promise.resolve(),
  )
  await assert.rejects(
    sending.start(),
    /the storage extension file_storage\/2 does not run: add it to service.extensions/,
  )
})
