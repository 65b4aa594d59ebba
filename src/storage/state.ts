// State that outlives the process: a snapshot, and a log of what happened since.
//
//   0000000007.snapshot    all of it, as it was when 0000000007.log began
//   0000000007.log         entries since then, in order
//
//   const state = await store.openState({
//     owner: context, version: 2, oldestVersion: 1,
//     restore: ({ snapshot, entries }) => { ... },     called once, before openState resolves
//   })
//   await state.append(entry)                          it is safe once this resolves
//   await state.snapshot(bytes)                        replaces all entries that were appended before the call
//
// The version is the component's own. Everything restored carries the one it was written with: a component reads older ones
// up to `oldestVersion`, and those beyond, and newer ones, are refused with words, and left alone. A crash at any moment
// leaves the last snapshot and every entry that was safe.

import { join } from 'node:path'
import { AppendLog, fileName, fileNumbers } from './append-log.ts'
import type { Files } from './files.ts'
import {
  encodeHeader,
  encodeRecordHeader,
  FILE_KIND,
  type FileHeader,
  FOOTER_BYTES,
  findFooter,
  findHeader,
  scanRecords,
} from './format.ts'
import type { DirectoryLock } from './lock.ts'
import { type Cut, DAMAGED, readWhole, type StoreEvents } from './recovery.ts'

const LOG = '.log'
const SNAPSHOT = '.snapshot'
const UNFINISHED = '.unfinished'
const NO_META = new Uint8Array(0)
/** A log is begun anew with each snapshot; between them it is as large as it gets. */
const LOG_MAX_BYTES = 2 ** 30

/** What was kept, and the version of the component's that kept it. */
export interface Saved {
  readonly version: number
  readonly bytes: Uint8Array
}

export interface Restored {
  readonly snapshot: Saved | undefined
  /** Since the snapshot, in the order of appending. */
  readonly entries: readonly Saved[]
}

export interface StateOwner {
  /** From 1. What is kept from now on is marked with it. */
  readonly version: number
  /** The oldest version that restore() reads; `version` when absent. */
  readonly oldestVersion?: number
  /** May throw: then opening fails with its words. */
  restore(restored: Restored): void
}

export interface State {
  /** Resolves when the entry is on disk; rejects when it could not be written, and then it is not in the log. */
  append(entry: Uint8Array): Promise<void>
  /** `bytes` stand for everything that was appended before this call. On failure what was there before is kept. */
  snapshot(bytes: Uint8Array): Promise<void>
  /** Bytes of entries since the last snapshot: when to take the next one. */
  readonly logBytes: number
  close(): Promise<void>
}

export interface StateOptions extends StateOwner {
  readonly directory: string
  readonly files: Files
  readonly fsync: boolean
  readonly lock: DirectoryLock
  readonly events: StoreEvents
}

export async function openState(options: StateOptions): Promise<State> {
  try {
    const { nextNumber, logBytes } = await restore(options)
    return new DiskState(options, nextNumber, logBytes)
  } catch (error) {
    options.lock.release()
    throw error
  }
}

async function restore(options: StateOptions): Promise<{ nextNumber: number; logBytes: number }> {
  const { directory, files, events } = options
  const names = await files.list(directory)
  const snapshots = fileNumbers(names, SNAPSHOT)
  const logs = fileNumbers(names, LOG)
  // Everything is read before anything is changed: a version that is refused leaves all as it was.
  const contents = new Map<string, { bytes: Uint8Array; header: FileHeader | undefined }>()
  for (const [numbers, extension] of [
    [snapshots, SNAPSHOT],
    [logs, LOG],
  ] as const)
    for (const number of numbers) {
      const path = join(directory, fileName(number, extension))
      const bytes = await readWhole(files, path)
      const header = findHeader(bytes, path)
      if (header !== undefined) checkVersion(path, header.ownerVersion, options)
      contents.set(path, { bytes, header })
    }

  let snapshot: (Saved & { number: number }) | undefined
  for (const number of [...snapshots].reverse()) {
    const path = join(directory, fileName(number, SNAPSHOT))
    const { bytes, header } = contents.get(path)!
    const found: Uint8Array[] = []
    if (header !== undefined) scanRecords(bytes, number, ({ payload }) => found.push(payload))
    if (header !== undefined && found.length === 1) {
      snapshot = { number, version: header.ownerVersion, bytes: found[0]! }
      break
    }
    events.onLost({ path, records: 1, items: 0, bytes: bytes.length, why: 'the snapshot does not match its checksum' })
    await files.rename(path, path + DAMAGED)
  }

  const entries: Saved[] = []
  const cuts: Cut[] = []
  let logBytes = 0
  for (const number of logs) {
    const path = join(directory, fileName(number, LOG))
    if (snapshot !== undefined && number < snapshot.number) continue
    const { bytes, header } = contents.get(path)!
    // A damaged header does not hide the entries, which say by themselves that they belong here.
    const version = header?.ownerVersion ?? options.version
    const scan = scanRecords(bytes, number, ({ payload }) => entries.push({ version, bytes: payload }))
    logBytes += scan.bytes
    if (scan.lost > 0)
      events.onLost({ path, records: scan.lost, items: 0, bytes: 0, why: 'entries do not match their checksum' })
    const cut = bytes.length - scan.end - (findFooter(bytes, number) === undefined ? 0 : FOOTER_BYTES)
    if (cut > 0) cuts.push({ path, offset: scan.end, bytes: cut })
  }
  options.restore({ snapshot: snapshot && { version: snapshot.version, bytes: snapshot.bytes }, entries })

  for (const cut of cuts) {
    events.onCut(cut)
    const file = await files.open(cut.path, 'write')
    await file.truncate(cut.offset).finally(() => file.close())
  }
  for (const name of names) if (name.endsWith(UNFINISHED)) await files.remove(join(directory, name))
  const all = [...snapshots, ...logs, ...fileNumbers(names, SNAPSHOT + DAMAGED)]
  return { nextNumber: Math.max(0, ...all) + 1, logBytes }
}

