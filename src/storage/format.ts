// The bytes of every file that is kept here: queue segments, what is settled in them, logs and snapshots of state.
// Numbers are little-endian.
//
//   file     header  record*  [footer]                       footer: the file is complete
//
//   header    0  "MILLRACE"                                  24 bytes
//             8  u16 version of this format
//            10  u16 kind: FILE_KIND
//            12  u32 number of the file, as in its name
//            16  u32 version of its owner's data; 0 in queues
//            20  u32 CRC-32 of bytes 0 to 20
//
//   record    0  "MREC"                                      24 bytes, then meta and payload
//             4  u32 CRC-32 of everything behind it, begun with the file's number
//             8  u32 length of meta and payload
//            12  u32 index in the file: 0, 1, 2, ...
//            16  u32 items
//            20  u32 length of meta
//
//   footer    0  "MEND"                                      32 bytes
//             4  u32 CRC-32 of everything behind it, begun with the file's number
//             8  u32 records      12  u32 0
//            16  f64 items        24  f64 bytes of payloads
//
//   settled  (a file of its own: header, then 16 bytes for each record that needs no sending any more)
//             0  u32 CRC-32 of the rest, begun with the file's number
//             4  u32 index     8  u32 items    12  u32 bytes of payload
//
// The mark before each record finds the next good one behind a bad one. A number in a CRC keeps bytes of one file from
// passing for another's. A file of a version that is not known is refused and left alone: see UnknownVersion.

import { crc32 } from 'node:zlib'

export const FORMAT_VERSION = 1
export const HEADER_BYTES = 24
export const RECORD_HEADER_BYTES = 24
export const FOOTER_BYTES = 32
export const SETTLED_BYTES = 16

/** No record is longer; a length beyond it is damage. */
export const RECORD_MAX_BYTES = 2 ** 30

export const FILE_KIND = { segment: 1, settled: 2, stateLog: 3, snapshot: 4 } as const
export type FileKind = (typeof FILE_KIND)[keyof typeof FILE_KIND]

const MAGIC = Buffer.from('MILLRACE')
export const RECORD_MARK = Buffer.from('MREC')
const RECORD_MARK_NUMBER = RECORD_MARK.readUInt32LE(0)
const FOOTER_MARK_NUMBER = Buffer.from('MEND').readUInt32LE(0)

/** A file that this release cannot read and must not touch; the message says what to do. */
export class UnknownVersion extends Error {
  constructor(path: string, version: number) {
    super(
      `${path} has version ${version} of its format, and this release reads version ${FORMAT_VERSION}: ` +
        'start the release that wrote it and let it drain, or move the file away',
    )
    this.name = 'UnknownVersion'
  }
}

export interface FileHeader {
  readonly kind: number
  readonly number: number
  readonly ownerVersion: number
}

export function encodeHeader(kind: FileKind, number: number, ownerVersion = 0): Buffer {
  const bytes = Buffer.alloc(HEADER_BYTES)
  MAGIC.copy(bytes)
  bytes.writeUInt16LE(FORMAT_VERSION, 8)
  bytes.writeUInt16LE(kind, 10)
  bytes.writeUInt32LE(number, 12)
  bytes.writeUInt32LE(ownerVersion, 16)
  bytes.writeUInt32LE(crc32(bytes.subarray(0, 20)), 20)
  return bytes
}

/** Undefined when it is cut short or damaged. Throws UnknownVersion for a sound header of another version. */
export function findHeader(bytes: Uint8Array, path: string): FileHeader | undefined {
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (view.length < HEADER_BYTES || !view.subarray(0, 8).equals(MAGIC)) return undefined
  if (crc32(view.subarray(0, 20)) !== view.readUInt32LE(20)) return undefined
  const version = view.readUInt16LE(8)
  if (version !== FORMAT_VERSION) throw new UnknownVersion(path, version)
  return { kind: view.readUInt16LE(10), number: view.readUInt32LE(12), ownerVersion: view.readUInt32LE(16) }
}

/** The header of a record whose body is `meta` and then `parts`, side by side. */
export function encodeRecordHeader(
  number: number,
  index: number,
  items: number,
  meta: Uint8Array,
  parts: readonly Uint8Array[],
): Buffer {
  let length = meta.length
  for (const part of parts) length += part.length
  const header = Buffer.allocUnsafe(RECORD_HEADER_BYTES)
  header.writeUInt32LE(RECORD_MARK_NUMBER, 0)
  header.writeUInt32LE(length, 8)
  header.writeUInt32LE(index, 12)
  header.writeUInt32LE(items, 16)
  header.writeUInt32LE(meta.length, 20)
  let crc = crc32(header.subarray(8), number)
  if (meta.length > 0) crc = crc32(meta, crc)
  for (const part of parts) crc = crc32(part, crc)
  header.writeUInt32LE(crc, 4)
  return header
}

export interface RecordView {
  readonly index: number
  readonly items: number
  /** Both share memory with what they were read from. */
  readonly meta: Uint8Array
  readonly payload: Uint8Array
  /** Where the next one begins. */
  readonly end: number
}

/** Nothing sound stands there. */
export const BAD = 'bad'

/**
 * The record at `at`, BAD, or how many bytes from `at` on it takes to tell. `fileLeft` is what the file holds from `at`
 * on: a record that would be longer is bad.
 */
