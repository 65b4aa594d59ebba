// A queue on disk: in order, over restarts, in memory that does not grow with it.
//
//   append() -> AppendLog -> durable -> done() -> memory, up to a bound -> take() -> ... -> settle()
//                                          \--beyond it: disk -> read ahead --/         |
//                                                                                        v
//   0000000007.segment   records, written once                         0000000007.settled   which of them are done with
//
//   disk      |#### settled ####|.... taken, on its way ....|==== in memory ====|---- only on disk ----|  append
//
// What is in memory comes first, so new records go to memory only while nothing waits on disk alone. A segment whose records
// are all settled is unlinked. After a restart everything that is not settled is taken again, in the order of appending.
//
// A record that cannot be read back counts as settled and is reported: the queue goes on behind it.

import { join } from 'node:path'
import { Fifo } from '../collections/fifo.ts'
import type { DeliveryError } from '../delivery/error.ts'
import { AppendLog, fileName, type LogFile, type Place, recordSize } from './append-log.ts'
import { diskQueueFull, diskTooSlow, tooLargeForDisk, writeFailed } from './errors.ts'
import type { Files } from './files.ts'
import { FILE_KIND, FOOTER_BYTES, HEADER_BYTES, type RecordView, type Totals } from './format.ts'
import type { ReadGarbage } from './garbage.ts'
import type { DirectoryLock } from './lock.ts'
import { QUEUE_BOUNDS, type QueueBounds } from './queue-bounds.ts'
import { DAMAGED, type Recovered, recoverSegments, SEGMENT, SETTLED, type StoreEvents } from './recovery.ts'
import { SegmentReader } from './segment-reader.ts'
import { SettledLog } from './settled-log.ts'

export interface QueueEvents extends StoreEvents {
  /** take() has something, or may have. */
  onReady(): void
}

export interface QueueRecord {
  readonly items: number
  readonly meta: Uint8Array
  readonly parts: readonly Uint8Array[]
}

/** A record that was taken and is to be settled. */
export interface TakenRecord extends QueueRecord {
  /** Of the payload. */
  readonly bytes: number
  readonly segment: Segment
  readonly index: number
}

export interface DiskQueueOptions {
  readonly directory: string
  readonly files: Files
  readonly fsync: boolean
  readonly maxBytes: number
  readonly lock: DirectoryLock
  readonly events: QueueEvents
  readonly bounds?: QueueBounds
  /** Told of what is read back. */
  readonly garbage?: ReadGarbage
  /** Bytes of other queues that count against maxBytes too. */
  readonly besideBytes?: () => number
}

/** What takes records and gives them back, in order. */
export interface RecordQueue {
  /** What is not settled. */
  readonly left: Totals
  readonly diskBytes: number
  /** Where it is full. */
  readonly maxBytes: number
  append(record: QueueRecord, done: (error?: DeliveryError) => void): void
  take(): TakenRecord | undefined
  settle(record: TakenRecord): void
  abort(error: DeliveryError): void
  close(): Promise<void>
}

class Segment {
  readonly file: LogFile
  readonly settledLog: SettledLog
  /** Indexes that were settled before the start. */
  readonly skip: ReadonlySet<number> | undefined
  settled: number
  /** Of what is not settled at the start or was appended since: taken so far, to know at the end what is missing. */
  toTake: { records: number; items: number; bytes: number }
  removed = false

  constructor(file: LogFile, settledLog: SettledLog, recovered?: Recovered) {
    const { settled } = recovered ?? {}
    this.file = file
    this.settledLog = settledLog
    this.skip = settled?.indexes
    this.settled = settled?.records ?? 0
    this.toTake = {
      records: file.records - this.settled,
      items: file.items - (settled?.items ?? 0),
      bytes: file.payloadBytes - (settled?.bytes ?? 0),
    }
  }
}

interface InMemory extends TakenRecord {
  readonly end: number
}

interface Append {
  done: ((error?: DeliveryError) => void) | undefined
}

