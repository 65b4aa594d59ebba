import assert from 'node:assert/strict'
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { IO_ERROR, moodyFiles, NO_SPACE, openQueue, ownDirectory, READ_ONLY } from '../../test/support/disk.ts'
import type { DeliveryError } from '../delivery/error.ts'
import { type Files, nodeFiles } from './files.ts'

const texts = (count: number, from = 0): string[] =>
  Array.from({ length: count }, (_, i) => `request ${from + i} ${'x'.repeat(((from + i) * 37) % 300)}`)

const segments = (directory: string): string[] =>
  readdirSync(directory)
    .filter((name) => name.endsWith('.segment'))
    .sort()
    .map((name) => join(directory, name))

test('what is appended comes back in order, in this process and in the next', async (t) => {
  const directory = ownDirectory(t)
  const all = texts(200)
  const first = await openQueue(t, directory)
  await Promise.all(all.map((text) => first.put(text, 3)))
  assert.deepEqual(await first.take(50), all.slice(0, 50))
  assert.equal(first.queue.left.records, 200)
  await first.queue.close()

  const second = await openQueue(t, directory)
  assert.equal(second.queue.left.records, 200)
  assert.equal(second.queue.left.items, 600)
  assert.equal(
    second.queue.left.bytes,
    all.reduce((sum, text) => sum + text.length, 0),
  )
  assert.deepEqual(await second.drain(), all)
  assert.deepEqual(second.queue.left, { records: 0, items: 0, bytes: 0 })
  assert.deepEqual([...second.cuts, ...second.losses], [])
})

test('what comes while older records wait on disk is taken after them', async (t) => {
  const directory = ownDirectory(t)
  const opened = await openQueue(t, directory, { bounds: { memoryMaxBytes: 500 } })
  const all = texts(120)
  const taken: string[] = []
  for (const [i, text] of all.entries()) {
    await opened.put(text)
    if (i % 3 === 2) taken.push(...(await opened.take(1)))
  }
  taken.push(...(await opened.take(all.length - taken.length)))
  assert.deepEqual(taken, all)
})

test('what is settled does not come again, and a file without anything left is deleted', async (t) => {
  const directory = ownDirectory(t)
  const all = texts(100)
  const first = await openQueue(t, directory)
  await Promise.all(all.map((text) => first.put(text)))
  const before = segments(directory).length
  assert.ok(before > 3)
  for (let i = 0; i < 60; i++) first.queue.settle(first.queue.take() ?? (await readyRecord(first)))
  await first.queue.close()
  assert.ok(segments(directory).length < before)

  const second = await openQueue(t, directory)
  assert.equal(second.queue.left.records, 40)
  assert.deepEqual(await second.drain(), all.slice(60))
  await second.queue.close()
  assert.deepEqual(readdirSync(directory), ['lock'])
})

const readyRecord = async ({ queue }: { queue: { take(): unknown } }): Promise<never> => {
  for (;;) {
    const record = queue.take()
    if (record !== undefined) return record as never
    await new Promise((resolve) => setImmediate(resolve))
  }
}

test('a last write that was cut short anywhere costs what it held, and is told', async (t) => {
  const origin = ownDirectory(t)
  const first = await openQueue(t, origin)
  const all = texts(4)
  for (const text of all) await first.put(text)
  // As kill -9 leaves it: no footer.
  const [path] = segments(origin) as [string]
  const whole = readFileSync(path)
  const ends = [24]
  for (const text of all) ends.push(ends.at(-1)! + 24 + text.length)
  assert.equal(ends.at(-1), whole.length)

  for (let length = 0; length <= whole.length; length++) {
    const directory = join(origin, `cut-${length}`)
    mkdirSync(directory)
    copyFileSync(path, join(directory, '0000000001.segment'))
    truncateSync(join(directory, '0000000001.segment'), length)
    const opened = await openQueue(t, directory)
    const sound = ends.filter((end) => end <= length).length - 1
    const left = sound < 0 ? [] : all.slice(0, sound)
    const cut = length < 24 ? length : length - ends[sound]!
    assert.deepEqual(
      opened.cuts.map(({ bytes, offset }) => ({ bytes, offset })),
      cut === 0 ? [] : [{ bytes: cut, offset: length < 24 ? 0 : ends[sound]! }],
      `cut at ${length}`,
    )
    await opened.put('later')
    assert.deepEqual(await opened.drain(), [...left, 'later'], `cut at ${length}`)
    assert.deepEqual(opened.losses, [])
    await opened.queue.close()
  }
})

