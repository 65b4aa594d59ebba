// Exemplars of a series in the order that stores want: by time, then by value. One that is behind is refused, and with 2.0 the
// whole request is answered with 400 for it.

import { varintSize } from '../../wire/varint.ts'
import type { Writer } from '../../wire/writer.ts'
import type { Request } from './request.ts'
import { NONE } from './row-order.ts'

type Rows = Pick<Request, 'times' | 'next' | 'to' | 'blobs'>

/** Relinks those that begin with row `first`; returns the new first one. */
export function sortExemplars({ times, next, to, blobs }: Rows, first: number): number {
  const rows: { readonly row: number; readonly timeMs: number; readonly value: number }[] = []
  for (let row = first; row !== NONE; row = next[row]!)
    rows.push({ row, timeMs: times[row]!, value: exemplarValue(blobs, to[row]!, times[row]!) })
  rows.sort((a, b) => a.timeMs - b.timeMs || a.value - b.value || a.row - b.row)
  rows.forEach(({ row }, i) => {
    next[row] = rows[i + 1]?.row ?? NONE
  })
  return rows[0]!.row
}

/** An Exemplar ends with its value (1 + 8 bytes) and its time (1 byte and a varint). */
function exemplarValue({ bytes }: Writer, end: number, timeMs: number): number {
  const at = end - varintSize(timeMs) - 1 - 8
  return new DataView(bytes.buffer, bytes.byteOffset + at, 8).getFloat64(0, true)
}