export class DiskQueue implements RecordQueue {
  readonly #options: DiskQueueOptions
  readonly #bounds: QueueBounds
  readonly #log: AppendLog
  readonly #segments = new Map<number, Segment>()
  readonly #removing = new Set<Promise<void>>()
  readonly #appends = new Set<Append>()
  readonly #memory = new Fifo<InMemory>()
  #memoryBytes = 0
  readonly #ahead = new Fifo<TakenRecord>()
  /** Records that are neither in memory nor read ahead. */
  #onlyOnDisk = 0
  /** Behind the last record that was taken from memory or read. */
  #cursor = { number: 0, offset: HEADER_BYTES }
  #reader: { segment: Segment; reader: SegmentReader; close(): Promise<void> } | undefined
  #reading: Promise<void> | undefined
  #left = { records: 0, items: 0, bytes: 0 }
  #sealedBytes = 0
  #closed = false

  /** The lock is the queue's from here on, also when it throws. */
  static async open(options: DiskQueueOptions): Promise<DiskQueue> {
    try {
      const { directory, files, events } = options
      const { found, nextNumber } = await recoverSegments(directory, files, events)
      return new DiskQueue(options, found, nextNumber)
    } catch (error) {
      options.lock.release()
      throw error
    }
  }

  private constructor(options: DiskQueueOptions, found: readonly Recovered[], firstNumber: number) {
    const { directory, files, fsync, maxBytes } = options
    const bounds = options.bounds ?? QUEUE_BOUNDS
    this.#options = options
    this.#bounds = { ...bounds, fileMaxBytes: Math.min(bounds.fileMaxBytes, Math.ceil(maxBytes / 8)) }
    this.#log = new AppendLog({
      directory,
      files,
      kind: FILE_KIND.segment,
      extension: SEGMENT,
      ownerVersion: 0,
      fileMaxBytes: this.#bounds.fileMaxBytes,
      fsync,
      groupEveryMs: fsync ? bounds.groupEveryMs : 0,
      firstNumber,
      onFile: (file) => this.#segments.set(file.number, this.#segment(file)),
      onSealed: (file) => {
        const segment = this.#segments.get(file.number)!
        this.#sealedBytes += diskBytes(segment)
        this.#removeIfDone(segment)
      },
    })
    for (const recovered of found) {
      const segment = this.#segment(recovered.file, recovered)
      this.#segments.set(recovered.file.number, segment)
      this.#sealedBytes += diskBytes(segment)
      add(this.#left, segment.toTake)
      this.#onlyOnDisk += segment.toTake.records
      this.#removeIfDone(segment)
    }
  }

  get left(): Totals {
    return this.#left
  }

  get maxBytes(): number {
    return this.#options.maxBytes
  }

  /** Bytes of all segments; what is settled counts until its segment is removed. */
  get diskBytes(): number {
    let active = 0
    for (const segment of this.#segments.values()) if (!segment.file.sealed) active += diskBytes(segment)
    return this.#sealedBytes + active
  }

  /** Calls `done` once: without an error when the record is on disk, and take() will give it. */
  append(record: QueueRecord, done: (error?: DeliveryError) => void): void {
    const bytes = recordSize(record)
    const refusal = this.#refusal(bytes)
    if (refusal !== undefined) {
      done(refusal)
      return
    }
    const append: Append = { done }
    this.#appends.add(append)
    this.#log.append({
      items: record.items,
      meta: record.meta,
      parts: record.parts,
      done: (error, place) => {
        this.#appends.delete(append)
        if (place !== undefined) this.#appended(record, place, bytes)
        const answer = append.done
        append.done = undefined
        answer?.(error && writeFailed(error))
        if (place !== undefined) this.#options.events.onReady()
      },
    })
  }

  #refusal(bytes: number): DeliveryError | undefined {
    const { maxBytes, besideBytes } = this.#options
    const waiting = this.#log.pendingBytes + bytes
    if (bytes > maxBytes - 2 * this.#bounds.fileMaxBytes) return tooLargeForDisk(bytes, maxBytes)
    if (this.diskBytes + waiting + (besideBytes?.() ?? 0) > maxBytes) {
      this.#makeRoom()
      return diskQueueFull(maxBytes)
    }
    return waiting > this.#bounds.pendingMaxBytes && waiting > bytes ? diskTooSlow() : undefined
  }

  /** The next record in order; undefined when there is none, or it is being read: onReady tells when to ask again. */
  take(): TakenRecord | undefined {
    const ahead = this.#ahead.shift()
    if (ahead !== undefined) return ahead
    const next = this.#memory.shift()
    if (next !== undefined) {
      this.#memoryBytes -= next.bytes
      this.#cursor = { number: next.segment.file.number, offset: next.end }
      subtract(next.segment.toTake, 1, next.items, next.bytes)
      return next
    }
    if (this.#onlyOnDisk > 0 && !this.#closed) this.#reading ??= this.#readAhead()
    return undefined
  }

  /** Delivered, or given up: it is not taken again, in this process or the next. */
  settle({ segment, index, items, bytes }: TakenRecord): void {
    subtract(this.#left, 1, items, bytes)
    segment.settled++
    if (!this.#removeIfDone(segment)) segment.settledLog.add(index, items, bytes)
  }

  /** Answers every append that has not ended with this error; some of them may be on disk all the same. */
  abort(error: DeliveryError): void {
    for (const append of this.#appends) {
      const { done } = append
      append.done = undefined
      done?.(error)
    }
  }

  /** Ends what was appended, keeps what is not settled, lets go of the directory. */
  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    try {
      await this.#log.close()
      await this.#reading
      await this.#reader?.close()
      this.#reader = undefined
      if (this.#left.records === 0) for (const segment of this.#segments.values()) this.#remove(segment)
      await Promise.all([...this.#segments.values()].map(({ settledLog }) => settledLog.close()))
      await Promise.all(this.#removing)
    } finally {
      this.#options.lock.release()
    }
  }

  #segment(file: LogFile, recovered?: Recovered): Segment {
    const { directory, files } = this.#options
    const path = join(directory, fileName(file.number, SETTLED))
    return new Segment(file, new SettledLog(files, path, file.number, recovered?.settled?.records), recovered)
  }

  #appended(record: QueueRecord, { file, index, offset }: Place, size: number): void {
    const segment = this.#segments.get(file.number)!
    let bytes = 0
    for (const part of record.parts) bytes += part.length
    const { items } = record
    subtract(segment.toTake, -1, -items, -bytes)
    subtract(this.#left, -1, -items, -bytes)
    if (this.#onlyOnDisk > 0 || this.#memoryBytes + bytes > this.#bounds.memoryMaxBytes) {
      this.#onlyOnDisk++
      return
    }
    const { meta, parts } = record
    this.#memory.push({ items, meta, parts, bytes, segment, index, end: offset + size })
    this.#memoryBytes += bytes
  }

  async #readAhead(): Promise<void> {
    let waitsForMore = false
    try {
      while (this.#ahead.length === 0 && this.#onlyOnDisk > 0 && !waitsForMore) {
        const open = await this.#openReader()
        waitsForMore = open === undefined || (await this.#readSome(open))
      }
    } finally {
      this.#reading = undefined
    }
    // Otherwise the next append says so.
    if (!this.#closed && !waitsForMore) this.#options.events.onReady()
  }

  /** At the cursor. Undefined when nothing is behind it yet. */
  async #openReader(): Promise<{ segment: Segment; reader: SegmentReader } | undefined> {
    const { number, offset } = this.#cursor
    const open = this.#reader
    if (open?.segment.file.number === number && open.reader.position === offset) return open
    await open?.close()
    this.#reader = undefined
    const segment = this.#find(({ file }) => file.number >= number)
    if (segment === undefined) return undefined
    const { file } = segment
    this.#cursor = { number: file.number, offset: file.number === number ? offset : HEADER_BYTES }
    try {
      const handle = await this.#options.files.open(file.path, 'read')
      const reader = new SegmentReader(file, handle, this.#cursor.offset, this.#options.garbage)
      this.#reader = { segment, reader, close: () => handle.close().catch(() => undefined) }
      return this.#reader
    } catch (error) {
      this.#finishReading(segment, error as Error)
      return await this.#openReader()
    }
  }

  /** True when it takes another append before there is anything to read. */
  async #readSome({ segment, reader }: { segment: Segment; reader: SegmentReader }): Promise<boolean> {
    let record: RecordView | undefined
    try {
      record = await reader.next()
    } catch (error) {
      this.#finishReading(segment, error as Error)
      return false
    }
    for (; record !== undefined; record = reader.tryNext()) {
      this.#cursor = { number: segment.file.number, offset: reader.position }
      const { index, items, meta, payload } = record
      if (segment.skip?.has(index) === true) continue
      subtract(segment.toTake, 1, items, payload.length)
      this.#onlyOnDisk--
      this.#ahead.push({ items, meta, parts: [payload], bytes: payload.length, segment, index })
    }
    // It may have grown while it was read.
    if (this.#ahead.length > 0 || reader.position < segment.file.bytes) return false
    this.#cursor = { number: segment.file.number, offset: reader.position }
    if (!segment.file.sealed) return true
    this.#finishReading(segment)
    return false
  }

  /** Goes on to the segment behind; what the one that was read should have held and did not give is lost. */
  #finishReading(segment: Segment, error?: Error): void {
    const { file, toTake } = segment
    const { records, items, bytes } = toTake
    this.#cursor = { number: file.number + 1, offset: HEADER_BYTES }
    if (records > 0) {
      segment.toTake = { records: 0, items: 0, bytes: 0 }
      segment.settled += records
      this.#onlyOnDisk = Math.max(0, this.#onlyOnDisk - records)
      subtract(this.#left, records, items, bytes)
      const why = error === undefined ? 'bytes do not match their checksum' : error.message
      this.#options.events.onLost({ path: file.path, records, items, bytes, why })
    }
    this.#removeIfDone(segment, error !== undefined)
  }

  /** A file that is still written to and holds nothing but settled records gives its bytes back. */
  #makeRoom(): void {
    const active = this.#find(({ file }) => !file.sealed)
    if (active !== undefined && active.file.records > 0 && active.settled >= active.file.records) void this.#log.roll()
  }

  /** The first in order. */
  #find(is: (segment: Segment) => boolean): Segment | undefined {
    for (const segment of this.#segments.values()) if (is(segment)) return segment
    return undefined
  }

  #removeIfDone(segment: Segment, keepsDamage = false): boolean {
    const { file, settled } = segment
    if (!file.sealed || settled < file.records) return false
    this.#remove(segment, keepsDamage)
    return true
  }

  /** What the disk would not give may be read by other means: it is put aside. */
  #remove(segment: Segment, keepsDamage = false): void {
    if (segment.removed) return
    segment.removed = true
    const { files } = this.#options
    const { file, settledLog } = segment
    this.#segments.delete(file.number)
    if (file.sealed) this.#sealedBytes -= diskBytes(segment)
    // While it is open for reading, a file that is deleted keeps its room: on a full disk, for ever.
    if (this.#reader?.segment === segment) {
      void this.#reader.close()
      this.#reader = undefined
    }
    const gone = keepsDamage ? files.rename(file.path, file.path + DAMAGED) : files.remove(file.path)
    // The segment first: settled records without their list would be sent again.
    const removal = gone
      .catch(() => undefined)
      .then(() => settledLog.remove())
      .finally(() => this.#removing.delete(removal))
    this.#removing.add(removal)
  }
}

const diskBytes = ({ file }: Segment): number => file.bytes + (file.sealed ? FOOTER_BYTES : 0)

function add(to: { records: number; items: number; bytes: number }, more: Totals): void {
  subtract(to, -more.records, -more.items, -more.bytes)
}

function subtract(
  from: { records: number; items: number; bytes: number },
  records: number,
  items: number,
  bytes: number,
): void {
  from.records -= records
  from.items -= items
  from.bytes -= bytes
}