export function readRecord(
  bytes: Uint8Array,
  at: number,
  number: number,
  fileLeft: number,
): RecordView | 'bad' | number {
  if (fileLeft < RECORD_HEADER_BYTES) return BAD
  const have = bytes.length - at
  if (have < RECORD_HEADER_BYTES) return RECORD_HEADER_BYTES
  const view = Buffer.from(bytes.buffer, bytes.byteOffset + at, have)
  if (view.readUInt32LE(0) !== RECORD_MARK_NUMBER) return BAD
  const length = view.readUInt32LE(8)
  const metaLength = view.readUInt32LE(20)
  const total = RECORD_HEADER_BYTES + length
  if (length > RECORD_MAX_BYTES || metaLength > length || total > fileLeft) return BAD
  if (have < total) return total
  if (crc32(view.subarray(8, total), number) !== view.readUInt32LE(4)) return BAD
  return {
    index: view.readUInt32LE(12),
    items: view.readUInt32LE(16),
    meta: view.subarray(RECORD_HEADER_BYTES, RECORD_HEADER_BYTES + metaLength),
    payload: view.subarray(RECORD_HEADER_BYTES + metaLength, total),
    end: at + total,
  }
}

export interface Totals {
  readonly records: number
  readonly items: number
  /** Of payloads. */
  readonly bytes: number
}

export function encodeFooter(number: number, { records, items, bytes }: Totals): Buffer {
  const footer = Buffer.alloc(FOOTER_BYTES)
  footer.writeUInt32LE(FOOTER_MARK_NUMBER, 0)
  footer.writeUInt32LE(records, 8)
  footer.writeDoubleLE(items, 16)
  footer.writeDoubleLE(bytes, 24)
  footer.writeUInt32LE(crc32(footer.subarray(8), number), 4)
  return footer
}

/** Of the last bytes of a file; undefined when no sound footer stands there. */
export function findFooter(bytes: Uint8Array, number: number): Totals | undefined {
  if (bytes.length < FOOTER_BYTES) return undefined
  const view = Buffer.from(bytes.buffer, bytes.byteOffset + bytes.length - FOOTER_BYTES, FOOTER_BYTES)
  if (view.readUInt32LE(0) !== FOOTER_MARK_NUMBER || crc32(view.subarray(8), number) !== view.readUInt32LE(4))
    return undefined
  return { records: view.readUInt32LE(8), items: view.readDoubleLE(16), bytes: view.readDoubleLE(24) }
}

export interface Scan extends Totals {
  /** Behind the last sound record. */
  readonly end: number
  /** Records before `end` that cannot be read, by the gaps in their indexes. */
  readonly lost: number
  /** Where the first thing stands that is no sound record; undefined when there is none before the end or the footer. */
  readonly firstBad: number | undefined
}

/**
 * Walks over a whole file, header and all, and calls `visit` for each sound record. Behind a bad place it goes on at the
 * next sound record; `end` lies before whatever cannot be read at the tail. Never throws.
 */
export function scanRecords(bytes: Uint8Array, number: number, visit?: (record: RecordView) => void): Scan {
  let [records, items, payloadBytes, lost, next] = [0, 0, 0, 0, 0]
  // Of a file that was only begun, nothing is sound.
  let end = bytes.length < HEADER_BYTES ? 0 : HEADER_BYTES
  let firstBad: number | undefined
  const footer = findFooter(bytes, number)
  const until = footer === undefined ? bytes.length : bytes.length - FOOTER_BYTES
  const body = bytes.subarray(0, until)
  for (let at = HEADER_BYTES; at < until; ) {
    const record = readRecord(body, at, number, until - at)
    if (typeof record === 'object') {
      // Of one that was written twice, or out of turn, nothing is known to be lost.
      if (record.index > next) lost += record.index - next
      next = record.index + 1
      records++
      items += record.items
      payloadBytes += record.payload.length
      at = record.end
      end = at
      visit?.(record)
      continue
    }
    firstBad ??= at
    const found = Buffer.from(body.buffer, body.byteOffset, body.length).indexOf(RECORD_MARK, at + 1)
    if (found < 0) break
    at = found
  }
  return { records, items, bytes: payloadBytes, lost, end, firstBad }
}

/** One settled record, written into `into` at `at`. */
export function writeSettled(
  into: Buffer,
  at: number,
  number: number,
  index: number,
  items: number,
  bytes: number,
): void {
  into.writeUInt32LE(index, at + 4)
  into.writeUInt32LE(items, at + 8)
  into.writeUInt32LE(bytes, at + 12)
  into.writeUInt32LE(crc32(into.subarray(at + 4, at + SETTLED_BYTES), number), at)
}

export interface Settled extends Totals {
  readonly indexes: ReadonlySet<number>
}

/** Reads a whole settled file, header and all, up to the first bad entry: what is behind it is sent once more. */
export function readSettled(bytes: Uint8Array, number: number): Settled {
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const indexes = new Set<number>()
  let [items, payloadBytes] = [0, 0]
  for (let at = HEADER_BYTES; at + SETTLED_BYTES <= view.length; at += SETTLED_BYTES) {
    if (crc32(view.subarray(at + 4, at + SETTLED_BYTES), number) !== view.readUInt32LE(at)) break
    const index = view.readUInt32LE(at + 4)
    if (indexes.has(index)) continue
    indexes.add(index)
    items += view.readUInt32LE(at + 8)
    payloadBytes += view.readUInt32LE(at + 12)
  }
  return { indexes, records: indexes.size, items, bytes: payloadBytes }
}
