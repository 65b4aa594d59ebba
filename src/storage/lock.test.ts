import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { Worker } from 'node:worker_threads'
import { ownDirectory } from '../../test/support/disk.ts'
import { lockDirectory, removeLockedDirectory } from './lock.ts'

const AT_ONCE = { timeoutMs: 0, wait: () => Promise.resolve() }

/** Holds the lock and answers nobody any more. */
const HOLDER = `
const { lockDirectory } = await import(process.env.LOCK)
await lockDirectory(process.env.DIRECTORY, { timeoutMs: 0, wait: () => Promise.resolve() })
require('node:worker_threads').parentPort.postMessage('held')
for (;;);
`

test('a thread that is ended gives its lock back, and until then nobody else in the process gets it', async (t) => {
  const directory = ownDirectory(t)
  const env = { LOCK: import.meta.resolve('./lock.ts'), DIRECTORY: directory }
  const holder = new Worker(`void (async () => {${HOLDER}})()`, { eval: true, env })
  t.after(() => holder.terminate())
  await new Promise((resolve, reject) => holder.once('message', resolve).once('error', reject))
  await assert.rejects(lockDirectory(directory, AT_ONCE), /is in use by another router/)
  await holder.terminate()
  const lock = await lockDirectory(directory, AT_ONCE)
  lock.release()
})

test('a directory goes with its lock, but not with anything else in it', async (t) => {
  const directory = ownDirectory(t)
  for (const name of ['empty', 'full']) {
    await mkdir(join(directory, name))
    const lock = await lockDirectory(join(directory, name), AT_ONCE)
    lock.release()
  }
  await writeFile(join(directory, 'full', '0000000001.segment.damaged'), 'x')
  await removeLockedDirectory(join(directory, 'empty'))
  await assert.rejects(removeLockedDirectory(join(directory, 'full')), { code: 'ENOTEMPTY' })
  assert.ok(!existsSync(join(directory, 'empty')))
  assert.ok(existsSync(join(directory, 'full', '0000000001.segment.damaged')))
})
