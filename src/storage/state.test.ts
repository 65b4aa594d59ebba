import assert from 'node:assert/strict'
import { readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { IO_ERROR, moodyFiles, NO_SPACE, ownDirectory } from '../../test/support/disk.ts'
import { type Files, nodeFiles } from './files.ts'
import { lockDirectory } from './lock.ts'
import type { Cut, Loss } from './recovery.ts'
import { openState, type State, type StateOwner } from './state.ts'

interface Opened {
  readonly state: State
  readonly snapshot: string | undefined
  readonly entries: string[]
  readonly versions: number[]
  readonly told: (Cut | Loss)[]
}

async function opened(
  t: TestContext,
  directory: string,
  more: Partial<StateOwner> & { files?: Files } = {},
): Promise<Opened> {
  const lock = await lockDirectory(directory, { timeoutMs: 0, wait: () => Promise.resolve() })
  const found = { snapshot: undefined as string | undefined, entries: [] as string[], versions: [] as number[] }
  const told: (Cut | Loss)[] = []
  const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString()
  const state = await openState({
    version: 1,
    restore({ snapshot, entries }) {
      found.snapshot = snapshot && text(snapshot.bytes)
      found.entries = entries.map(({ bytes }) => text(bytes))
      found.versions = [...(snapshot === undefined ? [] : [snapshot]), ...entries].map(({ version }) => version)
    },
    ...more,
    directory,
    files: more.files ?? nodeFiles,
    fsync: true,
    lock,
    events: { onCut: (cut) => told.push(cut), onLost: (loss) => told.push(loss) },
  })
  t.after(() => state.close())
  return { state, ...found, told }
}

const bytes = (text: string): Buffer => Buffer.from(text)

test('a snapshot and what came after it are restored, in order', async (t) => {
  const directory = ownDirectory(t)
  const first = await opened(t, directory)
  assert.deepEqual([first.snapshot, first.entries], [undefined, []])
  await first.state.append(bytes('a'))
  await first.state.append(bytes('b'))
  await first.state.snapshot(bytes('ab'))
  await first.state.append(bytes('c'))
  assert.equal(first.state.logBytes, 1)
  await first.state.close()
  const second = await opened(t, directory)
  assert.deepEqual([second.snapshot, second.entries], ['ab', ['c']])
  await second.state.append(bytes('d'))
  await second.state.close()
  const third = await opened(t, directory)
  assert.deepEqual([third.snapshot, third.entries, third.told], ['ab', ['c', 'd'], []])
})

test('what is appended while a snapshot is written stands behind it, what was appended before it is in it', async (t) => {
  const directory = ownDirectory(t)
  const first = await opened(t, directory)
  const all: Promise<void>[] = []
  for (let round = 0; round < 5; round++) {
    for (let i = 0; i < 20; i++) all.push(first.state.append(bytes(`${round}.${i}`)))
    all.push(first.state.snapshot(bytes(`after ${round}.19`)))
  }
  for (let i = 0; i < 3; i++) all.push(first.state.append(bytes(`5.${i}`)))
  await Promise.all(all)
  await first.state.close()
  assert.deepEqual(
    readdirSync(directory)
      .filter((name) => name !== 'lock')
      .map((name) => name.split('.')[1])
      .sort(),
    ['log', 'snapshot'],
  )
  const second = await opened(t, directory)
  assert.deepEqual([second.snapshot, second.entries], ['after 4.19', ['5.0', '5.1', '5.2']])
})

test('a snapshot that cannot be written leaves the one before and every entry since', async (t) => {
  const directory = ownDirectory(t)
  const files = moodyFiles()
  const first = await opened(t, directory, { files })
  await first.state.append(bytes('a'))
  await first.state.snapshot(bytes('A'))
  await first.state.append(bytes('b'))
  files.fail = (operation, path) => (operation === 'write' && path.includes('.snapshot') ? NO_SPACE() : undefined)
  await assert.rejects(first.state.snapshot(bytes('AB')), /no space left/)
  files.fail = (operation, path) => (operation === 'sync' && path.includes('.snapshot') ? IO_ERROR() : undefined)
  await assert.rejects(first.state.snapshot(bytes('AB')), /i\/o error/)
  files.fail = () => undefined
  await first.state.append(bytes('c'))
  await first.state.close()
  const second = await opened(t, directory)
  assert.deepEqual([second.snapshot, second.entries], ['A', ['b', 'c']])
})

test('a log that is cut short anywhere gives every whole entry', async (t) => {
  const directory = ownDirectory(t)
  const first = await opened(t, directory)
  for (const entry of ['one', 'two', 'three']) await first.state.append(bytes(entry))
  const path = join(directory, '0000000001.log')
  const whole = readFileSync(path)
  await first.state.close()
  const ends = [24, 24 + 27, 24 + 54, 24 + 83]
  assert.equal(whole.length, ends[3])
  for (let length = 0; length <= whole.length; length++) {
    const other = ownDirectory(t)
    writeFileSync(join(other, '0000000001.log'), whole.subarray(0, length))
    const again = await opened(t, other)
    assert.deepEqual(again.entries, ['one', 'two', 'three'].slice(0, ends.filter((e) => e > 24 && e <= length).length))
    assert.equal(again.told.length, length === 0 || ends.includes(length) ? 0 : 1, `cut at ${length}`)
    await again.state.append(bytes('later'))
    await again.state.close()
    // It is told once: the torn end is gone.
    const third = await opened(t, other)
    assert.deepEqual([third.entries.at(-1), third.told], ['later', []])
    await third.state.close()
  }
})

test('a snapshot that is damaged is told and put aside, and the one before it would be used', async (t) => {
  const directory = ownDirectory(t)
  const first = await opened(t, directory)
  await first.state.append(bytes('a'))
  await first.state.snapshot(bytes('A'))
  await first.state.close()
  const path = join(directory, '0000000002.snapshot')
  const damaged = readFileSync(path)
  damaged[damaged.length - 1]! ^= 1
  writeFileSync(path, damaged)
  const second = await opened(t, directory)
  assert.deepEqual([second.snapshot, second.entries, second.told.length], [undefined, [], 1])
  assert.ok(readdirSync(directory).includes('0000000002.snapshot.damaged'))
})

test('an older version reaches the component with its number; too old, and newer ones, are refused with words', async (t) => {
  const directory = ownDirectory(t)
  const first = await opened(t, directory, { version: 2 })
  await first.state.append(bytes('of 2'))
  await first.state.snapshot(bytes('all of 2'))
  await first.state.append(bytes('more of 2'))
  await first.state.close()
  const before = readdirSync(directory)
  await assert.rejects(
    opened(t, directory, { version: 1 }),
    /holds state of version 2, and this release knows versions up to 1/,
  )
  await assert.rejects(
    opened(t, directory, { version: 3 }),
    /holds state of version 2, and this release reads versions from 3 on/,
  )
  await assert.rejects(
    opened(t, directory, {
      version: 3,
      oldestVersion: 1,
      restore: () => {
        throw new Error('it makes no sense')
      },
    }),
    /it makes no sense/,
  )
  assert.deepEqual(readdirSync(directory), before)
  const third = await opened(t, directory, { version: 3, oldestVersion: 1 })
  assert.deepEqual([third.snapshot, third.entries, third.versions], ['all of 2', ['more of 2'], [2, 2]])
  await third.state.append(bytes('of 3'))
  await third.state.close()
  const fourth = await opened(t, directory, { version: 3, oldestVersion: 2 })
  assert.deepEqual(fourth.versions, [2, 2, 3])
})

test('an entry that could not be written is not restored, and the next one is', async (t) => {
  const directory = ownDirectory(t)
  const files = moodyFiles()
  const first = await opened(t, directory, { files })
  await first.state.append(bytes('a'))
  files.fail = (operation) => (operation === 'write' ? NO_SPACE() : undefined)
  await assert.rejects(first.state.append(bytes('b')), /no space/)
  files.fail = () => undefined
  await first.state.append(bytes('c'))
  await first.state.close()
  truncateSync(join(directory, '0000000002.log'), readFileSync(join(directory, '0000000002.log')).length - 32)
  assert.deepEqual((await opened(t, directory)).entries, ['a', 'c'])
})
