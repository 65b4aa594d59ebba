// Appends records to numbered files, many in one write and one fdatasync.
//
//   append() -> #pending -> one group at a time: writev, fdatasync -> done() of each, in order
//
// What comes while a group is on its way gathers for the next one, so a slow disk makes larger groups, not more of them. On
// a fast one groups begin at least groupEveryMs apart: a request that comes after a pause is written at once, and under load
// many share one fdatasync, whose price does not depend on how much it writes.
// A full file gets its footer and the next number follows. Nothing happens on the event loop but the checksum.
//
// A group that fails is refused as a whole. What it left behind is cut off, where the disk lets us, and the file takes nothing
// more: after an fdatasync that failed the kernel may have dropped what it could not write, and says so once; and on a full
// disk a file must end for its owner to be able to delete it. The next append begins a new file, so a disk that is well
// again is used again.

import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Files, StoredFile } from './files.ts'
import {
  encodeFooter,
  encodeHeader,
  encodeRecordHeader,
  type FileKind,
  HEADER_BYTES,
  RECORD_HEADER_BYTES,
} from './format.ts'

/** A group takes no more, so that the first of it need not wait for a long write. */
const GROUP_MAX_BYTES = 8 * 2 ** 20
const GROUP_MAX_RECORDS = 1024

/** A file of the log, as far as its records are good. */
export interface LogFile {
  readonly number: number
  readonly path: string
  /** Up to the end of the last good record; a footer comes behind it. */
  bytes: number
  records: number
  items: number
  payloadBytes: number
  /** Nothing is appended any more. */
  sealed: boolean
}

export interface Place {
  readonly file: LogFile
  readonly index: number
  /** Of the record's first byte. */
  readonly offset: number
}

export interface LogRecord {
  readonly items: number
  readonly meta: Uint8Array
  readonly parts: readonly Uint8Array[]
  /** Called once. Without an error the record is as durable as the log makes it. */
  done(error: Error | undefined, place: Place | undefined): void
}

export interface AppendLogOptions {
  readonly directory: string
  readonly files: Files
  readonly kind: FileKind
  /** With its dot. */
  readonly extension: string
  readonly ownerVersion: number
  readonly fileMaxBytes: number
  readonly fsync: boolean
  /** Between the beginnings of two groups, unless half a group's bytes wait. */
  readonly groupEveryMs: number
  readonly firstNumber: number
  /** A file was begun; its records are told of by their own `done`. */
  onFile?(file: LogFile): void
  /** A file takes no more. */
  onSealed?(file: LogFile): void
}

export const fileName = (number: number, extension: string): string => `${String(number).padStart(10, '0')}${extension}`

/** Numbers of the files with this extension, in order. */
export const fileNumbers = (names: readonly string[], extension: string): number[] =>
  names
    .flatMap((name) => (/^\d{10}\./.test(name) && name.slice(10) === extension ? [Number(name.slice(0, 10))] : []))
    .sort((a, b) => a - b)

export const recordSize = ({ meta, parts }: Pick<LogRecord, 'meta' | 'parts'>): number => {
  let bytes = RECORD_HEADER_BYTES + meta.length
  for (const part of parts) bytes += part.length
  return bytes
}

export class AppendLog {
  readonly #options: AppendLogOptions
  #pending: LogRecord[] = []
  #pendingBytes = 0
  /** Records that were ever appended, and of those the ones that went into a group. */
  #appended = 0
  #taken = 0
  readonly #rolls: { readonly at: number; resolve(number: number): void }[] = []
  #running: Promise<void> | undefined
  #file: LogFile | undefined
  #handle: StoredFile | undefined
  #next: number
  /** Since the last group began. */
  #rested: Promise<void> | undefined

  constructor(options: AppendLogOptions) {
    this.#options = options
    this.#next = options.firstNumber
  }

  /** Of what was appended and is not done. */
  get pendingBytes(): number {
    return this.#pendingBytes
  }

  append(record: LogRecord): void {
    this.#pending.push(record)
    this.#appended++
    this.#pendingBytes += recordSize(record)
    this.#running ??= this.#run()
  }

  /** What is appended from here on, and nothing before, goes into a new file; its number is this or a later one. */
  roll(): Promise<number> {
    return new Promise((resolve) => {
      this.#rolls.push({ at: this.#appended, resolve })
      this.#running ??= this.#run()
    })
  }

  /** Ends all that was appended, then closes the file with its footer. Appending is over. */
  async close(): Promise<void> {
    while (this.#running !== undefined) await this.#running
    await this.#seal()
  }

  async #run(): Promise<void> {
    // Whatever else this turn of the event loop brings belongs to the same group.
    await undefined
    while (this.#pending.length > 0 || this.#rolls.length > 0) {
      if (this.#rolls[0]?.at === this.#taken) {
        await this.#seal()
        this.#rolls.shift()!.resolve(this.#next)
        continue
      }
      await this.#rest()
      let group: LogRecord[] = []
      let error: Error | undefined
      let place: { file: LogFile; index: number; offset: number } | undefined
      try {
        const file = await this.#writable()
        group = this.#takeGroup(file)
        place = { file, index: file.records, offset: file.bytes }
        await this.#writeGroup(file, group)
      } catch (thrown) {
        error = thrown as Error
        // Without a file there is nothing to wait for.
        if (group.length === 0) group = this.#take(this.#untilRoll)
      }
      this.#finish(group, error, place)
    }
    this.#running = undefined
  }

