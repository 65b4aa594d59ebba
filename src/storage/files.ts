// The file system as the store needs it: a seam, so that tests can let a disk be full, read-only or slow.

import { type FileHandle, mkdir, open, readdir, rename, unlink } from 'node:fs/promises'

/** Pieces in one writev; IOV_MAX is 1024 on Linux and macOS. */
const WRITEV_MAX_PIECES = 1024
const FILE_MODE = 0o600
const DIRECTORY_MODE = 0o750

export interface StoredFile {
  /** All of it, or it throws; then any part may be written. */
  write(pieces: readonly Uint8Array[], position: number): Promise<void>
  /** How much there was, up to the length of `into`. */
  read(into: Uint8Array, position: number): Promise<number>
  /** What was written before survives a power cut once this resolves. */
  sync(): Promise<void>
  truncate(length: number): Promise<void>
  size(): Promise<number>
  close(): Promise<void>
}

export interface Files {
  /** Makes a file that is not there; only its owner may read it. */
  create(path: string): Promise<StoredFile>
  open(path: string, mode: 'read' | 'write'): Promise<StoredFile>
  /** Names, in no order. */
  list(directory: string): Promise<string[]>
  makeDirectory(path: string): Promise<void>
  remove(path: string): Promise<void>
  rename(from: string, to: string): Promise<void>
  /** Names that were made or changed in it survive a power cut. */
  syncDirectory(path: string): Promise<void>
}

class NodeFile implements StoredFile {
  readonly #handle: FileHandle

  constructor(handle: FileHandle) {
    this.#handle = handle
  }

  async write(pieces: readonly Uint8Array[], position: number): Promise<void> {
    let rest = pieces as Uint8Array[]
    let at = position
    while (rest.length > 0) {
      const some = rest.length > WRITEV_MAX_PIECES ? rest.slice(0, WRITEV_MAX_PIECES) : rest
      const { bytesWritten } = await this.#handle.writev(some, at)
      at += bytesWritten
      rest = without(rest, bytesWritten)
    }
  }

  async read(into: Uint8Array, position: number): Promise<number> {
    let filled = 0
    while (filled < into.length) {
      const { bytesRead } = await this.#handle.read(into, filled, into.length - filled, position + filled)
      if (bytesRead === 0) break
      filled += bytesRead
    }
    return filled
  }

  sync(): Promise<void> {
    return this.#handle.datasync()
  }

  truncate(length: number): Promise<void> {
    return this.#handle.truncate(length)
  }

  async size(): Promise<number> {
    return (await this.#handle.stat()).size
  }

  close(): Promise<void> {
    return this.#handle.close()
  }
}

/** The pieces behind the first `bytes` bytes. */
function without(pieces: Uint8Array[], bytes: number): Uint8Array[] {
  let left = bytes
  let first = 0
  while (first < pieces.length && left >= pieces[first]!.length) left -= pieces[first++]!.length
  const rest = pieces.slice(first)
  if (left > 0) rest[0] = rest[0]!.subarray(left)
  return rest
}

export const nodeFiles: Files = {
  create: async (path) => new NodeFile(await open(path, 'wx+', FILE_MODE)),
  open: async (path, mode) => new NodeFile(await open(path, mode === 'read' ? 'r' : 'r+')),
  list: (directory) => readdir(directory),
  makeDirectory: async (path) => {
    await mkdir(path, { mode: DIRECTORY_MODE }).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error
    })
  },
  remove: (path) => unlink(path),
  rename: (from, to) => rename(from, to),
  syncDirectory: async (path) => {
    // Windows opens no directories, and needs none of it.
    if (process.platform === 'win32') return
    const handle = await open(path, 'r')
    try {
      await handle.sync()
    } finally {
      await handle.close()
    }
  },
}
