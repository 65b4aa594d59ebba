// Numbers on requests, so that what arrived can be compared with what was answered OK, one by one.
//
// A span carries in its trace id
//   MARK (8 bytes)  sender (4 bytes)  number (4 bytes)
// which survives routing, batching and other encodings. The sink finds the marks by walking over the spans. The load of
// a bench marks the first span of a request only; a fault run marks each.

import { EXPORT_TRACE_SERVICE_REQUEST, RESOURCE_SPANS, SCOPE_SPANS, SPAN } from '../src/otlp/fields.ts'

const MARK_HIGH = 0x6d69_6c6c
const MARK_LOW = 0x7261_6365
const LENGTH_DELIMITED = 2
const tag = (field: number): number => field * 8 + LENGTH_DELIMITED
const RESOURCE_SPANS_TAG = tag(EXPORT_TRACE_SERVICE_REQUEST.RESOURCE_SPANS)
const SCOPE_SPANS_TAG = tag(RESOURCE_SPANS.SCOPE_SPANS)
const SPANS_TAG = tag(SCOPE_SPANS.SPANS)
const TRACE_ID_TAG = tag(SPAN.TRACE_ID)

/** Offset of the first span's trace id in a request that was made by payloads.ts. */
export const findFirstTraceId = (request: Uint8Array): number => findTraceIds(request)[0]!

/** Offsets of all trace ids in a request that was made by payloads.ts. */
export function findTraceIds(request: Uint8Array): number[] {
  const found: number[] = []
  walkSpans(request, (bytes, at) => {
    if (bytes[at] === TRACE_ID_TAG && bytes[at + 1] === 16) found.push(at + 2)
  })
  if (found.length === 0) throw new Error('the request has no span with a trace id')
  return found
}

export function writeNumber(bytes: Buffer, at: number, sender: number, number: number): void {
  bytes.writeUInt32BE(MARK_HIGH, at)
  bytes.writeUInt32BE(MARK_LOW, at + 4)
  bytes.writeUInt32BE(sender, at + 8)
  bytes.writeUInt32BE(number, at + 12)
}

/** Counts the spans of a request, and tells of each number in it. */
export function readRequest(request: Uint8Array, onNumber: (sender: number, number: number) => void): number {
  let spans = 0
  const view = new DataView(request.buffer, request.byteOffset, request.byteLength)
  walkSpans(request, (bytes, at) => {
    spans++
    // Only spans that begin with their trace id can be marked; all that the load sends do.
    if (bytes[at] !== TRACE_ID_TAG || bytes[at + 1] !== 16) return
    if (view.getUint32(at + 2) !== MARK_HIGH || view.getUint32(at + 6) !== MARK_LOW) return
    onNumber(view.getUint32(at + 10), view.getUint32(at + 14))
  })
  return spans
}

function walkSpans(bytes: Uint8Array, onSpan: (bytes: Uint8Array, from: number, to: number) => void): void {
  walk(bytes, 0, bytes.length, RESOURCE_SPANS_TAG, (from, to) =>
    walk(bytes, from, to, SCOPE_SPANS_TAG, (inner, end) =>
      walk(bytes, inner, end, SPANS_TAG, (span, spanEnd) => onSpan(bytes, span, spanEnd)),
    ),
  )
}

function walk(bytes: Uint8Array, from: number, to: number, wanted: number, visit: (from: number, to: number) => void) {
  let at = from
  const varint = (): number => {
    let value = 0
    for (let scale = 1; ; scale *= 128) {
      const byte = bytes[at++]
      if (byte === undefined) throw new RangeError('the request is cut short')
      value += (byte & 127) * scale
      if (byte < 128) return value
    }
  }
  while (at < to) {
    const found = varint()
    const wireType = found % 8
    if (wireType === 0) varint()
    else if (wireType === 1) at += 8
    else if (wireType === 5) at += 4
    else if (wireType === LENGTH_DELIMITED) {
      const length = varint()
      if (found === wanted) visit(at, at + length)
      at += length
    } else throw new RangeError(`wire type ${wireType} in a request`)
  }
}

/** A set of numbers from 0, a bit each. */
export class NumberSet {
  bits = new Uint8Array(1024)
  size = 0

  add(number: number): void {
    if (number >> 3 >= this.bits.length) {
      const grown = new Uint8Array(Math.max(this.bits.length * 2, (number >> 3) + 1))
      grown.set(this.bits)
      this.bits = grown
    }
    const bit = 1 << (number & 7)
    if ((this.bits[number >> 3]! & bit) === 0) this.size++
    this.bits[number >> 3]! |= bit
  }
}

/** How many numbers are in `sent` and in none of the others. */
export function countMissing(sent: Uint8Array, ...others: readonly (Uint8Array | undefined)[]): number {
  let missing = 0
  for (let index = 0; index < sent.length; index++) {
    let bits = sent[index]!
    for (const other of others) bits &= ~(other?.[index] ?? 0)
    for (; bits !== 0; bits &= bits - 1) missing++
  }
  return missing
}

/** How many numbers a set of so many bits holds. */
export const countNumbers = (bits: Uint8Array): number => countMissing(bits)