  async #rest(): Promise<void> {
    const { groupEveryMs } = this.#options
    if (groupEveryMs === 0) return
    if (this.#pendingBytes < GROUP_MAX_BYTES / 2) await this.#rested
    this.#rested = sleep(groupEveryMs)
  }

  #finish(group: readonly LogRecord[], error: Error | undefined, first: Place | undefined): void {
    let { index, offset } = first ?? { index: 0, offset: 0 }
    for (const record of group) {
      const bytes = recordSize(record)
      this.#pendingBytes -= bytes
      if (error !== undefined || first === undefined) record.done(error ?? new Error('nothing was written'), undefined)
      else record.done(undefined, { file: first.file, index, offset })
      index++
      offset += bytes
    }
  }

  /** As many as one write, and the file, take; a record larger than a file gets one to itself. */
  #takeGroup(file: LogFile): LogRecord[] {
    let bytes = 0
    let count = 0
    const most = Math.min(GROUP_MAX_RECORDS, this.#untilRoll)
    for (const record of this.#pending) {
      const more = recordSize(record)
      const isFull = bytes + more > GROUP_MAX_BYTES || file.bytes + bytes + more > this.#options.fileMaxBytes
      if (count === most || (count > 0 && isFull)) break
      bytes += more
      count++
    }
    return this.#take(count)
  }

  get #untilRoll(): number {
    const roll = this.#rolls[0]
    return roll === undefined ? this.#pending.length : roll.at - this.#taken
  }

  #take(count: number): LogRecord[] {
    this.#taken += count
    return this.#pending.splice(0, count)
  }

  async #writeGroup(file: LogFile, group: readonly LogRecord[]): Promise<void> {
    const pieces: Uint8Array[] = []
    let [bytes, items, payloadBytes] = [0, 0, 0]
    for (const [at, record] of group.entries()) {
      const { meta, parts } = record
      pieces.push(encodeRecordHeader(file.number, file.records + at, record.items, meta, parts))
      if (meta.length > 0) pieces.push(meta)
      for (const part of parts) if (part.length > 0) pieces.push(part)
      const size = recordSize(record)
      bytes += size
      payloadBytes += size - RECORD_HEADER_BYTES - meta.length
      items += record.items
    }
    const handle = this.#handle!
    try {
      await handle.write(pieces, file.bytes)
    } catch (error) {
      await handle.truncate(file.bytes).catch(() => this.#abandon())
      // Only a file that is sealed can be deleted once its records are settled, and on a full disk that is all the room there
      // will be. Nor would one that has reached a bound of the system's (EFBIG) ever take more.
      if (file.records > 0) await this.#seal()
      throw error
    }
    if (this.#options.fsync) {
      try {
        await handle.sync()
      } catch (error) {
        await this.#giveUp(file, handle)
        throw error
      }
    }
    file.bytes += bytes
    file.records += group.length
    file.items += items
    file.payloadBytes += payloadBytes
  }

  async #giveUp(file: LogFile, handle: StoredFile): Promise<void> {
    await handle.truncate(file.bytes).catch(() => undefined)
    await this.#abandon()
  }

  /** The file that takes the first of what waits. */
  async #writable(): Promise<LogFile> {
    const { fileMaxBytes } = this.#options
    const file = this.#file
    if (file !== undefined && (file.records === 0 || file.bytes + recordSize(this.#pending[0]!) <= fileMaxBytes))
      return file
    await this.#seal()
    return await this.#begin()
  }

  async #begin(): Promise<LogFile> {
    const { directory, files, kind, extension, ownerVersion, fsync } = this.#options
    const number = this.#next
    const path = join(directory, fileName(number, extension))
    const handle = await files.create(path)
    try {
      await handle.write([encodeHeader(kind, number, ownerVersion)], 0)
      // The file's contents are made safe with its first group.
      if (fsync) await files.syncDirectory(directory)
    } catch (error) {
      await handle.close().catch(() => undefined)
      await files.remove(path).catch(() => undefined)
      // Where it could not even be removed, its number is taken.
      this.#next++
      throw error
    }
    this.#next++
    this.#handle = handle
    this.#file = { number, path, bytes: HEADER_BYTES, records: 0, items: 0, payloadBytes: 0, sealed: false }
    this.#options.onFile?.(this.#file)
    return this.#file
  }

  /** Without its footer a file is read whole at the next start, which is slower and no worse. */
  async #seal(): Promise<void> {
    const file = this.#file
    const handle = this.#handle
    if (file === undefined || handle === undefined) return
    const { number, records, items, payloadBytes } = file
    try {
      await handle.write([encodeFooter(number, { records, items, bytes: payloadBytes })], file.bytes)
      if (this.#options.fsync) await handle.sync()
    } catch {
      await handle.truncate(file.bytes).catch(() => undefined)
    }
    await this.#abandon()
  }

  /** Nothing more goes into the file; what is good in it stays. */
  async #abandon(): Promise<void> {
    const file = this.#file
    const handle = this.#handle
    this.#file = undefined
    this.#handle = undefined
    if (file === undefined) return
    await handle?.close().catch(() => undefined)
    // In one go: whoever sees that it is sealed may delete it.
    file.sealed = true
    this.#options.onSealed?.(file)
  }
}
