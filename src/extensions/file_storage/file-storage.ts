// Hands out queues and state, each with a directory and a lock of its own:
//
//   <directory>/exporter_otlp_grpc__traces.queue/      lock, *.segment, *.settled       src/storage/disk-queue.ts
//   <directory>/exporter_otlp_grpc__traces.1.queue/    the same, of shard 1
//   <directory>/processor_tail_sampling__windows.state/   lock, *.snapshot, *.log       src/storage/state.ts
//
// Queues of shards that there are no more of are taken over: that of shard j by shard j mod N.
//
// At the start it looks at who else may read or change them, and once everything runs, at what nobody opened: the queue of
// an exporter that is gone, or the file of a Collector. Both are named in one warning and left alone. One shard looks for all.

import type { Stats } from 'node:fs'
import { mkdir, open, readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Extension, ExtensionContext } from '../../graph/component.ts'
import { DiskQueue, type DiskQueueOptions, type QueueEvents, type RecordQueue } from '../../storage/disk-queue.ts'
import { type Files, nodeFiles } from '../../storage/files.ts'
import { ReadGarbage } from '../../storage/garbage.ts'
import { type Inheritance, InheritedQueue } from '../../storage/inherited-queue.ts'
import { type DirectoryLock, lockDirectory, removeLockedDirectory } from '../../storage/lock.ts'
import { ownerName, safeName } from '../../storage/names.ts'
import { shareOfBounds } from '../../storage/queue-bounds.ts'
import { openState, type State } from '../../storage/state.ts'
import type { QueueRequest, ShardOwner, StateRequest, Storage } from '../../storage/storage.ts'
import { directoryMode, type FileStorageConfig } from './config.ts'

const QUEUE = '.queue'
const STATE = '.state'
/** A store's name without its shard: exporter_otlp_grpc__traces, .1, .queue. */
const SHARD_NAME = /^(.+)\.([1-9]\d*)(\.queue|\.state)$/
/** A queue is never smaller, whatever its share of max_size. */
const QUEUE_MIN_BYTES = 2 ** 20
/** The Collector's own: <kind>_<type>_<name>. */
const COLLECTOR_NAME = /^(receiver|processor|exporter|connector|extension)_/
// bbolt, page.go and db.go: a page header of 16 bytes, then the magic number of the first meta page.
const BBOLT_MAGIC = 0xed0cdaed
const BBOLT_MAGIC_OFFSET = 16

export class FileStorage implements Extension, Storage {
  readonly #config: FileStorageConfig
  readonly #context: ExtensionContext
  readonly #files: Files
  /** Names of what was opened, without its shard, and how many shards its owner has. */
  readonly #used = new Map<string, number>()
  readonly #garbage = new ReadGarbage()

  constructor(config: FileStorageConfig, context: ExtensionContext, files: Files = nodeFiles) {
    this.#config = config
    this.#context = context
    this.#files = files
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
    if (this.#looksForAll) this.#warnIfOpen(directory, facts)
  }

  get #looksForAll(): boolean {
    return this.#context.shards.index === 0
  }

  pipelinesStarted(): void {
    if (!this.#looksForAll) return
    void this.#lookForStrangers().catch((error: Error) =>
      this.#context.log.warn('the storage directory cannot be looked through', { error: error.message }),
    )
  }

  async openQueue({ owner, signal, events }: QueueRequest): Promise<RecordQueue> {
    const name = ownerName(owner, signal)
    this.#used.set(`${name}${QUEUE}`, owner.shards.count)
    const left = await this.#leftBehind(name, owner)
    let whole: InheritedQueue | undefined
    const reports: QueueEvents = {
      onReady: () => events.onReady(),
      onCut: (cut) => events.onCut(cut),
      onLost: (loss) => {
        events.onLost(loss)
        whole?.lookForEmpty()
      },
    }
    const besideBytes = (): number => whole?.inheritedBytes ?? 0
    const own = await this.#openQueue(shardName(name, owner, QUEUE), owner, { events: reports, besideBytes })
    if (left.length === 0) return own
    const inherited: Inheritance[] = []
    try {
      for (const leftName of left) {
        const queue = await this.#openQueue(leftName, owner, { events: reports })
        inherited.push({ queue, emptied: () => removeLockedDirectory(join(this.#config.directory, leftName)) })
      }
    } catch (error) {
      await Promise.all([own, ...inherited.map(({ queue }) => queue)].map((queue) => queue.close()))
      throw error
    }
    this.#context.log.info('Queues of shards that there are no more of are sent too', { names: left.join(', ') })
    whole = new InheritedQueue(own, inherited)
    return whole
  }

  /** Queues of shards that there are no more of, for this one to send. */
  async #leftBehind(name: string, { shards: { index, count } }: ShardOwner): Promise<string[]> {
    const numbers: number[] = []
    for (const found of await readdir(this.#config.directory)) {
      const [, base, number, ending] = SHARD_NAME.exec(found) ?? []
      if (base !== name || ending !== QUEUE) continue
      if (Number(number) >= count && Number(number) % count === index) numbers.push(Number(number))
    }
    return numbers.sort((a, b) => a - b).map((number) => `${name}.${number}${QUEUE}`)
  }

  async #openQueue(
    name: string,
    { shards: { count } }: ShardOwner,
    more: Pick<DiskQueueOptions, 'events' | 'besideBytes'>,
  ): Promise<DiskQueue> {
    const { fsync, maxBytes } = this.#config
    const { directory, lock } = await this.#open(name)
    return await DiskQueue.open({
      ...more,
      directory,
      files: this.#files,
      fsync,
      maxBytes: Math.max(QUEUE_MIN_BYTES, Math.ceil(maxBytes / count)),
      bounds: shareOfBounds(count),
      lock,
      garbage: this.#garbage,
    })
  }

  async openState({ owner, name = '', ...request }: StateRequest): Promise<State> {
    const stateName = ownerName(owner, safeName(name))
    this.#used.set(`${stateName}${STATE}`, owner.shards.count)
    const { directory, lock } = await this.#open(shardName(stateName, owner, STATE))
    const { log } = this.#context
    const events = {
      onCut: (cut: object) => log.warn('the end of a state log was cut off: its write never ended', { ...cut }),
      onLost: (loss: object) => log.error('state was lost: it cannot be read', { ...loss }),
    }
    return await openState({ ...request, directory, files: this.#files, fsync: this.#config.fsync, lock, events })
  }

  async #open(name: string): Promise<{ directory: string; lock: DirectoryLock }> {
    const directory = join(this.#config.directory, name)
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
      if (this.#isUsed(name)) continue
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

  /** By this shard or another: what all shards open, each opens under its own number. State of shards that are gone is not. */
  #isUsed(name: string): boolean {
    const [, base, number, ending] = SHARD_NAME.exec(name) ?? []
    if (base === undefined) return this.#used.has(name)
    const count = this.#used.get(base + ending)
    return this.#used.has(name) || (count !== undefined && (ending === QUEUE || Number(number) < count))
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

const shardName = (name: string, { shards: { index } }: ShardOwner, ending: string): string =>
  index === 0 ? name + ending : `${name}.${index}${ending}`

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
