// A lock on a directory that ends with its process, however that ends.
//
// Node has no file locks of its own, but SQLite has: an open exclusive transaction holds the kernel's lock on an empty
// file, and the kernel lets go of it when the process is gone. Nothing is ever written into it.

import { rm, rmdir } from 'node:fs/promises'
import { join } from 'node:path'

const LOCK_NAME = 'lock'
const RETRY_EVERY_MS = 50
const SQLITE_BUSY = 5

export interface DirectoryLock {
  release(): void
}

export interface LockOptions {
  /** How long to wait for whoever has it. */
  readonly timeoutMs: number
  readonly wait: (ms: number) => Promise<void>
}

/** Throws words for people when somebody else has it for longer than `timeoutMs`. */
export async function lockDirectory(directory: string, { timeoutMs, wait }: LockOptions): Promise<DirectoryLock> {
  const { DatabaseSync } = await import('node:sqlite')
  for (let waitedMs = 0; ; waitedMs += RETRY_EVERY_MS) {
    const database = new DatabaseSync(join(directory, LOCK_NAME))
    try {
      database.exec('PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE')
      return { release: () => database.close() }
    } catch (error) {
      database.close()
      if ((error as { errcode?: number }).errcode !== SQLITE_BUSY) throw error
    }
    if (waitedMs >= timeoutMs)
      throw new Error(
        `${directory} is in use by another router, or by another component of this one: ` +
          'stop it, or give each a directory of its own',
      )
    await wait(RETRY_EVERY_MS)
  }
}

/** Removes a directory with nothing in it but a lock that is released; one with more in it stays. */
export async function removeLockedDirectory(directory: string): Promise<void> {
  await rm(join(directory, LOCK_NAME), { force: true })
  await rmdir(directory)
}
