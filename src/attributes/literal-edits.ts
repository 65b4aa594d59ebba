// The usual actions on a record in one go: insert, update and upsert of literals, and delete, each with a key of its own.
//
//   scan    over the record's fields: which of its attributes an action names, in their order, and where the last one ends
//   write   what the actions make of them, as ranges for the splice
//
// What actions write is the same bytes for every record, so it is put among the added bytes once a request. Actions with
// keys that differ do not see each other's effects, so their order counts only among what is inserted.
//
// A record with an attribute of any other form than key, value (in this order, once each, nothing else) is left to
// AttributeActions.apply(), which does the same to all forms, one action after the other.

import { KEY_VALUE } from '../otlp/fields.ts'
import type { Walk } from '../otlp/walk.ts'
import type { Splice } from '../wire/splice.ts'
import { varintLow, varintSize } from '../wire/varint.ts'
import { Writer } from '../wire/writer.ts'

export interface LiteralEdit {
  readonly key: Uint8Array
  /** Not named by delete. Undefined while there is nothing to write: the action does nothing then. */
  readonly value: Uint8Array | undefined
  readonly adds: boolean
  readonly replaces: boolean
  readonly removes: boolean
}

// The first bytes of a field as a little-endian number, masked so that one comparison tells what they are.
const ONE_BYTE_TAG = 0x87 // a tag below 128: its wire type
const SHORT_HEAD = 0x8087 // and a length, or number, below 128 behind it
const ONE_HEAD = 0x80ff // the same: the tag itself
const TWO_HEADS = 0x80ff80ff // of an attribute and of its key
const KEY_TAG = KEY_VALUE.KEY * 8 + 2
const VALUE_TAG = KEY_VALUE.VALUE * 8 + 2
const KEY_HEAD = KEY_TAG << 16
/** Bits of a number tell which keys were found. */
const MOST_EDITS = 31
/** Of an edit for the splice. */
const WIDTH = 4
const FIRST_EDITS = 64

export class LiteralEdits {
  readonly #edits: readonly LiteralEdit[]
  /** The keys, side by side, and where each ends. */
  readonly #keys: DataView
  readonly #keyEnds: Int32Array
  /** Lengths of the keys, modulo 32, as bits. */
  readonly #lengths: number
  /** The key and value of each edit as a message; its range in the added bytes of the request that is being edited. */
  #messages: readonly (Uint8Array | undefined)[] = []
  readonly #placed: Int32Array
  #placedFor = -1
  #placedTag = 0
  /** What is done to the record: four numbers each, as splice.edit() takes them. */
  #made = new Int32Array(FIRST_EDITS * WIDTH)
  #madeCount = 0
  #found = 0
  #attributesEnd = 0

  private constructor(edits: readonly LiteralEdit[]) {
    this.#edits = edits
    const keys = new Writer()
    this.#keyEnds = Int32Array.from(edits, ({ key }) => keys.copy(key).length)
    this.#keys = new DataView(keys.toBytes().buffer)
    this.#lengths = edits.reduce((bits, { key }) => bits | (1 << (key.length & 31)), 0)
    this.#placed = new Int32Array(edits.length * 2)
  }

  /** Undefined where two edits have the same key, or there are too many. */
  static find(edits: readonly LiteralEdit[]): LiteralEdits | undefined {
    const keys = new Set(edits.map(({ key }) => Buffer.from(key).toString('latin1')))
    return keys.size === edits.length && keys.size <= MOST_EDITS ? new LiteralEdits(edits) : undefined
  }

