// Directories of a test's own, and a disk that fails when the test says so.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { type DiskQueue, DiskQueue as Queue, type QueueRecord } from '../../src/storage/disk-queue.ts'
import { type Files, nodeFiles, type StoredFile } from '../../src/storage/files.ts'
import { lockDirectory } from '../../src/storage/lock.ts'
import type { QueueBounds } from '../../src/storage/queue-bounds.ts'
import type { Cut, Loss } from '../../src/storage/recovery.ts'
import type { Ground } from './server-process.ts'

export function ownDirectory(t: Ground): string {
  const directory = mkdtempSync(join(tmpdir(), 'millrace-disk-'))
  // A server that is being stopped may still write into it.
  t.after(() => rmSync(directory, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 }))
  return directory
}

type Operation = 'create' | 'open' | 'write' | 'read' | 'sync' | 'truncate' | 'remove' | 'syncDirectory'

export interface MoodyFiles extends Files {
  /** What to throw at an operation on a path; undefined lets it pass. A failing write leaves half of its bytes. */
  fail: (operation: Operation, path: string) => NodeJS.ErrnoException | undefined
}

export const errno = (code: string, words: string): NodeJS.ErrnoException =>
  Object.assign(new Error(`${code}: ${words}`), { code })
export const NO_SPACE = (): NodeJS.ErrnoException => errno('ENOSPC', 'no space left on device, write')
export const READ_ONLY = (): NodeJS.ErrnoException => errno('EROFS', 'read-only file system, open')
export const IO_ERROR = (): NodeJS.ErrnoException => errno('EIO', 'i/o error')

export function moodyFiles(): MoodyFiles {
  const check = (operation: Operation, path: string): void => {
    const error = files.fail(operation, path)
    if (error !== undefined) throw error
  }
  const wrap = (file: StoredFile, path: string): StoredFile => ({
    async write(pieces, position) {
      const error = files.fail('write', path)
      if (error === undefined) return await file.write(pieces, position)
      const all = Buffer.concat(pieces)
      await file.write([all.subarray(0, all.length >> 1)], position)
      throw error
    },
    async read(into, position) {
      check('read', path)
      return await file.read(into, position)
    },
    async sync() {
      check('sync', path)
      await file.sync()
    },
    async truncate(length) {
      check('truncate', path)
      await file.truncate(length)
    },
    size: () => file.size(),
    close: () => file.close(),
  })
  const files: MoodyFiles = {
    ...nodeFiles,
    fail: () => undefined,
    async create(path) {
      check('create', path)
      return wrap(await nodeFiles.create(path), path)
    },
    async open(path, mode) {
      check('open', path)
      return wrap(await nodeFiles.open(path, mode), path)
    },
    async remove(path) {
      check('remove', path)
      await nodeFiles.remove(path)
    },
    async syncDirectory(path) {
      check('syncDirectory', path)
      await nodeFiles.syncDirectory(path)
    },
  }
  return files
}

export interface OpenedQueue {
  readonly queue: DiskQueue
  readonly cuts: Cut[]
  readonly losses: Loss[]
  /** Resolves when the record is on disk; rejects with the refusal. */
  put(text: string, items?: number): Promise<void>
  /** Texts of the next `count` records, waiting for reads. They are not settled. */
  take(count: number): Promise<string[]>
  /** Everything there is, each record settled once it was taken. */
  drain(): Promise<string[]>
}

export async function openQueue(
  t: TestContext,
  directory: string,
  options: { files?: Files; fsync?: boolean; maxBytes?: number; bounds?: Partial<QueueBounds> } = {},
): Promise<OpenedQueue> {
  const cuts: Cut[] = []
  const losses: Loss[] = []
  let wake = (): void => {}
  const lock = await lockDirectory(directory, { timeoutMs: 0, wait: () => Promise.resolve() })
  const queue = await Queue.open({
    directory,
    files: options.files ?? nodeFiles,
    fsync: options.fsync ?? false,
    maxBytes: options.maxBytes ?? 2 ** 30,
    lock,
    events: {
      onReady: () => wake(),
      onCut: (cut) => cuts.push(cut),
      onLost: (loss) => losses.push(loss),
    },
    bounds: { fileMaxBytes: 4096, memoryMaxBytes: 1024, pendingMaxBytes: 2 ** 20, groupEveryMs: 0, ...options.bounds },
  })
  t.after(() => queue.close())
  const text = (parts: readonly Uint8Array[]): string => Buffer.concat(parts).toString()
  const next = async () => {
    for (;;) {
      const woken = new Promise<void>((resolve) => {
        wake = resolve
      })
      const record = queue.take()
      if (record !== undefined || queue.left.records === 0) return record
      await woken
    }
  }
  return {
    queue,
    cuts,
    losses,
    put: (content, items = 1) =>
      new Promise((resolve, reject) => {
        queue.append(record(content, items), (error) => (error === undefined ? resolve() : reject(error)))
      }),
    async take(count) {
      const taken: string[] = []
      while (taken.length < count) taken.push(text((await next())!.parts))
      return taken
    },
    async drain() {
      const taken: string[] = []
      for (let found = await next(); found !== undefined; found = await next()) {
        taken.push(text(found.parts))
        queue.settle(found)
      }
      return taken
    },
  }
}

/** In two parts, as a rope. */
export function record(text: string, items = 1): QueueRecord {
  const bytes = Buffer.from(text)
  const middle = bytes.length >> 1
  return { items, meta: new Uint8Array(0), parts: [bytes.subarray(0, middle), bytes.subarray(middle)] }
}
