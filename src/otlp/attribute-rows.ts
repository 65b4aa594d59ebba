// The attributes of one message, or of several pieces of one, as rows of a flat array: read from the bytes, found by key.
//
//   message    = { KeyValue in field number `attributes` | other fields }
//   KeyValue   = key 1 (string) | value 2 (AnyValue)
//
// Rows are numbered in their order on the wire. What an edit (attribute.ts) writes, it writes whole among the added bytes,
// and points the row there; what the row stands for in the old bytes it remembers in AT and END.

import { Cursor } from '../wire/cursor.ts'
import { equalBytes, varintLow } from '../wire/varint.ts'
import type { Writer } from '../wire/writer.ts'
import { KEY_VALUE } from './fields.ts'
import { utf8, ValueView } from './value.ts'

/** The numbers of a row. */
export const ROW = {
  FLAGS: 0,
  AT: 1,
  END: 2,
  KEY_START: 3,
  KEY_END: 4,
  VALUE_START: 5,
  VALUE_END: 6,
  NEW_AT: 7,
  NEW_END: 8,
} as const
/** How many there are. */
export const ROW_WIDTH = 9

export const FLAG = {
  /** Key and value are read from the added bytes. */
  ADDED: 1,
  /** There is something in the old bytes that this row stands for. */
  ORIGINAL: 2,
  /** It differs from the old bytes. */
  EDITED: 4,
  REMOVED: 8,
  /** The KeyValue has more than one key and one value: repeated ones, or fields unknown to us that must survive. */
  UNUSUAL: 16,
} as const

// Compiled code reads what another module exports anew each time; what is a constant of its own it knows. A tenth of an edit.
const { FLAGS, AT, END, KEY_START, KEY_END, VALUE_START, VALUE_END } = ROW
const WIDTH = ROW_WIDTH
const { ADDED, ORIGINAL, REMOVED, UNUSUAL } = FLAG

// The first bytes of an attribute as a little-endian number: the tags of itself and its key, both lengths below 128.
const TWO_HEADS = 0x80ff80ff
const KEY_TAG = KEY_VALUE.KEY * 8 + 2
const VALUE_TAG = KEY_VALUE.VALUE * 8 + 2
const KEY_HEAD = KEY_TAG << 16
const FIRST_ROWS = 64
const KEEP_MAX_NUMBERS = 1 << 16

export class AttributeRows {
  protected readonly added: Writer
  protected bytes: Uint8Array = new Uint8Array(0)
  #words: DataView = new DataView(this.bytes.buffer)
  protected field = 0
  protected rows = new Int32Array(FIRST_ROWS * WIDTH)
  protected rowCount = 0
  // Per piece: start, end, number of the first row behind it, end of its last attribute. Counted apart: an array that
  // is emptied gives its memory back, and is paid for again with the next item.
  protected readonly pieces: number[] = []
  protected pieceNumbers = 0
  readonly #view = new ValueView()
  readonly #cursor = new Cursor()

  constructor(added: Writer) {
    this.added = added
  }