  /** Before the first record of a batch; values may have changed since the last one. */
  begin(): void {
    this.#messages = this.#edits.map(({ key, value, removes }) =>
      removes || value === undefined
        ? undefined
        : new Writer().field(KEY_VALUE.KEY, key).field(KEY_VALUE.VALUE, value).toBytes(),
    )
    this.#placedFor = -1
  }

  /** Edits the walk's current record; false, and nothing done, when one of its attributes has an unusual form. */
  tryApply(walk: Walk): boolean {
    const tag = walk.attributesField * 8 + 2
    const { splice } = walk
    if (this.#placedFor !== splice.epoch || this.#placedTag !== tag) this.#place(splice, tag)
    this.#madeCount = 0
    this.#found = 0
    if (!this.#scan(walk.bytes, walk.words, walk.recordStart, walk.recordEnd, tag)) return false
    this.#insert()
    if (this.#madeCount > 0) walk.editRecord(this.#made, this.#madeCount)
    return true
  }

  #scan(bytes: Uint8Array, words: DataView, start: number, end: number, tag: number): boolean {
    const usualHead = tag | KEY_HEAD
    const lengths = this.#lengths
    let attributesEnd = 0
    let p = start
    while (p < end) {
      while (p <= end - 4) {
        const head = words.getInt32(p, true)
        const next = p + 2 + ((head >>> 8) & 0xff)
        if ((head & TWO_HEADS) === usualHead) {
          const keyEnd = p + 4 + (head >>> 24)
          if (keyEnd + 2 > next) break
          const value = words.getUint16(keyEnd, true)
          if ((value & ONE_HEAD) !== VALUE_TAG || keyEnd + 2 + (value >>> 8) !== next) break
          if (((lengths >>> (head >>> 24)) & 1) !== 0) this.#match(words, p, p + 4, keyEnd, next)
          attributesEnd = next
          p = next
        } else if ((head & ONE_BYTE_TAG) === 1) p += 9
        else if ((head & SHORT_HEAD) === 0) p += 2
        else if ((head & SHORT_HEAD) === 2 && (head & 0xff) !== tag) p = next
        else break
      }
      if (p >= end) break
      // Any field.
      const at = p
      const head = bytes[p++]!
      if (head > 0x7f) while (bytes[p++]! > 0x7f);
      const wireType = head & 7
      if (wireType !== 2) {
        if (wireType === 0) while (bytes[p++]! > 0x7f);
        else p += wireType === 1 ? 8 : 4
        continue
      }
      const length = varintLow(bytes, p)
      while (bytes[p++]! > 0x7f);
      const contents = p
      p += length
      if (head !== tag) continue
      const keyEnd = usualKeyEnd(bytes, contents, p)
      if (keyEnd < 0) return false
      if (((lengths >>> (bytes[contents + 1]! & 31)) & 1) !== 0) this.#match(words, at, contents + 2, keyEnd, p)
      attributesEnd = p
    }
    this.#attributesEnd = attributesEnd === 0 ? end : attributesEnd
    return true
  }

  #match(words: DataView, from: number, keyStart: number, keyEnd: number, end: number): void {
    const keys = this.#keys
    const ends = this.#keyEnds
    let k = 0
    for (let i = 0; i < ends.length; i++) {
      const start = k
      const size = ends[i]! - start
      k = ends[i]!
      if (size !== keyEnd - keyStart || !equalKeys(words, keyStart, keys, start, size)) continue
      this.#foundKey(i, from, end)
      return
    }
  }

  /** Of a key that stands twice the first one counts, and both go where it is deleted. */
  #foundKey(i: number, from: number, end: number): void {
    const { removes, replaces } = this.#edits[i]!
    if (removes) this.#make(from, end, 0, 0)
    else if (replaces && (this.#found & (1 << i)) === 0 && this.#messages[i] !== undefined)
      this.#make(from, end, this.#placed[2 * i]!, this.#placed[2 * i + 1]!)
    this.#found |= 1 << i
  }

  #insert(): void {
    const at = this.#attributesEnd
    for (let i = 0; i < this.#edits.length; i++) {
      if ((this.#found & (1 << i)) !== 0 || !this.#edits[i]!.adds || this.#messages[i] === undefined) continue
      this.#make(at, at, this.#placed[2 * i]!, this.#placed[2 * i + 1]!)
    }
  }

  #make(from: number, to: number, newFrom: number, newTo: number): void {
    const at = this.#madeCount++ * WIDTH
    if (at === this.#made.length) {
      const larger = new Int32Array(2 * at)
      larger.set(this.#made)
      this.#made = larger
    }
    const made = this.#made
    made[at] = from
    made[at + 1] = to
    made[at + 2] = newFrom
    made[at + 3] = newTo
  }

  /** Writes what is to be written behind the added bytes, each with its tag and length in front. */
  #place(splice: Splice, tag: number): void {
    const { added } = splice
    this.#placedFor = splice.epoch
    this.#placedTag = tag
    for (let i = 0; i < this.#messages.length; i++) {
      const message = this.#messages[i]
      if (message === undefined) continue
      this.#placed[2 * i] = added.length
      added.field(tag >>> 3, message)
      this.#placed[2 * i + 1] = added.length
    }
  }
}

/** Where the key ends in a KeyValue that holds one key and one value, in this order, and nothing else; -1 for others. */
function usualKeyEnd(bytes: Uint8Array, from: number, to: number): number {
  if (from + 2 > to || bytes[from] !== KEY_TAG || bytes[from + 1]! > 0x7f) return -1
  const keyEnd = from + 2 + bytes[from + 1]!
  if (keyEnd + 2 > to || bytes[keyEnd] !== VALUE_TAG) return -1
  const size = varintLow(bytes, keyEnd + 1)
  return keyEnd + 1 + varintSize(size) + size === to ? keyEnd : -1
}

/** Whether keys of one size are the same: four bytes at a time, of which the last ones may be looked at twice. */
function equalKeys(words: DataView, at: number, keys: DataView, from: number, size: number): boolean {
  if (size < 4) {
    for (let i = 0; i < size; i++) if (words.getUint8(at + i) !== keys.getUint8(from + i)) return false
    return true
  }
  // Keys of one length often begin alike (`http.`), or end so (`.address`), and seldom both.
  const last = size - 4
  if (words.getInt32(at + last, true) !== keys.getInt32(from + last, true)) return false
  for (let i = 0; i < last; i += 4) if (words.getInt32(at + i, true) !== keys.getInt32(from + i, true)) return false
  return true
}
