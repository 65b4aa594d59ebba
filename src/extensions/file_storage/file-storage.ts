// Hands out queues and state, each with a directory and a lock of its own:
//
//   <directory>/exporter_otlp_grpc__traces.queue/      lock, *.segment, *.settled       src/storage/disk-queue.ts
//   <directory>/processor_tail_sampling__windows.state/   lock, *.snapshot, *.log       src/storage/state.ts
//
// At the start it looks at who else may read or change them, and once everything runs, at what nobody opened: the queue of
// an exporter that is gone, or the file of a Collector. Both are named in one warning and left alone.

import type { Stats } from 'node:fs'
import { mkdir, open, readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Extension, ExtensionContext } from '../../graph/component.ts'
import { DiskQueue } from '../../storage/disk-queue.ts'
import { type Files, nodeFiles } from '../../storage/files.ts'
import { ReadGarbage } from '../../storage/garbage.ts'
import { type DirectoryLock, lockDirectory } from '../../storage/lock.ts'
import { ownerName, safeName } from '../../storage/names.ts'
import { openState, type State } from '../../storage/state.ts'
import type { QueueRequest, StateRequest, Storage } from '../../storage/storage.ts'
import { directoryMode, type FileStorageConfig } from './config.ts'

const QUEUE = '.queue'
const STATE = '.state'
/** The Collector's own: <kind>_<type>_<name>. */
const COLLECTOR_NAME = /^(receiver|processor|exporter|connector|extension)_/
// bbolt, page.go and db.go: a page header of 16 bytes, then the magic number of the first meta page.
const BBOLT_MAGIC = 0xed0cdaed
const BBOLT_MAGIC_OFFSET = 16

export class FileStorage implements Extension, Storage {
  readonly #config: FileStorageConfig
  readonly #context: ExtensionContext
  readonly #files: Files
  readonly #used = new Set<string>()
  readonly #garbage = new ReadGarbage()

  constructor(config: FileStorageConfig, context: ExtensionContext, files: Files = nodeFiles) {
    this.#config = config
    this.#context = context
    this.#files = files
  }

  get queueMaxBytes(): number {
    return this.#config.maxBytes
  }

  async start(): Promise<void> {
    const { directory, createDirectory } = this.#config
    if (createDirectory) await mkdir(directory, { recursive: true, mode: directoryMode(this.#config) })
    const facts = await stat(directory).catch((error: NodeJS.ErrnoException) => {
      throw new Error(
        error.code === 'ENOENT'
          ? `the directory ${directory} does not exist: make it, or write create_directory: true`
          : `the directory ${directory} cannot be used: ${error.message}`,
      )
    })
    if (!facts.isDirectory()) throw new Error(`${directory} is not a directory`)
    this.#warnIfOpen(directory, facts)
  }

  pipelinesStarted(): void {
    void this.#lookForStrangers().catch((error: Error) =>
      this.#context.log.warn('the storage directory cannot be looked through', { error: error.message }),
    )
  }

  async openQueue({ owner, signal, events }: QueueRequest): Promise<DiskQueue> {
    const { fsync, maxBytes } = this.#config
    const { directory, lock } = await this.#open(`${ownerName(owner, signal)}${QUEUE}`)
    return await DiskQueue.open({
      directory,
      files: this.#files,
      fsync,
      maxBytes,
      lock,
      events,
      garbage: this.#garbage,
    })
  }

  async openState({ owner, name = '', shard = 0, ...request }: StateRequest): Promise<State> {
    const shardName = shard === 0 ? '' : `.${shard}`
    const { directory, lock } = await this.#open(`${ownerName(owner, safeName(name))}${shardName}${STATE}`)
    const { log } = this.#context
    const events = {
      onCut: (cut: object) => log.warn('the end of a state log was cut off: its write never ended', { ...cut }),
      onLost: (loss: object) => log.error('state was lost: it cannot be read', { ...loss }),
    }
    return await openState({ ...request, directory, files: this.#files, fsync: this.#config.fsync, lock, events })
  }

  async #open(name: string): Promise<{ directory: string; lock: DirectoryLock }> {
    const directory = join(this.#config.directory, name)
    this.#used.add(name)
    await this.#files.makeDirectory(directory)
    this.#warnIfOpen(directory, await stat(directory))
    const { clock } = this.#context
    const lock = await lockDirectory(directory, {
      timeoutMs: this.#config.timeoutMs,
      wait: (ms) => new Promise((resolve) => clock.after(ms, resolve)),
    })
    return { directory, lock }
  }

  #warnIfOpen(path: string, { mode, uid }: Stats): void {
    const ownUid = process.getuid?.()
    if (ownUid === undefined) return
    const wrong: string[] = []
    if ((mode & 0o007) !== 0) wrong.push('everybody on this machine can look into it')
    if ((mode & 0o020) !== 0) wrong.push('its group can change it')
    if (uid !== 0 && uid !== ownUid) wrong.push(`it belongs to user ${uid}, who is neither root nor us`)
    if (wrong.length === 0) return
    const found = (mode & 0o777).toString(8).padStart(4, '0')
    this.#context.log.warn(`a directory with queued telemetry is too open: ${wrong.join(', ')}`, {
      path,
      mode: found,
      fix: `chmod 0750 ${path}`,
    })
  }

  async #lookForStrangers(): Promise<void> {
    const { directory } = this.#config
    const unused: string[] = []
    const collectors: string[] = []
    for (const entry of await readdir(directory, { withFileTypes: true })) {
      const { name } = entry
      if (this.#used.has(name)) continue
      if (entry.isDirectory()) {
        if ((name.endsWith(QUEUE) || name.endsWith(STATE)) && (await this.#isLeft(name))) unused.push(name)
      } else if (COLLECTOR_NAME.test(name) && (await isBbolt(join(directory, name)))) collectors.push(name)
    }
    const { log } = this.#context
    if (unused.length > 0)
      log.warn('queues or state that no component uses are left here: name their components again, or delete them', {
        directory,
        names: unused.sort().join(', '),
      })
    if (collectors.length > 0)
      log.warn('files of a Collector are left here and cannot be read: let the Collector send what is in them first', {
        directory,
        names: collectors.sort().join(', '),
      })
  }

  async #isLeft(name: string): Promise<boolean> {
    const directory = join(this.#config.directory, name)
    const names = await readdir(directory)
    if (!names.some((file) => /\.(segment|snapshot|log)$/.test(file))) return false
    try {
      const lock = await lockDirectory(directory, { timeoutMs: 0, wait: () => Promise.resolve() })
      lock.release()
      return true
    } catch {
      // Another component, or another router, uses it.
      return false
    }
  }
}

async function isBbolt(path: string): Promise<boolean> {
  const handle = await open(path, 'r').catch(() => undefined)
  if (handle === undefined) return false
  try {
    const bytes = Buffer.alloc(BBOLT_MAGIC_OFFSET + 4)
    const { bytesRead } = await handle.read(bytes, 0, bytes.length, 0)
    return bytesRead === bytes.length && bytes.readUInt32LE(BBOLT_MAGIC_OFFSET) === BBOLT_MAGIC
  } finally {
    await handle.close()
  }
}
