// A request that grows: items below their resource, metrics and log records alike, written once and in order.
//
//   request   = { 1: Resource* }                       ResourceMetrics, ResourceLogs
//   Resource* = 1: Resource | 2: Scope*                ScopeMetrics, ScopeLogs
//   Scope*    = 1: InstrumentationScope | { 2: item }  Metric, LogRecord
//
// The two lengths in front of the items are mended when the resource closes; room is left for the usual two bytes each,
// and what stands behind moves only where that is not what they take.
//
// What a message has written is taken back as a whole when the rest of it cannot be read.

import { varintSize, writeVarint } from '../wire/varint.ts'
import { Writer } from '../wire/writer.ts'

const FIRST_BYTES = 16 * 1024
const USUAL_LENGTH_BYTES = 2
const NONE = -1

export class Sheet {
  /** What is written goes to `bytes` at `to`; ask again after reserve(). */
  bytes: Uint8Array<ArrayBuffer> = new Uint8Array(FIRST_BYTES)
  to = 0
  /** Data points or log records. */
  items = 0
  readonly #scope: Uint8Array
  #openAt = NONE
  #openResource: Uint8Array | undefined
  #outerBytes = USUAL_LENGTH_BYTES
  #innerBytes = USUAL_LENGTH_BYTES
  #mark = 0
  #markItems = 0
  #markOpenAt = NONE
  #markResource: Uint8Array | undefined
  #markOuterBytes = USUAL_LENGTH_BYTES
  #markInnerBytes = USUAL_LENGTH_BYTES

  /** `scope` is the name of the instrumentation scope of everything in it. */
  constructor(scope: string) {
    const name = new Writer().field(1, Buffer.from(scope)).toBytes()
    this.#scope = new Writer().field(1, name).toBytes()
  }

  /** Makes room for `more` bytes at `to`. */
  reserve(more: number): void {
    if (this.to + more > this.bytes.length) this.#grow(this.to + more)
  }

  /** What follows belongs to this resource: the encoded field 1 of a Resource*, tag and length with it. */
  open(resource: Uint8Array): void {
    if (resource === this.#openResource && this.#openAt !== NONE) return
    this.close()
    this.reserve(resource.length + this.#scope.length + 24)
    this.#openAt = this.to
    this.#openResource = resource
    this.#outerBytes = USUAL_LENGTH_BYTES
    this.#innerBytes = USUAL_LENGTH_BYTES
    const { bytes } = this
    bytes[this.to] = 0x0a
    this.to += 1 + USUAL_LENGTH_BYTES
    bytes.set(resource, this.to)
    this.to += resource.length
    bytes[this.to] = 0x12
    this.to += 1 + USUAL_LENGTH_BYTES
    bytes.set(this.#scope, this.to)
    this.to += this.#scope.length
  }

  /** Copies bytes of an item; room is made. */
  copy(source: Uint8Array, from = 0, end = source.length): void {
    this.reserve(end - from)
    this.bytes.set(from === 0 && end === source.length ? source : source.subarray(from, end), this.to)
    this.to += end - from
  }

  /** A message begins: what it writes is taken back by rollBack(). */
  begin(): void {
    this.#mark = this.to
    this.#markItems = this.items
    this.#markOpenAt = this.#openAt
    this.#markResource = this.#openResource
    this.#markOuterBytes = this.#outerBytes
    this.#markInnerBytes = this.#innerBytes
  }

  rollBack(): void {
    this.to = this.#mark
    this.items = this.#markItems
    this.#openAt = this.#markOpenAt
    this.#openResource = this.#markResource
    this.#outerBytes = this.#markOuterBytes
    this.#innerBytes = this.#markInnerBytes
  }

  /** Mends the lengths of the open resource. */
  close(): void {
    const at = this.#openAt
    if (at === NONE) return
    const resourceBytes = this.#openResource!.length
    const innerAt = at + 1 + this.#outerBytes + resourceBytes + 1
    const inner = this.to - innerAt - this.#innerBytes
    const innerMoved = this.#mend(innerAt, this.#innerBytes, inner)
    const outer = this.to - at - 1 - this.#outerBytes
    const moved = innerMoved + this.#mend(at + 1, this.#outerBytes, outer)
    if (at === this.#markOpenAt) {
      // It was open when the message began: rolling back finds the message's beginning where it is now.
      this.#mark += moved
      this.#markInnerBytes = varintSize(inner)
      this.#markOuterBytes = varintSize(outer)
    }
    this.#openAt = NONE
    this.#openResource = undefined
  }

  /** The request in an array of its own, and an empty sheet; undefined when it has no items. */
  take(): Uint8Array<ArrayBuffer> | undefined {
    if (this.items === 0) {
      this.#clear()
      return undefined
    }
    this.close()
    const request = this.bytes.slice(0, this.to)
    this.#clear()
    return request
  }

  #clear(): void {
    this.to = 0
    this.items = 0
    this.#openAt = NONE
    this.#openResource = undefined
    this.begin()
  }

  /** Writes `length` at `at`, where `reserved` bytes wait for it; returns by how much what follows moved. */
  #mend(at: number, reserved: number, length: number): number {
    const size = varintSize(length)
    if (size !== reserved) {
      this.reserve(size)
      this.bytes.copyWithin(at + size, at + reserved, this.to)
      this.to += size - reserved
    }
    writeVarint(this.bytes, at, length)
    return size - reserved
  }

  #grow(needed: number): void {
    const grown = new Uint8Array(Math.max(needed, this.bytes.length * 2))
    grown.set(this.bytes.subarray(0, this.to))
    this.bytes = grown
  }
}