test('a flipped bit costs one record, which is counted, and never a later one', async (t) => {
  const origin = ownDirectory(t)
  const first = await openQueue(t, origin)
  const all = texts(8)
  for (const text of all) await first.put(text, 2)
  const [path] = segments(origin) as [string]
  const unsealed = readFileSync(path)
  // Sealed, as a file is that filled up or was closed.
  await first.queue.close()
  const sealed = readFileSync(path)
  assert.equal(sealed.length, unsealed.length + 32)

  for (const [kind, content] of [
    ['sealed', sealed],
    ['unsealed', unsealed],
  ] as const) {
    for (let at = 0; at < content.length; at += 13) {
      const directory = join(origin, `${kind}-${at}`)
      mkdirSync(directory)
      const flipped = Buffer.from(content)
      flipped[at] = flipped[at]! ^ (1 << (at % 8))
      writeFileSync(join(directory, '0000000001.segment'), flipped)
      // A version that is not known is a matter of its own.
      if (at >= 8 && at < 10) continue
      const opened = await openQueue(t, directory)
      const got = await opened.drain()
      const missing = all.filter((text) => !got.includes(text))
      assert.deepEqual(
        got,
        all.filter((text) => got.includes(text)),
        `${kind} ${at}`,
      )
      assert.ok(missing.length <= 1, `${kind} ${at}: ${missing.length} are missing`)
      const told = opened.losses.reduce((sum, { records }) => sum + records, 0) + opened.cuts.length
      assert.ok(missing.length === 0 || told > 0, `${kind} ${at}: a loss was not told`)
      if (kind === 'sealed' && missing.length === 1 && at < unsealed.length)
        assert.deepEqual(
          opened.losses.map(({ records, items }) => [records, items]),
          [[1, 2]],
        )
      await opened.queue.close()
    }
  }
})

test('a file of an unknown version stops the start with words, and nothing is touched', async (t) => {
  const directory = ownDirectory(t)
  const first = await openQueue(t, directory)
  for (const text of texts(40)) await first.put(text)
  await first.queue.close()
  const [, second] = segments(directory) as [string, string]
  const bytes = readFileSync(second)
  const { crc32 } = await import('node:zlib')
  for (const version of [0, 2]) {
    bytes.writeUInt16LE(version, 8)
    bytes.writeUInt32LE(crc32(bytes.subarray(0, 20)), 20)
    writeFileSync(second, bytes)
    const before = segments(directory).map((path) => readFileSync(path))
    await assert.rejects(openQueue(t, directory), (error: Error) => {
      assert.match(error.message, new RegExp(`has version ${version} of its format, and this release reads version 1`))
      return true
    })
    assert.deepEqual(
      segments(directory).map((path) => readFileSync(path)),
      before,
    )
  }
})

test('a directory that is in use is refused with words, and free again when its queue is closed', async (t) => {
  const directory = ownDirectory(t)
  const first = await openQueue(t, directory)
  await assert.rejects(openQueue(t, directory), /is in use by another router/)
  await first.queue.close()
  await openQueue(t, directory)
})

test('a full disk refuses what cannot be written and nothing else; when it has room again the queue goes on', async (t) => {
  const directory = ownDirectory(t)
  const files = moodyFiles()
  const opened = await openQueue(t, directory, { files, fsync: true })
  await opened.put('before')
  files.fail = (operation) => (operation === 'write' ? NO_SPACE() : undefined)
  const refused = await Promise.allSettled([opened.put('one'), opened.put('two')])
  for (const result of refused) {
    assert.equal(result.status, 'rejected')
    const error = (result as PromiseRejectedResult).reason as DeliveryError
    assert.equal(error.code, 'QUEUE_DISK_FAILED')
    assert.deepEqual(error.retry, { afterMs: 1000 })
    assert.match(error.message, /no space left on device/)
  }
  assert.equal(opened.queue.left.records, 1)
  files.fail = () => undefined
  await opened.put('after')
  assert.deepEqual(await opened.take(2), ['before', 'after'])
  await opened.queue.close()
  const next = await openQueue(t, directory)
  assert.deepEqual(await next.drain(), ['before', 'after'])
  assert.deepEqual([...next.cuts, ...next.losses], [])
})

test('a full disk has room again once what it holds is settled, whatever the files could take', async (t) => {
  const directory = ownDirectory(t)
  const files = moodyFiles()
  const opened = await openQueue(t, directory, { files })
  await opened.put('before')
  // The disk is full for as long as the file is there.
  const [full = ''] = segments(directory)
  files.fail = (operation) => (operation === 'write' && existsSync(full) ? NO_SPACE() : undefined)
  for (let i = 0; i < 3; i++) await assert.rejects(opened.put('refused'), /no space left on device/)
  assert.deepEqual(await opened.drain(), ['before'])
  while (existsSync(full)) await new Promise((resolve) => setImmediate(resolve))
  await opened.put('after')
  assert.deepEqual(await opened.drain(), ['after'])
})

