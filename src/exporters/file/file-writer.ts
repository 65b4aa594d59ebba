// One open file, written in the order of arrival.
//
//   write() -> #pending -> one writev at a time for all that waits -> done(), or done(error) and the file is cut back
//
// What comes while a write runs waits for the next one, so a slow disk makes larger writes, not more of them.

import { type FileHandle, mkdir, open, readdir, rename, stat, unlink } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Clock } from '../../graph/clock.ts'
import type { Logger } from '../../self/log.ts'
import type { Rotation } from './config.ts'
import { backupPath, outdatedBackups } from './rotation.ts'

const MEBIBYTE = 1024 * 1024
const DEFAULT_MAX_MEGABYTES = 100
/** Pieces in one writev; IOV_MAX is 1024 on Linux and macOS. */
const WRITEV_MAX_PIECES = 1024

export interface FileWriterOptions {
  readonly path: string
  /** `empty` an existing file, continue it, or empty it only if it is older than `sinceMs`. */
  readonly existing: 'empty' | 'continue' | { readonly sinceMs: number }
  readonly rotation: Rotation | undefined
  /** Permissions of directories to create; without it the directory must exist. */
  readonly directoryMode: number | undefined
  readonly clock: Clock
  readonly log: Logger
  /** The file is opened only after that: an earlier writer of the same path finishes first. */
  readonly after?: Promise<void>
}

interface Entry {
  readonly pieces: readonly Uint8Array[]
  readonly bytes: number
  readonly done: (error: Error | undefined) => void
}

export class FileWriter {
  readonly #options: FileWriterOptions
  #handle: FileHandle | undefined
  #size = 0
  #pending: Entry[] = []
  #running: Promise<void> | undefined

  constructor(options: FileWriterOptions) {
    this.#options = options
  }

  /** Opens the file; write() does it too. Throws what the file system says. */
  async open(): Promise<void> {
    if (this.#handle !== undefined) return
    const { path, existing, directoryMode, rotation, after } = this.#options
    await after
    if (directoryMode !== undefined) await mkdir(dirname(path), { recursive: true, mode: directoryMode })
    const keep = rotation !== undefined || existing === 'continue' || (existing !== 'empty' && (await this.#isNewer()))
    this.#handle = await open(path, keep ? 'a' : 'w', 0o644)
    this.#size = keep ? (await this.#handle.stat()).size : 0
  }

  async #isNewer(): Promise<boolean> {
    const { path, existing } = this.#options
    const found = await stat(path).catch(() => undefined)
    return found !== undefined && typeof existing === 'object' && found.mtimeMs >= existing.sinceMs
  }

  /** Calls `done` once, when all pieces are written or none of them is. */
  write(pieces: readonly Uint8Array[], done: (error: Error | undefined) => void): void {
    let bytes = 0
    for (const piece of pieces) bytes += piece.byteLength
    this.#pending.push({ pieces, bytes, done })
    this.#running ??= this.#run()
  }

  /** Writes what waits and closes the file. */
  async close(): Promise<void> {
    while (this.#running !== undefined) await this.#running
    const handle = this.#handle
    this.#handle = undefined
    await handle?.close()
  }

  async #run(): Promise<void> {
    while (this.#pending.length > 0) {
      let entries: Entry[] = []
      let error: Error | undefined
      try {
        await this.open()
        if (this.#isFull(this.#pending[0]!.bytes)) await this.#rotate()
        entries = this.#takeEntries()
        await this.#writeAll(entries)
      } catch (thrown) {
        error = thrown as Error
        // Without a file there is nothing to wait for.
        if (entries.length === 0) entries = this.#pending.splice(0)
      }
      for (const entry of entries) entry.done(error)
    }
    this.#running = undefined
  }

  get #maxBytes(): number {
    const { rotation } = this.#options
    return rotation === undefined ? Infinity : (rotation.maxMegabytes || DEFAULT_MAX_MEGABYTES) * MEBIBYTE
  }

  /** A request larger than a whole file gets a file to itself. */
  #isFull(more: number): boolean {
    return this.#size > 0 && this.#size + more > this.#maxBytes
  }

  /** What waits, as far as one write and the file take it. */
  #takeEntries(): Entry[] {
    let pieces = 0
    let bytes = this.#size
    let count = 0
    for (const entry of this.#pending) {
      pieces += entry.pieces.length
      bytes += entry.bytes
      if (count > 0 && (pieces > WRITEV_MAX_PIECES || bytes > this.#maxBytes)) break
      count++
    }
    return this.#pending.splice(0, count)
  }

  async #writeAll(entries: readonly Entry[]): Promise<void> {
    const handle = this.#handle!
    let pieces = entries.flatMap((entry) => entry.pieces)
    try {
      while (pieces.length > 0) {
        const { bytesWritten } = await handle.writev(pieces.slice(0, WRITEV_MAX_PIECES))
        pieces = without(pieces, bytesWritten)
      }
    } catch (error) {
      // A torn line would spoil the next one.
      await handle.truncate(this.#size).catch(() => undefined)
      throw error
    }
    for (const entry of entries) this.#size += entry.bytes
  }

  async #rotate(): Promise<void> {
    const { path, rotation, clock } = this.#options
    const { localtime } = rotation!
    await this.#handle!.close()
    this.#handle = undefined
    let ms = Math.floor(clock.now())
    while ((await stat(backupPath(path, ms, localtime)).catch(() => undefined)) !== undefined) ms++
    await rename(path, backupPath(path, ms, localtime))
    await this.open()
    await this.#deleteOutdated()
  }

  async #deleteOutdated(): Promise<void> {
    const { path, rotation, clock, log } = this.#options
    const folder = dirname(path)
    try {
      for (const name of outdatedBackups(path, await readdir(folder), rotation!, clock.now())) {
        await unlink(join(folder, name))
      }
    } catch (error) {
      log.warn('Failed to delete a rotated file', { path, error: (error as Error).message })
    }
  }
}

/** The pieces behind the first `bytes` bytes. */
function without(pieces: readonly Uint8Array[], bytes: number): Uint8Array[] {
  let rest = bytes
  let at = 0
  while (at < pieces.length && rest >= pieces[at]!.byteLength) rest -= pieces[at++]!.byteLength
  const left = pieces.slice(at)
  if (rest > 0) left[0] = left[0]!.subarray(rest)
  return left
}
