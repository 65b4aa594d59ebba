import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { FakeClock } from '../../test/support/fake-clock.ts'
import { systemClock } from '../graph/clock.ts'
import { FileWatch } from './watch.ts'

function watched(t: TestContext) {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-watch-'))
  const path = join(folder, 'router.yaml')
  writeFileSync(path, 'one')
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  return { folder, path }
}

/** A watch by real events; `changed` resolves at the first call. */
function byEvents(t: TestContext, path: string) {
  const { promise: changed, resolve } = Promise.withResolvers<void>()
  const watch = new FileWatch({ clock: systemClock, onChange: resolve, settleMs: 5, pollMs: 3_600_000 })
  t.after(() => watch.close())
  watch.look(new Map([[path, 'one']]))
  return changed
}

const replace = (path: string, text: string): void => {
  writeFileSync(`${path}~`, text)
  renameSync(`${path}~`, path)
}

test('a file that is written, replaced, or reached through a swapped link is seen', { timeout: 10_000 }, async (t) => {
  const written = watched(t)
  const first = byEvents(t, written.path)
  writeFileSync(written.path, 'two')
  await first

  const replaced = watched(t)
  const second = byEvents(t, replaced.path)
  replace(replaced.path, 'two')
  await second

  const { folder } = watched(t)
  for (const name of ['1', '2']) {
    mkdirSync(join(folder, name))
    writeFileSync(join(folder, name, 'conf'), name === '1' ? 'one' : 'two')
  }
  symlinkSync('1', join(folder, '..data'))
  symlinkSync('..data/conf', join(folder, 'conf'))
  const third = byEvents(t, join(folder, 'conf'))
  symlinkSync('2', join(folder, '..new'))
  renameSync(join(folder, '..new'), join(folder, '..data'))
  await third
})

test('only other content is a change; it is told once, until the files are read again', (t) => {
  const { path } = watched(t)
  const clock = new FakeClock()
  let changes = 0
  const watch = new FileWatch({ clock, onChange: () => changes++, pollMs: 1_000 })
  t.after(() => watch.close())
  watch.look(new Map([[path, 'one']]))
  replace(path, 'one')
  clock.advance(1_000)
  assert.equal(changes, 0)
  replace(path, 'bad')
  clock.advance(5_000)
  assert.equal(changes, 1)
  watch.look(new Map([[path, 'bad']]))
  clock.advance(5_000)
  assert.equal(changes, 1)
  rmSync(path)
  clock.advance(1_000)
  assert.equal(changes, 2)
  watch.look(new Map([[path, undefined]]))
  clock.advance(1_000)
  assert.equal(changes, 2)
  writeFileSync(path, 'one')
  clock.advance(1_000)
  assert.equal(changes, 3)
})

test('files in folders that do not exist yet are looked for, and closing leaves no timer', (t) => {
  const { folder } = watched(t)
  const clock = new FakeClock()
  let changes = 0
  const watch = new FileWatch({ clock, onChange: () => changes++, pollMs: 1_000 })
  const path = join(folder, 'later', 'part.yaml')
  watch.look(new Map([[path, undefined]]))
  mkdirSync(join(folder, 'later'))
  writeFileSync(path, 'here')
  clock.advance(1_000)
  assert.equal(changes, 1)
  watch.close()
  assert.equal(clock.pending, 0)
})
