import assert from 'node:assert/strict'
import { chmodSync, mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { FakeClock } from '../../test/support/fake-clock.ts'
import { type LogLine, memoryLogger } from '../../test/support/harness.ts'
import { openFileWords, WatchedFile, warnOfOpenFile } from './secret-file.ts'

function folder(t: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), 'millrace-secret-'))
  t.after(() => rmSync(path, { recursive: true, force: true }))
  return path
}

test('who else may read or change a file of secrets is said; root and we ourselves may own it', () => {
  const words = (mode: number, uid = 1000): string | undefined => openFileWords({ mode: 0o100000 | mode, uid }, 1000)
  assert.equal(words(0o600), undefined)
  assert.equal(words(0o640), undefined, 'a group may read what root keeps for us')
  assert.equal(words(0o400, 0), undefined)
  assert.match(words(0o644)!, /^everybody on this machine can read it$/)
  assert.match(words(0o620)!, /^others than its owner can change it$/)
  assert.match(words(0o600, 1001)!, /^it belongs to user 1001, who is neither root nor us$/)
  assert.match(words(0o666, 1001)!, /everybody .*, others .*, it belongs/)
  assert.equal(openFileWords({ mode: 0o666, uid: 7 }, undefined), undefined, 'where files have no modes')
})

test('the warning names the mode and what to write; a file that is not there is left to its reader', (t) => {
  const path = join(folder(t), 'secret')
  const logs: LogLine[] = []
  warnOfOpenFile(path, memoryLogger(logs))
  assert.equal(logs.length, 0)
  writeFileSync(path, 'x')
  chmodSync(path, 0o604)
  warnOfOpenFile(path, memoryLogger(logs))
  assert.deepEqual(logs[0]!.fields, { path, mode: '0604', fix: `chmod 600 ${path}` })
})

test('a file that is swapped behind a link, as Kubernetes does it, is read again', async (t) => {
  const at = folder(t)
  for (const version of ['1', '2']) {
    mkdirSync(join(at, version))
    writeFileSync(join(at, version, 'token'), `token ${version}`, { mode: 0o600 })
  }
  symlinkSync('1', join(at, 'data'))
  const seen: string[] = []
  const around = { clock: new FakeClock(), log: memoryLogger() }
  const file = new WatchedFile(
    join(at, 'data', 'token'),
    (text) => text,
    around,
    (value) => seen.push(value),
  )
  assert.equal(file.start(), 'token 1')
  symlinkSync('2', join(at, 'new'))
  renameSync(join(at, 'new'), join(at, 'data'))
  await file.look()
  assert.equal(file.value, 'token 2')
  await file.look()
  assert.deepEqual(seen, ['token 2'], 'once for each change')
  file.stop()
  assert.equal(around.clock.pending, 0)
})

test('a file that is gone is said once, what it held stays, and its return is taken', async (t) => {
  const path = join(folder(t), 'token')
  writeFileSync(path, 'first', { mode: 0o600 })
  const logs: LogLine[] = []
  const file = new WatchedFile(path, (text) => text, { clock: new FakeClock(), log: memoryLogger(logs) })
  file.start()
  t.after(() => file.stop())
  rmSync(path)
  for (let i = 0; i < 3; i++) await file.look()
  assert.equal(file.value, 'first')
  assert.deepEqual(
    logs.map((line) => line.level),
    ['error'],
  )
  writeFileSync(path, 'second', { mode: 0o600 })
  await file.look()
  assert.equal(file.value, 'second')
})
