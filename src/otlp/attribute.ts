// The attributes of one resource, scope, span, log record or data point: found by key, read in place (attribute-rows.ts),
// edited.
//
// Where a message is given twice and merges (a Resource, a scope), its pieces form one map. Entries are numbered in
// their order on the wire; inserted ones follow, in the order of insertion. A number stays valid until the walk moves
// on, also after edits: later edits see earlier ones. Nothing is written before the walk moves on.

import { Cursor } from '../wire/cursor.ts'
import type { Splice } from '../wire/splice.ts'
import { varintSize, writeVarint } from '../wire/varint.ts'
import { AttributeRows, FLAG, ROW, ROW_WIDTH } from './attribute-rows.ts'
import { KEY_VALUE } from './fields.ts'

// Constants of this module, which compiled code knows: see attribute-rows.ts.
const { FLAGS, AT, END, KEY_START, KEY_END, VALUE_START, VALUE_END, NEW_AT, NEW_END } = ROW
const { ADDED, EDITED, REMOVED, UNUSUAL } = FLAG
const WIDTH = ROW_WIDTH
const KEY_TAG = KEY_VALUE.KEY * 8 + 2
const VALUE_TAG = KEY_VALUE.VALUE * 8 + 2
// A tag and the length of what `size` counts.
const HEADS_MAX_BYTES = 10

const NO_FRAME = -2

/** Who knows where in the request a map stands: opens the frame of one of its messages, for writing. */
export interface AttributeOwner {
  frame(piece: number): number
  /** Called instead when there is no message at all: `added[from, to)` are the encoded attributes. */
  create(from: number, to: number): void
}

export class AttributeMap extends AttributeRows {
  readonly #splice: Splice
  readonly #owner: AttributeOwner
  readonly #cursor = new Cursor()
  #edited = false
  #closed = true

  constructor(splice: Splice, owner: AttributeOwner) {
    super(splice.added)
    this.#splice = splice
    this.#owner = owner
  }

  /** For the walk: an empty map over `bytes`, attributes being field `field` of the pieces that follow. */
  override open(bytes: Uint8Array, field: number): void {
    super.open(bytes, field)
    this.#edited = false
    this.#closed = false
  }

  /** Adds an attribute behind all others and returns its number. Does not look whether the key is there. */
  insert(key: Uint8Array, value: Uint8Array): number {
    return this.#insert(key, value, 0, value.length)
  }

  /** Adds `key` with the value of entry `from`. */
  insertCopy(key: Uint8Array, from: number): number {
    return this.#insert(key, this.source(from), this.valueStart(from), this.valueEnd(from))
  }

  /** Replaces the value of entry `i` by an encoded AnyValue. */
  set(i: number, value: Uint8Array): void {
    this.#rewrite(i, this.source(i), this.keyStart(i), this.keyEnd(i), value, 0, value.length)
  }

  /** Replaces the value of entry `i` by that of entry `from`. */
  setCopy(i: number, from: number): void {
    const [start, end] = [this.valueStart(from), this.valueEnd(from)]
    this.#rewrite(i, this.source(i), this.keyStart(i), this.keyEnd(i), this.source(from), start, end)
  }

  /** Gives entry `i` another key; the value keeps its bytes. */
  rename(i: number, key: Uint8Array): void {
    this.#rewrite(i, key, 0, key.length, this.source(i), this.valueStart(i), this.valueEnd(i))
  }

  remove(i: number): void {
    this.#edit()
    this.rows[i * WIDTH + FLAGS]! |= REMOVED | EDITED
  }

