// Cuts batches by byte ranges: by size, and by key for shards.
//
// A piece holds whole parts of the rope where they fit, and otherwise new requests made of the ranges of their items
// under copies of the headers (resource, scope, schema URLs, a metric's name, unknown fields) that stand above them.
// Metrics are cut between data points. Every piece has a part of the delivery record.

import { Assembler } from '../wire/assemble.ts'
import { Cursor } from '../wire/cursor.ts'
import { Batch } from './batch.ts'
import { Levels, METRIC_LEVEL } from './levels.ts'
import type { Signal } from './signal.ts'

export { countItems } from './levels.ts'

/** Tag and length of an opened message, at most: what a cut by bytes reckons with. */
const OPEN_BYTES = 6

interface Piece {
  readonly parts: Uint8Array[]
  items: number
}

/**
 * Pieces of at most `max` items (or bytes, for `sizer` 'bytes'), the first of at most `first`; in order. The batch
 * itself when it is small enough. An item that alone is larger than `max` bytes travels alone.
 */
export function splitBatch(batch: Batch, max: number, first = max, sizer: 'items' | 'bytes' = 'items'): Batch[] {
  const size = sizer === 'items' ? batch.items : batch.byteLength
  if (size <= Math.min(first, max)) return [batch]
  const cut = new Cut(batch.signal, max, first, sizer === 'bytes')
  for (const part of batch.parts) cut.add(part)
  return handOut(batch, cut.finish())
}

function handOut(batch: Batch, pieces: readonly Piece[]): Batch[] {
  // What carries no items stays behind, unless there is nothing else.
  if (pieces.length === 0) return [batch]
  if (pieces.length === 1) return [batch.with(pieces[0]!.parts, pieces[0]!.items)]
  const deliveries = batch.delivery.split(pieces.length)
  return pieces.map(
    (piece, index) => new Batch(batch.signal, piece.parts, piece.items, deliveries[index]!, batch.client),
  )
}

class Cut {
  readonly #levels: Levels
  readonly #max: number
  readonly #byBytes: boolean
  readonly #pieces: Piece[] = []
  #piece: Piece = { parts: [], items: 0 }
  #room: number
  // Whether the piece holds anything, be it headers without items.
  #used = false
  // Of the part being cut: the messages above the place we are at, and which of them the new request has open.
  #bytes: Uint8Array = new Uint8Array(0)
  #request: Assembler | undefined
  readonly #above: Container[]
  #opened = 0

  constructor(signal: Signal, max: number, first: number, byBytes: boolean) {
    this.#levels = new Levels(signal)
    this.#above = Array.from({ length: this.#levels.itemLevel }, () => new Container())
    this.#max = max
    this.#room = first
    this.#byBytes = byBytes
  }

  add(part: Uint8Array): void {
    const items = this.#levels.count(0, part, 0, part.length)
    const size = this.#byBytes ? part.length : items
    if (this.#room <= 0 && size <= this.#max) this.#endPiece()
    if (size <= this.#room) {
      this.#used = true
      this.#piece.parts.push(part)
      this.#piece.items += items
      this.#room -= size
      return
    }
    this.#bytes = part
    this.#above[0]!.set(0, 0, 0, part.length)
    this.#descend(0)
    this.#endRequest()
  }

  finish(): Piece[] {
    this.#endPiece()
    return this.#pieces
  }

  #descend(level: number): void {
    const levels = this.#levels
    const bytes = this.#bytes
    const { start, end, cursor } = this.#above[level]!
    levels.enter(level, bytes, start, end)
    const merges = level === METRIC_LEVEL && levels.merges
    const next = this.#above[level + 1]
    for (const c = cursor.reset(bytes, start, end); c.next(); ) {
      if (!levels.isNext(level, c)) continue
      const items = levels.count(level + 1, bytes, c.start, c.end)
      const size = this.#byBytes ? c.end - c.at + this.#overhead(level) : items
      const fresh = this.#byBytes ? c.end - c.at + this.#overhead(level, 0) : items
      // What does not fit is cut where it can be, unless a fresh piece is due and takes it whole.
      const whole = size <= this.#room || (this.#room <= 0 && fresh <= this.#max)
      // Messages that merge each carry part of the header of all: they are cut, so that every piece has all of it.
      if (next === undefined || (!merges && (whole || items < 2))) this.#copy(level, c.at, c.end, items)
      else {
        next.set(c.at, c.lengthAt, c.start, c.end)
        this.#descend(level + 1)
        this.#closeTo(level)
      }
    }
  }

