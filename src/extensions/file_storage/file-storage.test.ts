import assert from 'node:assert/strict'
import { chmodSync, existsSync, mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { ownDirectory, record } from '../../../test/support/disk.ts'
import { extensionHarness } from '../../../test/support/harness.ts'
import { until } from '../../../test/support/until.ts'
import { ONLY_SHARD } from '../../graph/component.ts'
import type { RecordQueue } from '../../storage/disk-queue.ts'
import type { State } from '../../storage/state.ts'
import { factory } from './factory.ts'
import type { FileStorage } from './file-storage.ts'

const EVENTS = { onReady() {}, onCut() {}, onLost() {} }
const mode = (path: string): string => (statSync(path).mode & 0o777).toString(8)

/** In the first of `shards` shards, unless `shard` is another. */
async function started(t: TestContext, config: object, { shard = 0, shards = 1 } = {}) {
  const place = { ...ONLY_SHARD, index: shard, count: shards }
  const made = await extensionHarness(t, factory, config, {}, place)
  const storage = made.extension as FileStorage
  const openQueue = async (id: string, signal = 'traces', maxBytes?: number): Promise<RecordQueue> => {
    const owner = { kind: 'exporter', id, shards: place }
    const queue = await storage.openQueue({ owner, signal, events: EVENTS })
    if (maxBytes !== undefined) assert.equal(queue.maxBytes, maxBytes)
    t.after(() => queue.close())
    return queue
  }
  const openState = async (id: string, name?: string): Promise<State> => {
    const owner = { kind: 'processor', id, shards: place }
    const more = name === undefined ? {} : { name }
    const state = await storage.openState({ owner, version: 1, restore() {}, ...more })
    t.after(() => state.close())
    return state
  }
  const looked = async (): Promise<void> => {
    storage.pipelinesStarted()
    for (let i = 0; i < 200 && made.logs.length === 0; i++) await new Promise((resolve) => setTimeout(resolve, 2))
  }
  return { ...made, storage, openQueue, openState, looked }
}

const put = (queue: RecordQueue, text: string): Promise<void> =>
  new Promise((resolve, reject) => queue.append(record(text), (error) => (error ? reject(error) : resolve())))

test('each queue and each state has a directory of its own, named as the Collector names its files', async (t) => {
  const directory = ownDirectory(t)
  const { openQueue, openState } = await started(t, { directory })
  await openQueue('otlp_grpc')
  await openQueue('otlp_grpc', 'logs')
  await openQueue('otlp/plant 1:ü')
  await openState('tail_sampling/2', 'windows')
  assert.deepEqual(readdirSync(directory).sort(), [
    'exporter_otlp_grpc__logs.queue',
    'exporter_otlp_grpc__traces.queue',
    'exporter_otlp_plant~00201~003A~00FC_traces.queue',
    'processor_tail_sampling_2_windows.state',
  ])
})

test('each shard has queues and state of its own, the first under the names that it has alone', async (t) => {
  const directory = ownDirectory(t)
  for (const shard of [0, 1, 11]) {
    const { openQueue, openState, logs, looked } = await started(t, { directory }, { shard, shards: 12 })
    await openQueue('otlp_grpc')
    await openState('tail_sampling', 'windows')
    if (shard === 11) await looked()
    assert.deepEqual(logs, [])
  }
  assert.deepEqual(readdirSync(directory).sort(), [
    'exporter_otlp_grpc__traces.1.queue',
    'exporter_otlp_grpc__traces.11.queue',
    'exporter_otlp_grpc__traces.queue',
    'processor_tail_sampling__windows.1.state',
    'processor_tail_sampling__windows.11.state',
    'processor_tail_sampling__windows.state',
  ])
})

/** Takes everything there is and settles it. */
async function drained(queue: RecordQueue): Promise<string[]> {
  const texts: string[] = []
  await until(() => {
    for (let found = queue.take(); found !== undefined; found = queue.take()) {
      texts.push(Buffer.concat(found.parts).toString())
      queue.settle(found)
    }
    return queue.left.records === 0
  })
  return texts
}

test('what shards that there are no more of have left behind is sent by those that there are, each queue in its order', async (t) => {
  const directory = ownDirectory(t)
  for (let shard = 0; shard < 4; shard++) {
    const { openQueue } = await started(t, { directory }, { shard, shards: 4 })
    const queue = await openQueue('otlp_grpc')
    for (let i = 0; i < 3; i++) await put(queue, `shard ${shard}, ${i}`)
    // Another exporter's, which is not asked for below.
    await put(await openQueue('other'), 'x')
    await queue.close()
  }
  const two = await started(t, { directory }, { shard: 0, shards: 2 })
  const first = await two.openQueue('otlp_grpc')
  assert.equal(first.left.records, 6)
  assert.equal(two.logs[0]!.fields.names, 'exporter_otlp_grpc__traces.2.queue')
  // All of shard 2's, which goes first, and one of its own.
  const found: string[] = []
  await until(() => {
    const record = first.take()
    if (record === undefined) return false
    found.push(Buffer.concat(record.parts).toString())
    first.settle(record)
    return found.length === 4
  })
  assert.deepEqual(
    found.filter((text) => text.startsWith('shard 2')),
    ['shard 2, 0', 'shard 2, 1', 'shard 2, 2'],
  )
  await first.close()
  assert.ok(!existsSync(join(directory, 'exporter_otlp_grpc__traces.2.queue')), 'it is empty and still there')

  const one = await started(t, { directory }, { shard: 0, shards: 1 })
  const all = await one.openQueue('otlp_grpc')
  const rest = await drained(all)
  for (const shard of [0, 1, 3]) {
    const own = [0, 1, 2].map((i) => `shard ${shard}, ${i}`).filter((text) => !found.includes(text))
    assert.deepEqual(
      rest.filter((text) => text.startsWith(`shard ${shard}`)),
      own,
    )
  }
  await put(all, 'and on')
  assert.deepEqual(await drained(all), ['and on'])
  await all.close()
  const left = readdirSync(directory).filter((name) => name.includes('otlp_grpc'))
  assert.deepEqual(left, ['exporter_otlp_grpc__traces.queue'])
})

test('what is left behind waits for another time where it was not sent', async (t) => {
  const directory = ownDirectory(t)
  const { openQueue } = await started(t, { directory }, { shard: 1, shards: 2 })
  const second = await openQueue('otlp_grpc')
  for (const text of ['a', 'b', 'c']) await put(second, text)
  await second.close()
  for (const expected of ['a', 'b', 'c']) {
    const { openQueue } = await started(t, { directory })
    const queue = await openQueue('otlp_grpc')
    await until(() => {
      const record = queue.take()
      if (record === undefined) return false
      assert.equal(Buffer.concat(record.parts).toString(), expected)
      queue.settle(record)
      return true
    })
    await queue.close()
  }
  assert.deepEqual(readdirSync(directory), ['exporter_otlp_grpc__traces.queue'])
})

test('max_size is what the queues of all shards may take together, what is left behind included', async (t) => {
  const directory = ownDirectory(t)
  const config = { directory, max_size: '8MiB', fsync: false }
  const body = 'x'.repeat(2 ** 19)
  const two = await started(t, config, { shard: 1, shards: 2 })
  const second = await two.openQueue('otlp_grpc', 'traces', 4 * 2 ** 20)
  for (let i = 0; i < 6; i++) await put(second, body)
  await assert.rejects(async () => {
    for (;;) await put(second, body)
  }, /it holds 4194304 bytes on disk, its max_size/)
  await second.close()
  const one = await started(t, config)
  const all = await one.openQueue('otlp_grpc', 'traces', 8 * 2 ** 20)
  const before = all.diskBytes
  assert.ok(before > 3 * 2 ** 20)
  let took = 0
  await assert.rejects(async () => {
    for (; ; took++) await put(all, body)
  }, /it holds 8388608 bytes on disk, its max_size/)
  assert.ok(took >= 7 && took <= 10, `${took} requests`)
  assert.ok(all.diskBytes <= 8 * 2 ** 20)
})

test('state of shards that there are no more of is told in one line, and left alone', async (t) => {
  const directory = ownDirectory(t)
  for (const shard of [0, 1, 2]) {
    const { openState } = await started(t, { directory }, { shard, shards: 3 })
    const state = await openState('tail_sampling', 'windows')
    await state.append(Buffer.from('x'))
    await state.close()
  }
  const { openState, looked, logs } = await started(t, { directory }, { shard: 0, shards: 2 })
  await openState('tail_sampling', 'windows')
  await looked()
  assert.deepEqual(
    logs.map(({ level, fields }) => [level, fields.names]),
    [['warn', 'processor_tail_sampling__windows.2.state']],
  )
})

test('files are for their owner alone, and a directory that others can look into is told once', async (t) => {
  const directory = join(ownDirectory(t), 'a', 'b')
  const { openQueue, logs } = await started(t, { directory, create_directory: true, directory_permissions: '0700' })
  assert.equal(mode(directory), '700')
  const queue = await openQueue('otlp_grpc')
  await put(queue, 'x')
  const folder = join(directory, 'exporter_otlp_grpc__traces.queue')
  assert.equal(mode(folder), '750')
  assert.equal(mode(join(folder, '0000000001.segment')), '600')
  assert.deepEqual(logs, [])
  chmodSync(directory, 0o777)
  const open = await started(t, { directory })
  assert.deepEqual(
    open.logs.map(({ message }) => message),
    [
      'a directory with queued telemetry is too open: everybody on this machine can look into it, its group can change it',
    ],
  )
  assert.deepEqual(open.logs[0]!.fields, { path: directory, mode: '0777', fix: `chmod 0750 ${directory}` })
})

test('a directory that is not there, or is a file, fails the start with what to do', async (t) => {
  const directory = ownDirectory(t)
  await assert.rejects(
    started(t, { directory: join(directory, 'none') }),
    /the directory .*none does not exist: make it, or write create_directory: true/,
  )
  writeFileSync(join(directory, 'file'), '')
  await assert.rejects(started(t, { directory: join(directory, 'file') }), /is not a directory/)
})

test('a queue that is open elsewhere is waited for as long as timeout says', async (t) => {
  const directory = ownDirectory(t)
  const one = await started(t, { directory })
  const two = await started(t, { directory, timeout: '200ms' })
  const queue = await one.openQueue('otlp_grpc')
  /** Files take real time, waiting takes the clock's. */
  const withClock = async <T>(opening: Promise<T>): Promise<T> => {
    let open = true
    const ended = opening.finally(() => {
      open = false
    })
    ended.catch(() => undefined)
    while (open) {
      two.clock.advance(10)
      await new Promise((resolve) => setTimeout(resolve, 1))
    }
    return await ended
  }
  const from = two.clock.monotonic()
  await assert.rejects(
    withClock(two.openQueue('otlp_grpc')),
    /exporter_otlp_grpc__traces\.queue is in use by another router/,
  )
  assert.ok(two.clock.monotonic() - from >= 200)
  const waiting = two.openQueue('otlp_grpc')
  await queue.close()
  await withClock(waiting)
})

test('queues that nobody names any more are told in one line, and left alone', async (t) => {
  const directory = ownDirectory(t)
  const before = await started(t, { directory })
  for (const id of ['gone', 'otlp_grpc', 'emptied']) {
    const queue = await before.openQueue(id)
    await put(queue, id)
    if (id === 'emptied') queue.settle(queue.take()!)
    await queue.close()
  }
  const state = await before.openState('gone_too')
  await state.append(Buffer.from('x'))
  await state.close()
  // As another router's, which runs.
  await put(await before.openQueue('elsewhere'), 'x')
  const again = await started(t, { directory })
  await again.openQueue('otlp_grpc')
  await again.looked()
  assert.deepEqual(
    again.logs.map(({ level, fields }) => [level, fields.names]),
    [['warn', 'exporter_gone__traces.queue, processor_gone_too_.state']],
  )
  assert.ok(existsSync(join(directory, 'exporter_gone__traces.queue', '0000000001.segment')))
})

test("a Collector's own file is told in one line, and left alone", async (t) => {
  const directory = ownDirectory(t)
  const page = Buffer.alloc(4096)
  page.writeUInt32LE(0xed0cdaed, 16)
  writeFileSync(join(directory, 'exporter_otlp__traces'), page)
  writeFileSync(join(directory, 'receiver_filelog_'), page)
  writeFileSync(join(directory, 'notes.txt'), page)
  writeFileSync(join(directory, 'exporter_notes.txt'), 'no database')
  mkdirSync(join(directory, 'exporter_directory'))
  const { looked, logs, openQueue } = await started(t, { directory })
  await openQueue('otlp')
  await looked()
  assert.equal(logs.length, 1)
  assert.match(logs[0]!.message, /files of a Collector are left here and cannot be read/)
  assert.equal(logs[0]!.fields.names, 'exporter_otlp__traces, receiver_filelog_')
  assert.ok(statSync(join(directory, 'exporter_otlp__traces')).size === 4096)
})