test('on a full disk the file that is being written gives its room back as well, once all in it is settled', async (t) => {
  const directory = ownDirectory(t)
  const files = moodyFiles()
  const opened = await openQueue(t, directory, { files })
  await opened.put('before')
  const [first] = segments(directory) as [string]
  // There is room again when that file is gone.
  files.fail = (operation) => (operation === 'write' && existsSync(first) ? NO_SPACE() : undefined)
  await assert.rejects(opened.put('refused'), /no space/)
  await assert.rejects(opened.put('refused'), /no space/)
  assert.deepEqual(await opened.drain(), ['before'])
  for (let i = 0; existsSync(first) && i < 1000; i++) await new Promise((resolve) => setTimeout(resolve, 1))
  await opened.put('after')
  assert.deepEqual(await opened.drain(), ['after'])
})

test('half a record that could not be cut off again is left behind in a file of its own', async (t) => {
  const directory = ownDirectory(t)
  const files = moodyFiles()
  const opened = await openQueue(t, directory, { files })
  await opened.put('before')
  files.fail = (operation) => (operation === 'write' || operation === 'truncate' ? NO_SPACE() : undefined)
  await assert.rejects(opened.put('half a record'))
  files.fail = () => undefined
  await opened.put('after')
  assert.equal(segments(directory).length, 2)
  await opened.queue.close()
  const next = await openQueue(t, directory)
  assert.equal(next.cuts.length, 1)
  assert.deepEqual(await next.drain(), ['before', 'after'])
  assert.deepEqual(next.losses, [])
})

test('after an fdatasync that failed the file is not trusted with anything more', async (t) => {
  const directory = ownDirectory(t)
  const files = moodyFiles()
  const opened = await openQueue(t, directory, { files, fsync: true })
  await opened.put('before')
  files.fail = (operation) => (operation === 'sync' ? IO_ERROR() : undefined)
  await assert.rejects(opened.put('unsure'), /i\/o error/)
  files.fail = () => undefined
  await opened.put('after')
  assert.equal(segments(directory).length, 2)
  assert.deepEqual(await opened.drain(), ['before', 'after'])
})

test('on a disk that turns read-only everything is refused, and it is told why', async (t) => {
  const files = moodyFiles()
  const opened = await openQueue(t, ownDirectory(t), { files })
  files.fail = (operation) => (operation === 'create' || operation === 'write' ? READ_ONLY() : undefined)
  for (let i = 0; i < 3; i++) await assert.rejects(opened.put('x'), /read-only file system/)
  files.fail = () => undefined
  await opened.put('y')
  assert.deepEqual(await opened.drain(), ['y'])
})

test('records that the disk does not give back count as lost, their file is put aside, and the rest goes on', async (t) => {
  const directory = ownDirectory(t)
  const first = await openQueue(t, directory)
  const all = texts(60)
  for (const text of all) await first.put(text)
  await first.queue.close()
  const files = moodyFiles()
  const next = await openQueue(t, directory, { files })
  const [broken] = segments(directory) as [string]
  files.fail = (operation, path) => (operation === 'read' && path === broken ? IO_ERROR() : undefined)
  const got = await next.drain()
  assert.deepEqual(got, all.slice(all.length - got.length))
  assert.equal(next.losses.length, 1)
  assert.equal(next.losses[0]!.records, all.length - got.length)
  assert.match(next.losses[0]!.why, /i\/o error/)
  await next.queue.close()
  assert.ok(readdirSync(directory).includes('0000000001.segment.damaged'))
})

test('a queue at its cap refuses until something is settled', async (t) => {
  const opened = await openQueue(t, ownDirectory(t), { maxBytes: 64 * 1024 })
  const text = 'x'.repeat(1000)
  let taken = 0
  const full = async (): Promise<DeliveryError> => {
    for (;;) {
      try {
        await opened.put(text)
        taken++
      } catch (error) {
        return error as DeliveryError
      }
    }
  }
  const error = await full()
  assert.equal(error.code, 'QUEUE_FULL')
  assert.deepEqual(error.retry, { afterMs: 1000 })
  assert.ok(taken > 50 && taken <= 64, `${taken} records of 1024 bytes`)
  assert.ok(opened.queue.diskBytes <= 64 * 1024)
  const drained = await opened.drain()
  assert.equal(drained.length, taken)
  taken = 0
  await full()
  assert.ok(taken > 40)
  await assert.rejects(opened.put('x'.repeat(60 * 1024)), { code: 'QUEUE_REQUEST_TOO_LARGE' })
})