  /** For the walk: writes what was edited; reading stays possible, editing does not. */
  close(): void {
    this.#closed = true
    if (!this.#edited) return
    this.#edited = false
    const rows = this.rows
    const pieces = this.pieces
    const splice = this.#splice
    let row = 0
    let frame = NO_FRAME
    for (let piece = 0; piece < this.pieceNumbers; piece += 4) {
      for (frame = NO_FRAME; row < pieces[piece + 2]!; row++) {
        const at = row * WIDTH
        const flags = rows[at + FLAGS]!
        if ((flags & EDITED) === 0) continue
        if (frame === NO_FRAME) frame = this.#owner.frame(piece / 4)
        if ((flags & REMOVED) !== 0) splice.remove(frame, rows[at + AT]!, rows[at + END]!)
        else splice.replace(frame, rows[at + AT]!, rows[at + END]!, rows[at + NEW_AT]!, rows[at + NEW_END]!)
      }
    }
    while (row < this.rowCount && !this.has(row)) row++
    if (row < this.rowCount) this.#writeInserted(row, frame)
  }

  // Inserted entries stand side by side in the added bytes unless other edits came between them.
  #writeInserted(first: number, opened: number): void {
    const rows = this.rows
    const { added } = this
    const last = this.pieceNumbers - 4
    if (last < 0) {
      const start = added.length
      for (let row = first; row < this.rowCount; row++)
        if (this.has(row)) added.copy(added.bytes, rows[row * WIDTH + NEW_AT]!, rows[row * WIDTH + NEW_END]!)
      this.#owner.create(start, added.length)
      return
    }
    const frame = opened === NO_FRAME ? this.#owner.frame(last / 4) : opened
    const place = this.pieces[last + 3]!
    let from = rows[first * WIDTH + NEW_AT]!
    let to = from
    for (let row = first; row < this.rowCount; row++) {
      const at = row * WIDTH
      if ((rows[at + FLAGS]! & REMOVED) !== 0) continue
      if (rows[at + NEW_AT]! !== to) {
        this.#splice.insert(frame, place, from, to)
        from = rows[at + NEW_AT]!
      }
      to = rows[at + NEW_END]!
    }
    this.#splice.insert(frame, place, from, to)
  }

  #insert(key: Uint8Array, value: Uint8Array, from: number, to: number): number {
    this.#edit()
    const row = this.newRow(0, 0, 0)
    this.#write(row, key, 0, key.length, value, from, to, 0)
    return this.rowCount - 1
  }

  #rewrite(i: number, key: Uint8Array, keyFrom: number, keyTo: number, value: Uint8Array, from: number, to: number) {
    this.#edit()
    const row = i * WIDTH
    const unusual = (this.rows[row + FLAGS]! & UNUSUAL) === 0 ? 0 : this.#unknownSize(row)
    this.#write(row, key, keyFrom, keyTo, value, from, to, unusual)
  }

  #edit(): void {
    if (this.#closed) throw new Error('invariant: attributes edited after the walk moved on')
    this.#edited = true
  }

  // Tag, length, key, value and `unknownBytes` of other fields. Sources may lie in the added bytes: room is made first,
  // and a grown array holds the same bytes at the same places.
  #write(
    row: number,
    key: Uint8Array,
    keyFrom: number,
    keyTo: number,
    value: Uint8Array,
    from: number,
    to: number,
    unknownBytes: number,
  ): void {
    const { added } = this
    const rows = this.rows
    const keySize = keyTo - keyFrom
    const valueSize = to - from
    const size = 2 + varintSize(keySize) + keySize + varintSize(valueSize) + valueSize + unknownBytes
    const target = added.reserve(HEADS_MAX_BYTES + size)
    let p = added.length
    rows[row + NEW_AT] = p
    p = writeVarint(target, p, this.field * 8 + 2)
    p = writeVarint(target, p, size)
    target[p++] = KEY_TAG
    added.length = writeVarint(target, p, keySize)
    rows[row + KEY_START] = added.length
    p = added.copy(key, keyFrom, keyTo).length
    rows[row + KEY_END] = p
    target[p++] = VALUE_TAG
    added.length = writeVarint(target, p, valueSize)
    rows[row + VALUE_START] = added.length
    rows[row + VALUE_END] = added.copy(value, from, to).length
    if (unknownBytes > 0) this.#copyUnknown(row)
    rows[row + NEW_END] = added.length
    rows[row + FLAGS] = (rows[row + FLAGS]! & ~REMOVED) | ADDED | EDITED
  }

  #unknownSize(row: number): number {
    let size = 0
    const c = this.#cursor.reset(this.bytes, this.#contents(row), this.rows[row + END]!)
    while (c.next()) if (c.wireType !== 2 || c.field > 2) size += c.end - c.at
    return size
  }

  #copyUnknown(row: number): void {
    const c = this.#cursor.reset(this.bytes, this.#contents(row), this.rows[row + END]!)
    while (c.next()) if (c.wireType !== 2 || c.field > 2) this.added.copy(this.bytes, c.at, c.end)
  }

  #contents(row: number): number {
    const c = this.#cursor.reset(this.bytes, this.rows[row + AT]!, this.rows[row + END]!)
    c.next()
    return c.start
  }
}
