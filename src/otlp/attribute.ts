// The attributes of one resource, scope, span, log record or data point: found by key, read in place, edited.
//
//   message    = { KeyValue in field number `attributes` | other fields }
//   KeyValue   = key 1 (string) | value 2 (AnyValue)
//
// Where a message is given twice and merges (a Resource, a scope), its pieces form one map. Entries are numbered in
// their order on the wire; inserted ones follow, in the order of insertion. A number stays valid until the walk moves
// on, also after edits: later edits see earlier ones. Nothing is written before the walk moves on.
//
// Entries are rows of one flat array. An edit writes the whole new KeyValue behind `splice.added` and points the row
// there; what the row replaces in the old bytes it remembers in AT and END.

import { Cursor } from '../wire/cursor.ts'
import type { Splice } from '../wire/splice.ts'
import { equalBytes, varintLow, varintSize, writeVarint } from '../wire/varint.ts'
import { utf8, ValueView } from './value.ts'

const FLAGS = 0
const AT = 1
const END = 2
const KEY_START = 3
const KEY_END = 4
const VALUE_START = 5
const VALUE_END = 6
const NEW_AT = 7
const NEW_END = 8
const WIDTH = 9

// Key and value are read from the added bytes.
const ADDED = 1
// There is something in the old bytes that this row stands for.
const ORIGINAL = 2
// It differs from the old bytes.
const EDITED = 4
const REMOVED = 8
// The KeyValue has more than one key and one value: repeated ones, or fields unknown to us that must survive.
const UNUSUAL = 16

// The first bytes of an attribute as a little-endian number: the tags of itself and its key, both lengths below 128.
const TWO_HEADS = 0x80ff80ff
const KEY_TAG = 10
const VALUE_TAG = 18
const KEY_HEAD = KEY_TAG << 16
// A tag and the length of what `size` counts.
const HEADS_MAX_BYTES = 10

const NO_FRAME = -2

const FIRST_ROWS = 64
const KEEP_MAX_NUMBERS = 1 << 16

/** Who knows where in the request a map stands: opens the frame of one of its messages, for writing. */
export interface AttributeOwner {
  frame(piece: number): number
  /** Called instead when there is no message at all: `added[from, to)` are the encoded attributes. */
  create(from: number, to: number): void
}

export class AttributeMap {
  readonly #splice: Splice
  readonly #owner: AttributeOwner
  readonly #view = new ValueView()
  readonly #cursor = new Cursor()
  readonly #inner = new Cursor()
  #bytes: Uint8Array = new Uint8Array(0)
  #words: DataView = new DataView(this.#bytes.buffer)
  #field = 0
  #rows = new Int32Array(FIRST_ROWS * WIDTH)
  #count = 0
  // Per piece: start, end, number of the first row behind it, end of its last attribute. Counted apart: an array that
  // is emptied gives its memory back, and is paid for again with the next item.
  readonly #pieces: number[] = []
  #pieceNumbers = 0
  #edited = false
  #closed = true

  constructor(splice: Splice, owner: AttributeOwner) {
    this.#splice = splice
    this.#owner = owner
  }

