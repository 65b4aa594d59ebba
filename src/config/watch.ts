// Looks after the files that a configuration was read from, and says when what stands in them is no longer what was read.
//
// Their folders are watched, not the files: an editor that replaces a file, and Kubernetes, which swaps the link ..data
// beside it, are seen that way. As some file systems tell nothing, the files are also read every few seconds.

import { readFileSync, realpathSync, watch } from 'node:fs'
import { dirname, resolve } from 'node:path'
import type { Clock, Timer } from '../graph/clock.ts'

/** Files and what they held when they were read; undefined for one that could not be. */
export type FilesRead = ReadonlyMap<string, string | undefined>

export interface FileWatchOptions {
  readonly clock: Clock
  /** Called again only after another look(). */
  readonly onChange: () => void
  /** Writers have this long to finish. */
  readonly settleMs?: number
  readonly pollMs?: number
}

const SETTLE_MS = 100
const POLL_MS = 5_000

export class FileWatch {
  readonly #options: FileWatchOptions
  readonly #folders = new Map<string, { close(): void }>()
  readonly #poll: Timer
  #files: FilesRead = new Map()
  #settling: Timer | undefined
  #told = false

  constructor(options: FileWatchOptions) {
    this.#options = options
    this.#poll = options.clock.every(options.pollMs ?? POLL_MS, () => this.#check())
  }

  /** These were read now: from here on they are compared with that. */
  look(files: FilesRead): void {
    this.#files = files
    this.#told = false
    this.#watchFolders()
  }

  close(): void {
    this.#poll.cancel()
    this.#settling?.cancel()
    for (const folder of this.#folders.values()) folder.close()
    this.#folders.clear()
  }

  #watchFolders(): void {
    const wanted = new Set([...this.#files.keys()].flatMap(foldersOf))
    for (const [path, folder] of this.#folders) {
      if (wanted.has(path)) continue
      folder.close()
      this.#folders.delete(path)
    }
    for (const path of wanted) {
      if (this.#folders.has(path)) continue
      try {
        const folder = watch(path, { persistent: false }, () => this.#settle())
        // A folder that is gone, or cannot be watched: the poll goes on, and tries again.
        folder.on('error', () => {
          folder.close()
          this.#folders.delete(path)
        })
        this.#folders.set(path, folder)
      } catch {}
    }
  }

  #settle(): void {
    this.#settling?.cancel()
    this.#settling = this.#options.clock.after(this.#options.settleMs ?? SETTLE_MS, () => this.#check())
  }

  #check(): void {
    this.#watchFolders()
    if (this.#told) return
    for (const [path, text] of this.#files) {
      if (read(path) === text) continue
      this.#told = true
      this.#options.onChange()
      return
    }
  }
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}

/** The folder that the path names, and the one that the file is in where the path is a link. */
function foldersOf(path: string): string[] {
  const named = dirname(resolve(path))
  try {
    return [named, dirname(realpathSync(path))]
  } catch {
    return [named]
  }
}
