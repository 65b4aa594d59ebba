// Files of queues and state: whatever a disk gives back is read up to what is sound, never throws and never invents a record;
// and reading a window at a time finds what reading the whole finds.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { crc32 } from 'node:zlib'
import { decodeClient } from '../../src/sending/queue-meta.ts'
import type { StoredFile } from '../../src/storage/files.ts'
import {
  FOOTER_BYTES,
  findFooter,
  findHeader,
  HEADER_BYTES,
  type RecordView,
  readSettled,
  scanRecords,
  UnknownVersion,
} from '../../src/storage/format.ts'
import { SegmentReader } from '../../src/storage/segment-reader.ts'
import { fuzz } from './harness.ts'

/** The file number that the corpus was written with. */
const NUMBER = 1

const fileOf = (bytes: Uint8Array): StoredFile => ({
  read: async (into, position) => {
    const some = bytes.subarray(position, position + into.length)
    into.set(some)
    return some.length
  },
  write: () => assert.fail('a reader writes'),
  truncate: () => assert.fail('a reader cuts'),
  sync: () => assert.fail('a reader syncs'),
  size: async () => bytes.length,
  close: async () => undefined,
})

/** The same with right checksums, so that mangled lengths and counts get past them. */
function mended(bytes: Uint8Array): Uint8Array {
  const copy = Buffer.from(bytes)
  for (let at = copy.indexOf('MREC'); at >= 0 && at + 24 <= copy.length; at = copy.indexOf('MREC', at + 4)) {
    const end = at + 24 + copy.readUInt32LE(at + 8)
    if (end <= copy.length) copy.writeUInt32LE(crc32(copy.subarray(at + 8, end), NUMBER), at + 4)
  }
  return new Uint8Array(copy)
}

async function check(bytes: Uint8Array): Promise<number> {
  try {
    findHeader(bytes, 'fuzz')
  } catch (error) {
    assert.ok(error instanceof UnknownVersion, String(error))
  }
  const found: RecordView[] = []
  const scan = scanRecords(bytes, NUMBER, (record) => found.push(record))
  assert.equal(scan.records, found.length)
  assert.ok(scan.end <= bytes.length && scan.lost >= 0)
  let last = HEADER_BYTES
  for (const { meta, payload, end } of found) {
    assert.equal(end - last >= 24 + meta.length + payload.length, true, 'records overlap')
    last = end
    decodeClient(meta)
  }
  const until = findFooter(bytes, NUMBER) === undefined ? bytes.length : bytes.length - FOOTER_BYTES
  const reader = new SegmentReader({ number: NUMBER, bytes: until }, fileOf(bytes))
  for (const record of found) {
    const read = reader.tryNext() ?? (await reader.next())
    assert.deepEqual([read?.index, read?.items, read?.payload], [record.index, record.items, record.payload])
  }
  assert.equal(await reader.next(), undefined)
  const settled = readSettled(bytes, NUMBER)
  assert.ok(settled.records <= Math.max(0, bytes.length - HEADER_BYTES) / 16)
  return found.length + settled.records
}

test('whatever a disk gives back is read as far as it is sound', async () => {
  let read = 0
  await fuzz({
    name: 'storage',
    inputs: 4000,
    words: ['MREC', 'MEND', 'MILLRACE', '\0\0\0\0', '\x01\0\0\0', '\xff\xff\xff\x7f'],
    async run(bytes) {
      read += await check(bytes)
      read += await check(mended(bytes))
    },
  })
  assert.ok(read > 1000, `only ${read} records were read`)
})