  /** For the walk: an empty map over `bytes`, attributes being field `field` of the pieces that follow. */
  open(bytes: Uint8Array, field: number): void {
    if (bytes !== this.#bytes) {
      this.#bytes = bytes
      this.#words = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    }
    this.#field = field
    this.#count = 0
    this.#pieceNumbers = 0
    this.#edited = false
    this.#closed = false
    if (this.#rows.length > KEEP_MAX_NUMBERS) this.#rows = new Int32Array(FIRST_ROWS * WIDTH)
  }

  /**
   * For the walk: adds the attributes of the message in `[start, end)`, which must be checked. The hottest loop of an
   * edit, so it reads tags and the usual attribute by itself.
   */
  piece(start: number, end: number): void {
    const bytes = this.#bytes
    const wanted = this.#field * 8 + 2
    let last = 0
    for (let p = start; p < end; ) {
      const at = p
      let tag = bytes[p++]!
      if (tag > 0x7f) {
        tag = varintLow(bytes, at)
        while (bytes[p++]! > 0x7f);
      }
      const wireType = tag & 7
      if (wireType !== 2) {
        if (wireType === 0) while (bytes[p++]! > 0x7f);
        else p += wireType === 1 ? 8 : 4
        continue
      }
      let length = bytes[p++]!
      if (length > 0x7f) {
        length = varintLow(bytes, p - 1)
        while (bytes[p++]! > 0x7f);
      }
      const from = p
      p += length
      if (tag !== wanted) continue
      this.#readKeyValue(at, from, p)
      if (wanted < 0x80) p = this.#readUsual(p, end)
      last = p
    }
    const pieces = this.#pieces
    pieces[this.#pieceNumbers++] = start
    pieces[this.#pieceNumbers++] = end
    pieces[this.#pieceNumbers++] = this.#count
    pieces[this.#pieceNumbers++] = last === 0 ? end : last
  }

  /** Rows, removed ones among them: for (let i = 0; i < map.count; i++) if (map.has(i)) ... */
  get count(): number {
    return this.#count
  }

  /** Whether entry `i` is (still) there. */
  has(i: number): boolean {
    return (this.#rows[i * WIDTH + FLAGS]! & REMOVED) === 0
  }

  /** Attributes that are there. */
  get size(): number {
    let size = 0
    for (let i = 0; i < this.#count; i++) if (this.has(i)) size++
    return size
  }

  /** Number of the first entry with that key (its UTF-8 bytes: encodeText), or -1. Starts behind entry `after`. */
  find(key: Uint8Array, after = -1): number {
    const rows = this.#rows
    const length = key.length
    for (let i = after + 1; i < this.#count; i++) {
      const row = i * WIDTH
      const start = rows[row + KEY_START]!
      if (rows[row + KEY_END]! - start !== length || (rows[row + FLAGS]! & REMOVED) !== 0) continue
      const bytes = (rows[row + FLAGS]! & ADDED) === 0 ? this.#bytes : this.#splice.added.bytes
      let at = 0
      while (at < length && bytes[start + at] === key[at]) at++
      if (at === length) return i
    }
    return -1
  }

  /** The array that entry `i`'s key and value are in; until the next edit. */
  source(i: number): Uint8Array {
    return (this.#rows[i * WIDTH + FLAGS]! & ADDED) === 0 ? this.#bytes : this.#splice.added.bytes
  }

  keyStart(i: number): number {
    return this.#rows[i * WIDTH + KEY_START]!
  }

  keyEnd(i: number): number {
    return this.#rows[i * WIDTH + KEY_END]!
  }

  keyText(i: number): string {
    return utf8(this.source(i), this.keyStart(i), this.keyEnd(i))
  }

  keyEquals(i: number, key: Uint8Array): boolean {
    return equalBytes(this.source(i), this.keyStart(i), this.keyEnd(i), key)
  }

  /** Type and range of entry `i`'s value: one view, reused by the next call, valid until the next edit. */
  value(i: number): ValueView {
    return this.#view.reset(this.source(i), this.valueStart(i), this.valueEnd(i))
  }

  /** The encoded AnyValue of entry `i` in source(i). */
  valueStart(i: number): number {
    return this.#rows[i * WIDTH + VALUE_START]!
  }

  valueEnd(i: number): number {
    return this.#rows[i * WIDTH + VALUE_END]!
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
    this.#rows[i * WIDTH + FLAGS]! |= REMOVED | EDITED
  }

  /** For the walk: writes what was edited; reading stays possible, editing does not. */
  close(): void {
    this.#closed = true
    if (!this.#edited) return
    this.#edited = false
    const rows = this.#rows
    const pieces = this.#pieces
    const splice = this.#splice
    let row = 0
    let frame = NO_FRAME
    for (let piece = 0; piece < this.#pieceNumbers; piece += 4) {
      for (frame = NO_FRAME; row < pieces[piece + 2]!; row++) {
        const at = row * WIDTH
        const flags = rows[at + FLAGS]!
        if ((flags & EDITED) === 0) continue
        if (frame === NO_FRAME) frame = this.#owner.frame(piece / 4)
        if ((flags & REMOVED) !== 0) splice.remove(frame, rows[at + AT]!, rows[at + END]!)
        else splice.replace(frame, rows[at + AT]!, rows[at + END]!, rows[at + NEW_AT]!, rows[at + NEW_END]!)
      }
    }
    while (row < this.#count && !this.has(row)) row++
    if (row < this.#count) this.#writeInserted(row, frame)
  }

  // Inserted entries stand side by side in the added bytes unless other edits came between them.
  #writeInserted(first: number, opened: number): void {
    const rows = this.#rows
    const { added } = this.#splice
    const last = this.#pieceNumbers - 4
    if (last < 0) {
      const start = added.length
      for (let row = first; row < this.#count; row++)
        if (this.has(row)) added.copy(added.bytes, rows[row * WIDTH + NEW_AT]!, rows[row * WIDTH + NEW_END]!)
      this.#owner.create(start, added.length)
      return
    }
    const frame = opened === NO_FRAME ? this.#owner.frame(last / 4) : opened
    const place = this.#pieces[last + 3]!
    let from = rows[first * WIDTH + NEW_AT]!
    let to = from
    for (let row = first; row < this.#count; row++) {
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

  /**
   * Attributes side by side from `start` on that hold a key and a value in this order, all shorter than 128 bytes; returns
   * where they end. Four bytes tell the attribute's tag and length and the key's.
   */
  #readUsual(start: number, end: number): number {
    const words = this.#words
    const bytes = this.#bytes
    const wantedHead = (this.#field * 8 + 2) | KEY_HEAD
    let rows = this.#rows
    let row = this.#count * WIDTH
    let p = start
    while (p <= end - 4) {
      const head = words.getInt32(p, true)
      const next = p + 2 + ((head >>> 8) & 0xff)
      const keyEnd = p + 4 + (head >>> 24)
      if ((head & TWO_HEADS) !== wantedHead || keyEnd + 2 > next) break
      const valueSize = bytes[keyEnd + 1]!
      if (bytes[keyEnd] !== VALUE_TAG || valueSize > 0x7f || keyEnd + 2 + valueSize !== next) break
      if (row + WIDTH > rows.length) {
        this.#growRows()
        rows = this.#rows
      }
      rows[row + FLAGS] = ORIGINAL
      rows[row + AT] = p
      rows[row + END] = next
      rows[row + KEY_START] = p + 4
      rows[row + KEY_END] = keyEnd
      rows[row + VALUE_START] = keyEnd + 2
      rows[row + VALUE_END] = next
      row += WIDTH
      p = next
    }
    this.#count = row / WIDTH
    return p
  }

  #readKeyValue(at: number, start: number, end: number): void {
    const bytes = this.#bytes
    const row = this.#count++ * WIDTH
    if (row + WIDTH > this.#rows.length) this.#growRows()
    const rows = this.#rows
    rows[row + FLAGS] = ORIGINAL
    rows[row + AT] = at
    rows[row + END] = end
    // The usual order: key, value, both shorter than 128 bytes.
    if (start + 1 < end && bytes[start] === 10 && bytes[start + 1]! < 0x80) {
      const keyEnd = start + 2 + bytes[start + 1]!
      if (keyEnd + 1 < end && bytes[keyEnd] === 18 && bytes[keyEnd + 1]! < 0x80) {
        if (keyEnd + 2 + bytes[keyEnd + 1]! === end) {
          rows[row + KEY_START] = start + 2
          rows[row + KEY_END] = keyEnd
          rows[row + VALUE_START] = keyEnd + 2
          rows[row + VALUE_END] = end
          return
        }
      }
    }
    this.#readAnyOrder(row, start, end)
  }

  #readAnyOrder(row: number, start: number, end: number): void {
    const rows = this.#rows
    const c = this.#inner.reset(this.#bytes, start, end)
    let keys = 0
    let values = 0
    let others = 0
    rows.fill(start, row + KEY_START, row + VALUE_END + 1)
    while (c.next()) {
      if (c.wireType === 2 && c.field === 1) {
        keys++
        rows[row + KEY_START] = c.start
        rows[row + KEY_END] = c.end
      } else if (c.wireType === 2 && c.field === 2) {
        values++
        rows[row + VALUE_START] = c.start
        rows[row + VALUE_END] = c.end
      } else others++
    }
    if (keys <= 1 && values <= 1 && others === 0) return
    rows[row + FLAGS]! |= UNUSUAL
    if (values <= 1) return
    // Values given more than once merge; side by side they are the merged value.
    const { added } = this.#splice
    const [keyStart, keyEnd] = [rows[row + KEY_START]!, rows[row + KEY_END]!]
    rows[row + KEY_START] = added.length
    rows[row + KEY_END] = added.copy(this.#bytes, keyStart, keyEnd).length
    rows[row + VALUE_START] = added.length
    for (c.reset(this.#bytes, start, end); c.find(2); ) added.copy(this.#bytes, c.start, c.end)
    rows[row + VALUE_END] = added.length
    rows[row + FLAGS]! |= ADDED
  }

  #insert(key: Uint8Array, value: Uint8Array, from: number, to: number): number {
    this.#edit()
    const row = this.#newRow(0, 0, 0)
    this.#write(row, key, 0, key.length, value, from, to, 0)
    return this.#count - 1
  }

  #rewrite(i: number, key: Uint8Array, keyFrom: number, keyTo: number, value: Uint8Array, from: number, to: number) {
    this.#edit()
    const row = i * WIDTH
    const unusual = (this.#rows[row + FLAGS]! & UNUSUAL) === 0 ? 0 : this.#unknownSize(row)
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
    const { added } = this.#splice
    const rows = this.#rows
    const keySize = keyTo - keyFrom
    const valueSize = to - from
    const size = 2 + varintSize(keySize) + keySize + varintSize(valueSize) + valueSize + unknownBytes
    const target = added.reserve(HEADS_MAX_BYTES + size)
    let p = added.length
    rows[row + NEW_AT] = p
    p = writeVarint(target, p, this.#field * 8 + 2)
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
    const c = this.#cursor.reset(this.#bytes, this.#contents(row), this.#rows[row + END]!)
    while (c.next()) if (c.wireType !== 2 || c.field > 2) size += c.end - c.at
    return size
  }

  #copyUnknown(row: number): void {
    const c = this.#cursor.reset(this.#bytes, this.#contents(row), this.#rows[row + END]!)
    while (c.next()) if (c.wireType !== 2 || c.field > 2) this.#splice.added.copy(this.#bytes, c.at, c.end)
  }

  #contents(row: number): number {
    const c = this.#cursor.reset(this.#bytes, this.#rows[row + AT]!, this.#rows[row + END]!)
    c.next()
    return c.start
  }

  // Offset of a fresh row.
  #newRow(flags: number, at: number, end: number): number {
    const row = this.#count++ * WIDTH
    if (row + WIDTH > this.#rows.length) this.#growRows()
    this.#rows[row + FLAGS] = flags
    this.#rows[row + AT] = at
    this.#rows[row + END] = end
    return row
  }

  #growRows(): void {
    const larger = new Int32Array(this.#rows.length * 2)
    larger.set(this.#rows)
    this.#rows = larger
  }
}