test('names of files follow each other, whatever the clock says', async (t) => {
  const directory = ownDirectory(t)
  t.mock.timers.enable({ apis: ['Date'], now: 2_000_000_000_000 })
  const first = await openQueue(t, directory)
  for (const text of texts(30)) await first.put(text)
  await first.queue.close()
  t.mock.timers.setTime(1_000)
  const second = await openQueue(t, directory)
  for (const text of texts(30, 30)) await second.put(text)
  assert.deepEqual(await second.drain(), texts(60))
})

test('a list of settled records that is torn lets its last ones come once more, and no others', async (t) => {
  const directory = ownDirectory(t)
  const first = await openQueue(t, directory)
  const all = texts(6)
  for (const text of all) await first.put(text)
  for (let i = 0; i < 4; i++) first.queue.settle(first.queue.take()!)
  await first.queue.close()
  const path = join(directory, '0000000001.settled')
  const whole = readFileSync(path)
  assert.equal(whole.length, 24 + 4 * 16)
  truncateSync(path, 24 + 2 * 16 + 5)
  const second = await openQueue(t, directory)
  assert.deepEqual(await second.take(4), all.slice(2))
  await second.queue.close()
  // Without its segment a list says nothing, and must not meet a new segment of its number.
  writeFileSync(join(directory, '0000000009.settled'), whole)
  const third = await openQueue(t, directory)
  await third.put('new')
  assert.ok(!readdirSync(directory).includes('0000000009.settled'))
  assert.deepEqual((await third.drain()).at(-1), 'new')
})

test('what is settled while its file is being closed leaves the next append in peace', async (t) => {
  let closing = (): void => {}
  const isClosing = new Promise<void>((resolve) => {
    closing = resolve
  })
  let letGo = (): void => {}
  const gate = new Promise<void>((resolve) => {
    letGo = resolve
  })
  const files: Files = {
    ...nodeFiles,
    async create(path) {
      const file = await nodeFiles.create(path)
      return Object.assign(Object.create(file) as typeof file, {
        write: (pieces: readonly Uint8Array[], position: number) => file.write(pieces, position),
        sync: () => file.sync(),
        async close() {
          closing()
          await gate
          await file.close()
        },
      })
    },
  }
  const opened = await openQueue(t, ownDirectory(t), { files, bounds: { memoryMaxBytes: 2 ** 20 } })
  await opened.put('x'.repeat(3000))
  const next = opened.put('y'.repeat(3000))
  await isClosing
  opened.queue.settle(opened.queue.take()!)
  letGo()
  await next
  assert.deepEqual(await opened.drain(), ['y'.repeat(3000)])
  assert.ok(opened.queue.diskBytes <= 3000 + 48)
})

test('a request after a pause is synced at once; those that follow closely share the next sync', async (t) => {
  const files = moodyFiles()
  let syncs = 0
  files.fail = (operation, path) => {
    if (operation === 'sync' && path.endsWith('.segment')) syncs++
    return undefined
  }
  // So far apart that no machine is slow enough for a third group.
  const bounds = { fileMaxBytes: 2 ** 20, groupEveryMs: 2_000 }
  const { put, queue } = await openQueue(t, ownDirectory(t), { files, fsync: true, bounds })
  await put('first')
  assert.equal(syncs, 1)
  const rest = texts(20).map((text) => put(text))
  await Promise.all(rest)
  assert.equal(syncs, 2)
  assert.equal(queue.left.records, 21)
})

test('a file that is deleted is open no more, so that the disk has its room back', {
  skip: !existsSync('/proc/self/fd'),
}, async (t) => {
  const directory = ownDirectory(t)
  const first = await openQueue(t, directory)
  await Promise.all(texts(50).map((text) => first.put(text)))
  await first.queue.close()
  const second = await openQueue(t, directory)
  await second.drain()
  const openedFiles = (): string[] =>
    readdirSync('/proc/self/fd').flatMap((fd) => {
      try {
        return [readlinkSync(`/proc/self/fd/${fd}`)]
      } catch {
        return []
      }
    })
  const isHeld = (): boolean => openedFiles().some((path) => path.startsWith(directory) && path.includes('.segment'))
  for (let i = 0; i < 100 && isHeld(); i++) await new Promise((resolve) => setTimeout(resolve, 20))
  assert.equal(isHeld(), false, openedFiles().join(' '))
})