function checkVersion(path: string, found: number, { version, oldestVersion = version }: StateOwner): void {
  if (found > version)
    throw new Error(
      `${path} holds state of version ${found}, and this release knows versions up to ${version}: ` +
        'start the release that wrote it, or move the file away and begin without it',
    )
  if (found < oldestVersion)
    throw new Error(
      `${path} holds state of version ${found}, and this release reads versions from ${oldestVersion} on: ` +
        'start a release in between first, or move the file away and begin without it',
    )
}

class DiskState implements State {
  readonly #options: StateOptions
  readonly #log: AppendLog
  #logBytes: number
  #closed: Promise<void> | undefined
  #snapshots: Promise<void> = Promise.resolve()

  constructor(options: StateOptions, firstNumber: number, logBytes: number) {
    const { directory, files, fsync, version } = options
    this.#options = options
    this.#logBytes = logBytes
    this.#log = new AppendLog({
      directory,
      files,
      kind: FILE_KIND.stateLog,
      extension: LOG,
      ownerVersion: version,
      fileMaxBytes: LOG_MAX_BYTES,
      fsync,
      groupEveryMs: 0,
      firstNumber,
    })
  }

  get logBytes(): number {
    return this.#logBytes
  }

  append(entry: Uint8Array): Promise<void> {
    if (this.#closed !== undefined) return Promise.reject(new Error('the state is closed'))
    return new Promise((resolve, reject) => {
      this.#logBytes += entry.length
      const done = (error: Error | undefined): void => {
        if (error === undefined) resolve()
        else reject(error)
      }
      this.#log.append({ items: 1, meta: NO_META, parts: [entry], done })
    })
  }

  snapshot(bytes: Uint8Array): Promise<void> {
    if (this.#closed !== undefined) return Promise.reject(new Error('the state is closed'))
    // At once, so that what is appended from here on stands behind it.
    const number = this.#log.roll()
    const before = this.#logBytes
    const taken = this.#snapshots.then(async () => this.#write(await number, bytes))
    this.#snapshots = taken.catch(() => undefined)
    return taken.then(() => {
      this.#logBytes -= before
    })
  }

  async #write(number: number, bytes: Uint8Array): Promise<void> {
    const { directory, files, version } = this.#options
    const path = join(directory, fileName(number, SNAPSHOT))
    const unfinished = path + UNFINISHED
    const file = await files.create(unfinished)
    try {
      const record = encodeRecordHeader(number, 0, 1, NO_META, [bytes])
      await file.write([encodeHeader(FILE_KIND.snapshot, number, version), record, bytes], 0)
      // Always: what is deleted below has been safe for longer than this.
      await file.sync()
      await file.close()
    } catch (error) {
      await file.close().catch(() => undefined)
      await files.remove(unfinished).catch(() => undefined)
      throw error
    }
    await files.rename(unfinished, path)
    await files.syncDirectory(directory)
    const names = await files.list(directory)
    for (const extension of [LOG, SNAPSHOT])
      for (const old of fileNumbers(names, extension))
        if (old < number) await files.remove(join(directory, fileName(old, extension)))
  }

  close(): Promise<void> {
    this.#closed ??= this.#close()
    return this.#closed
  }

  async #close(): Promise<void> {
    try {
      await this.#snapshots
      await this.#log.close()
    } finally {
      this.#options.lock.release()
    }
  }
}
