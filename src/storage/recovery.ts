// What a queue finds in its directory at the start.
//
// A segment with a footer is taken at its word: its records are checked when they are read, so a start costs the same
// whatever is stored. One without a footer was being written when the process or the power went: it is read whole, cut
// behind its last sound record, and gets its footer. Nothing of an unknown version is touched; the start fails instead.

import { join } from 'node:path'
import type { LogFile } from './append-log.ts'
import { fileName, fileNumbers } from './append-log.ts'
import type { Files, StoredFile } from './files.ts'
import {
  encodeFooter,
  encodeHeader,
  FILE_KIND,
  type FileHeader,
  FOOTER_BYTES,
  findFooter,
  findHeader,
  HEADER_BYTES,
  readSettled,
  type Settled,
  scanRecords,
  type Totals,
} from './format.ts'

export const SEGMENT = '.segment'
export const SETTLED = '.settled'
/** Put aside: nothing in it could be read. */
export const DAMAGED = '.damaged'

export interface Cut {
  readonly path: string
  readonly offset: number
  readonly bytes: number
}

export interface Loss extends Totals {
  readonly path: string
  readonly why: string
}

export interface StoreEvents {
  /** Bytes at the end of a file that are no sound record: a write that a crash cut short. Nobody was promised them. */
  onCut(cut: Cut): void
  /** Records that were promised and cannot be read. `items` and `bytes` may be unknown, and are 0 then. */
  onLost(loss: Loss): void
}

export interface Recovered {
  readonly file: LogFile
  readonly settled: Settled | undefined
}

export async function recoverSegments(
  directory: string,
  files: Files,
  events: StoreEvents,
): Promise<{ readonly found: Recovered[]; readonly nextNumber: number }> {
  const names = await files.list(directory)
  const numbers = fileNumbers(names, SEGMENT)
  const withSettled = fileNumbers(names, SETTLED)
  // First all headers: a version that is not known must be found before anything is changed.
  for (const number of numbers) await withFile(files, join(directory, fileName(number, SEGMENT)), 'read', readHeader)
  const found: Recovered[] = []
  for (const number of numbers) {
    const path = join(directory, fileName(number, SEGMENT))
    const file = await recoverSegment(path, number, files, events)
    if (file === undefined) continue
    const settled = withSettled.includes(number) ? await settledOf(directory, number, files) : undefined
    found.push({ file, settled })
  }
  for (const number of withSettled)
    if (!found.some(({ file }) => file.number === number))
      await files.remove(join(directory, fileName(number, SETTLED)))
  const damaged = fileNumbers(names, SEGMENT + DAMAGED)
  return { found, nextNumber: Math.max(0, ...numbers, ...withSettled, ...damaged) + 1 }
}

async function withFile<T>(
  files: Files,
  path: string,
  mode: 'read' | 'write',
  use: (file: StoredFile, path: string) => Promise<T>,
): Promise<T> {
  const file = await files.open(path, mode)
  try {
    return await use(file, path)
  } finally {
    await file.close()
  }
}

async function readHeader(file: StoredFile, path: string): Promise<FileHeader | undefined> {
  const bytes = new Uint8Array(HEADER_BYTES)
  const filled = await file.read(bytes, 0)
  return findHeader(bytes.subarray(0, filled), path)
}

export async function readWhole(files: Files, path: string): Promise<Uint8Array> {
  return await withFile(files, path, 'read', async (file) => {
    const bytes = new Uint8Array(Buffer.allocUnsafeSlow(await file.size()).buffer)
    return bytes.subarray(0, await file.read(bytes, 0))
  })
}

async function settledOf(directory: string, number: number, files: Files): Promise<Settled | undefined> {
  const path = join(directory, fileName(number, SETTLED))
  const bytes = await readWhole(files, path)
  const header = findHeader(bytes, path)
  if (header?.kind === FILE_KIND.settled && header.number === number) return readSettled(bytes, number)
  await files.remove(path)
  return undefined
}

/** Undefined when there is nothing to send in it; then it is gone, or put aside. */
async function recoverSegment(
  path: string,
  number: number,
  files: Files,
  events: StoreEvents,
): Promise<LogFile | undefined> {
  const sealed = await withFile(files, path, 'read', async (file): Promise<LogFile | undefined> => {
    const size = await file.size()
    if (size < HEADER_BYTES + FOOTER_BYTES) return undefined
    const tail = new Uint8Array(FOOTER_BYTES)
    await file.read(tail, size - FOOTER_BYTES)
    const totals = findFooter(tail, number)
    return totals && logFile(path, number, size - FOOTER_BYTES, totals)
  })
  const file = sealed ?? (await cutTail(path, number, files, events))
  if (file === undefined || file.records > 0) return file
  await files.remove(path)
  return undefined
}

const logFile = (path: string, number: number, bytes: number, totals: Totals): LogFile => ({
  number,
  path,
  bytes,
  records: totals.records,
  items: totals.items,
  payloadBytes: totals.bytes,
  sealed: true,
})

async function cutTail(path: string, number: number, files: Files, events: StoreEvents): Promise<LogFile | undefined> {
  const bytes = await readWhole(files, path)
  const scan = scanRecords(bytes, number)
  if (scan.lost > 0) {
    const why = `bytes from ${scan.firstBad} on do not match their checksum`
    events.onLost({ path, records: scan.lost, items: 0, bytes: 0, why })
  }
  const cut = bytes.length - scan.end
  if (cut > 0) events.onCut({ path, offset: scan.end, bytes: cut })
  if (scan.records === 0) {
    // Without a sound header it may be anything; a crash between creating and writing leaves it short, or full of zeros.
    if (cut > 0 && bytes.some((byte) => byte !== 0)) await files.rename(path, path + DAMAGED)
    else await files.remove(path)
    return undefined
  }
  await withFile(files, path, 'write', async (file) => {
    if (cut > 0) await file.truncate(scan.end)
    // A damaged header is mended: records say by themselves that they belong here.
    if (scan.firstBad !== undefined) await file.write([encodeHeader(FILE_KIND.segment, number)], 0)
    await file.write([encodeFooter(number, scan)], scan.end)
    await file.sync()
  })
  return logFile(path, number, scan.end, scan)
}
