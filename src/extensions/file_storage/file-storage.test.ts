import assert from 'node:assert/strict'
import { chmodSync, existsSync, mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { ownDirectory, record } from '../../../test/support/disk.ts'
import { extensionHarness } from '../../../test/support/harness.ts'
import type { DiskQueue } from '../../storage/disk-queue.ts'
import type { State } from '../../storage/state.ts'
import { factory } from './factory.ts'
import type { FileStorage } from './file-storage.ts'

const EVENTS = { onReady() {}, onCut() {}, onLost() {} }
const mode = (path: string): string => (statSync(path).mode & 0o777).toString(8)

async function started(t: TestContext, config: object) {
  const made = await extensionHarness(t, factory, config)
  const storage = made.extension as FileStorage
  const openQueue = async (id: string, signal = 'traces'): Promise<DiskQueue> => {
    const queue = await storage.openQueue({ owner: { kind: 'exporter', id }, signal, events: EVENTS })
    t.after(() => queue.close())
    return queue
  }
  const openState = async (id: string, name?: string, shard?: number): Promise<State> => {
    const more = { ...(name === undefined ? {} : { name }), ...(shard === undefined ? {} : { shard }) }
    const state = await storage.openState({ owner: { kind: 'processor', id }, version: 1, restore() {}, ...more })
    t.after(() => state.close())
    return state
  }
  const looked = async (): Promise<void> => {
    storage.pipelinesStarted()
    for (let i = 0; i < 200 && made.logs.length === 0; i++) await new Promise((resolve) => setTimeout(resolve, 2))
  }
  return { ...made, storage, openQueue, openState, looked }
}

const put = (queue: DiskQueue, text: string): Promise<void> =>
  new Promise((resolve, reject) => queue.append(record(text), (error) => (error ? reject(error) : resolve())))

test('each queue and each state has a directory of its own, named as the Collector names its files', async (t) => {
  const directory = ownDirectory(t)
  const { openQueue, openState } = await started(t, { directory })
  await openQueue('otlp_grpc')
  await openQueue('otlp_grpc', 'logs')
  await openQueue('otlp/plant 1:ü')
  await openState('tail_sampling/2', 'windows')
  await openState('tail_sampling/2', 'windows', 3)
  assert.deepEqual(readdirSync(directory).sort(), [
    'exporter_otlp_grpc__logs.queue',
    'exporter_otlp_grpc__traces.queue',
    'exporter_otlp_plant~00201~003A~00FC_traces.queue',
    'processor_tail_sampling_2_windows.3.state',
    'processor_tail_sampling_2_windows.state',
  ])
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