  /** For the walk: no rows yet, over `bytes`, attributes being field `field` of the pieces that follow. */
  open(bytes: Uint8Array, field: number): void {
    if (bytes !== this.bytes) {
      this.bytes = bytes
      this.#words = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    }
    this.field = field
    this.rowCount = 0
    this.pieceNumbers = 0
    if (this.rows.length > KEEP_MAX_NUMBERS) this.rows = new Int32Array(FIRST_ROWS * WIDTH)
  }

  /**
   * For the walk: adds the attributes of the message in `[start, end)`, which must be checked. The hottest loop of an
   * edit, so it reads tags and the usual attribute by itself.
   */
  piece(start: number, end: number): void {
    const bytes = this.bytes
    const wanted = this.field * 8 + 2
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
    const pieces = this.pieces
    pieces[this.pieceNumbers++] = start
    pieces[this.pieceNumbers++] = end
    pieces[this.pieceNumbers++] = this.rowCount
    pieces[this.pieceNumbers++] = last === 0 ? end : last
  }

  /** Rows, removed ones among them: for (let i = 0; i < map.count; i++) if (map.has(i)) ... */
  get count(): number {
    return this.rowCount
  }

  /** Whether entry `i` is (still) there. */
  has(i: number): boolean {
    return (this.rows[i * WIDTH + FLAGS]! & REMOVED) === 0
  }

  /** Attributes that are there. */
  get size(): number {
    let size = 0
    for (let i = 0; i < this.rowCount; i++) if (this.has(i)) size++
    return size
  }

  /** Number of the first entry with that key (its UTF-8 bytes: encodeText), or -1. Starts behind entry `after`. */
  find(key: Uint8Array, after = -1): number {
    const rows = this.rows
    const length = key.length
    for (let i = after + 1; i < this.rowCount; i++) {
      const row = i * WIDTH
      const start = rows[row + KEY_START]!
      if (rows[row + KEY_END]! - start !== length || (rows[row + FLAGS]! & REMOVED) !== 0) continue
      const bytes = (rows[row + FLAGS]! & ADDED) === 0 ? this.bytes : this.added.bytes
      let at = 0
      while (at < length && bytes[start + at] === key[at]) at++
      if (at === length) return i
    }
    return -1
  }

  /** The array that entry `i`'s key and value are in; until the next edit. */
  source(i: number): Uint8Array {
    return (this.rows[i * WIDTH + FLAGS]! & ADDED) === 0 ? this.bytes : this.added.bytes
  }

  keyStart(i: number): number {
    return this.rows[i * WIDTH + KEY_START]!
  }

  keyEnd(i: number): number {
    return this.rows[i * WIDTH + KEY_END]!
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
    return this.rows[i * WIDTH + VALUE_START]!
  }

  valueEnd(i: number): number {
    return this.rows[i * WIDTH + VALUE_END]!
  }

  /**
   * Attributes side by side from `start` on that hold a key and a value in this order, all shorter than 128 bytes; returns
   * where they end. Four bytes tell the attribute's tag and length and the key's.
   */
  #readUsual(start: number, end: number): number {
    const words = this.#words
    const bytes = this.bytes
    const wantedHead = (this.field * 8 + 2) | KEY_HEAD
    let rows = this.rows
    let row = this.rowCount * WIDTH
    let p = start
    while (p <= end - 4) {
      const head = words.getInt32(p, true)
      const next = p + 2 + ((head >>> 8) & 0xff)
      const keyEnd = p + 4 + (head >>> 24)
      if ((head & TWO_HEADS) !== wantedHead || keyEnd + 2 > next) break
      const valueSize = bytes[keyEnd + 1]!
      if (bytes[keyEnd] !== VALUE_TAG || valueSize > 0x7f || keyEnd + 2 + valueSize !== next) break
      if (row + WIDTH > rows.length) {
        this.growRows()
        rows = this.rows
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
    this.rowCount = row / WIDTH
    return p
  }

  #readKeyValue(at: number, start: number, end: number): void {
    const bytes = this.bytes
    const row = this.rowCount++ * WIDTH
    if (row + WIDTH > this.rows.length) this.growRows()
    const rows = this.rows
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
    const rows = this.rows
    const c = this.#cursor.reset(this.bytes, start, end)
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
    const { added } = this
    const [keyStart, keyEnd] = [rows[row + KEY_START]!, rows[row + KEY_END]!]
    rows[row + KEY_START] = added.length
    rows[row + KEY_END] = added.copy(this.bytes, keyStart, keyEnd).length
    rows[row + VALUE_START] = added.length
    for (c.reset(this.bytes, start, end); c.find(2); ) added.copy(this.bytes, c.start, c.end)
    rows[row + VALUE_END] = added.length
    rows[row + FLAGS]! |= ADDED
  }

  // Offset of a fresh row.
  protected newRow(flags: number, at: number, end: number): number {
    const row = this.rowCount++ * WIDTH
    if (row + WIDTH > this.rows.length) this.growRows()
    this.rows[row + FLAGS] = flags
    this.rows[row + AT] = at
    this.rows[row + END] = end
    return row
  }

  protected growRows(): void {
    const larger = new Int32Array(this.rows.length * 2)
    larger.set(this.rows)
    this.rows = larger
  }
}