  // Whatever its size, an item that finds an empty piece goes into it.
  #copy(level: number, from: number, to: number, items: number): void {
    const size = this.#byBytes ? to - from : items
    if (size + this.#overhead(level) > this.#room && this.#used) {
      this.#endRequest()
      this.#endPiece()
    }
    this.#used = true
    this.#room -= this.#openTo(level)
    this.#request!.range(from, to)
    this.#piece.items += items
    this.#room -= size
  }

  /** Bytes that opening the messages from level `opened` down to `level` adds. */
  #overhead(level: number, opened = this.#opened): number {
    if (!this.#byBytes) return 0
    let bytes = 0
    for (let i = opened; i <= level; i++) bytes += this.#headerBytes(i)
    return bytes
  }

  #headerBytes(level: number): number {
    const above = this.#above[level]!
    if (above.headerBytes < 0) above.headerBytes = this.#header(level, undefined)
    return above.headerBytes + (level > 0 ? OPEN_BYTES : 0)
  }

  #openTo(level: number): number {
    this.#request ??= new Assembler(this.#bytes)
    let bytes = 0
    for (; this.#opened <= level; this.#opened++) {
      const above = this.#above[this.#opened]!
      if (this.#opened > 0) this.#request.open(above.at, above.lengthAt)
      const header = this.#header(this.#opened, this.#request)
      if (this.#byBytes) bytes += header + (this.#opened > 0 ? OPEN_BYTES : 0)
    }
    return bytes
  }

  #closeTo(level: number): void {
    for (; this.#opened > level + 1; this.#opened--) this.#request!.close()
  }

  /** Appends every field of the message above that is not a message of the next level. */
  #header(level: number, request: Assembler | undefined): number {
    const { start, end, header } = this.#above[level]!
    if (level !== METRIC_LEVEL + 1) return this.#headerOf(level, header, start, end, request)
    // A metric's data may come in several messages, which merge: the header is what all of them say.
    let bytes = 0
    const metric = this.#above[METRIC_LEVEL]!
    for (const c = metric.header.reset(this.#bytes, metric.start, metric.end); c.next(); )
      if (this.#levels.isNext(METRIC_LEVEL, c)) bytes += this.#headerOf(level, header, c.start, c.end, request)
    return bytes
  }

  #headerOf(level: number, c: Cursor, start: number, end: number, request: Assembler | undefined): number {
    let bytes = 0
    for (c.reset(this.#bytes, start, end); c.next(); ) {
      if (this.#levels.isNext(level, c)) continue
      request?.range(c.at, c.end)
      bytes += c.end - c.at
    }
    return bytes
  }

  #endRequest(): void {
    if (this.#request === undefined) return
    this.#closeTo(0)
    this.#piece.parts.push(this.#request.finish())
    this.#request = undefined
    this.#opened = 0
  }

  #endPiece(): void {
    if (this.#piece.parts.length > 0) this.#pieces.push(this.#piece)
    this.#piece = { parts: [], items: 0 }
    this.#room = this.#max
    this.#used = false
  }
}

class Container {
  at = 0
  lengthAt = 0
  start = 0
  end = 0
  /** -1: not yet known. */
  headerBytes = -1
  readonly cursor = new Cursor()
  readonly header = new Cursor()

  set(at: number, lengthAt: number, start: number, end: number): void {
    this.at = at
    this.lengthAt = lengthAt
    this.start = start
    this.end = end
    this.headerBytes = -1
  }
}

/** Tells the shard, from 0 to `shards` - 1, of the item in `bytes[start, end)`. */
export type ShardOf = (bytes: Uint8Array, start: number, end: number) => number

/** A key that is made of more than the item, or that belongs to something larger or smaller than an item. */
export interface Keying {
  /** Of the messages that are handed out whole (levels.ts): 1 resources, 3 spans, log records and metrics, 5 data points. */
  readonly level: number
  /** Told of each message above them on the way down: 1 the resource with its scopes, 2 the scope, 3 the metric. */
  enter?(level: number, bytes: Uint8Array, start: number, end: number): void
  readonly shardOf: ShardOf
}

/**
 * One batch per shard, undefined where a shard gets nothing; in order within each. A ShardOf works on spans, log records
 * and whole metrics. The batch itself, uncopied, when all of it belongs to one shard. Resources and scopes without items
 * stay behind. A batch without items goes to shard 0.
 */
export function splitByKey(batch: Batch, shards: number, by: ShardOf | Keying): (Batch | undefined)[] {
  const result: (Batch | undefined)[] = new Array(shards).fill(undefined)
  const pieces: Piece[] = Array.from({ length: shards }, () => ({ parts: [], items: 0 }))
  const spread = new Spread(batch.signal, shards, typeof by === 'function' ? { level: 3, shardOf: by } : by)
  for (const part of batch.parts) spread.add(part, pieces)
  const used = pieces.filter((piece) => piece.items > 0).length
  if (used <= 1) {
    result[
      Math.max(
        0,
        pieces.findIndex((piece) => piece.items > 0),
      )
    ] = batch
    return result
  }
  const deliveries = batch.delivery.split(used)
  pieces.forEach((piece, shard) => {
    if (piece.items > 0)
      result[shard] = new Batch(batch.signal, piece.parts, piece.items, deliveries.pop()!, batch.client)
  })
  return result
}

class Spread {
  readonly #levels: Levels
  readonly #keying: Keying
  readonly #above: readonly Container[]
  readonly #opened: number[]
  readonly #items: number[]
  #requests: (Assembler | undefined)[] = []

  constructor(signal: Signal, shards: number, keying: Keying) {
    this.#levels = new Levels(signal)
    this.#keying = keying
    this.#above = Array.from({ length: keying.level }, () => new Container())
    this.#opened = new Array(shards).fill(0)
    this.#items = new Array(shards).fill(0)
  }

  add(part: Uint8Array, pieces: readonly Piece[]): void {
    this.#requests = pieces.map(() => undefined)
    this.#opened.fill(0)
    this.#items.fill(0)
    this.#above[0]!.set(0, 0, 0, part.length)
    this.#descend(0, part)
    const only = this.#requests.filter((request) => request !== undefined).length === 1
    for (let shard = 0; shard < pieces.length; shard++) {
      const request = this.#requests[shard]
      if (request === undefined) continue
      this.#closeTo(shard, 0)
      pieces[shard]!.parts.push(only ? part : request.finish())
      pieces[shard]!.items += this.#items[shard]!
    }
  }

  #descend(level: number, part: Uint8Array): void {
    const levels = this.#levels
    const keying = this.#keying
    const { start, end, cursor } = this.#above[level]!
    levels.enter(level, part, start, end)
    if (level > 0) keying.enter?.(level, part, start, end)
    for (const c = cursor.reset(part, start, end); c.next(); ) {
      if (!levels.isNext(level, c)) continue
      if (level + 1 < keying.level) {
        this.#above[level + 1]!.set(c.at, c.lengthAt, c.start, c.end)
        this.#descend(level + 1, part)
        for (let shard = 0; shard < this.#opened.length; shard++) this.#closeTo(shard, level)
        continue
      }
      const shard = keying.shardOf(part, c.start, c.end)
      this.#openTo(shard, level, part).range(c.at, c.end)
      this.#items[shard]! += levels.count(keying.level, part, c.start, c.end)
    }
  }

  #openTo(shard: number, level: number, part: Uint8Array): Assembler {
    const request = (this.#requests[shard] ??= new Assembler(part))
    for (let i = this.#opened[shard]!; i <= level; i++) {
      const above = this.#above[i]!
      if (i > 0) request.open(above.at, above.lengthAt)
      if (i === METRIC_LEVEL + 1) this.#mergedHeader(request, part)
      else this.#header(request, i, part, above.start, above.end)
    }
    this.#opened[shard] = Math.max(this.#opened[shard]!, level + 1)
    return request
  }

  #header(request: Assembler, level: number, part: Uint8Array, start: number, end: number): void {
    for (const c = this.#above[level]!.header.reset(part, start, end); c.next(); )
      if (!this.#levels.isNext(level, c)) request.range(c.at, c.end)
  }

  /** A metric's data may come in several messages, which merge: the header is what all of them say. */
  #mergedHeader(request: Assembler, part: Uint8Array): void {
    const metric = this.#above[METRIC_LEVEL]!
    for (const c = metric.header.reset(part, metric.start, metric.end); c.next(); )
      if (this.#levels.isNext(METRIC_LEVEL, c)) this.#header(request, METRIC_LEVEL + 1, part, c.start, c.end)
  }

  #closeTo(shard: number, level: number): void {
    for (; this.#opened[shard]! > level + 1; this.#opened[shard]!--) this.#requests[shard]!.close()
  }
}
