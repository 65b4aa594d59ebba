// The attributes of a record, read where they are, while their keys come in an order in which they came before.
//
// Each order is a path through a tree of keys. What there is to know of a key on its path was found out once: it does not say
// where the record goes, it is no half of a position, none before it is the same, and its text has nothing to escape. From
// then on it costs one comparison, and its JSON is copied.
//
//   (root) ── http.request.method ── http.route ── url.path         of those that may come next, the last taken stands first
//                                 └─ url.path ── enduser.id
//
//   KeyValue = 10 length key 18 length value          nothing else in it; keys below 128 bytes, values below 16 KiB

import { Piece } from '../../wire/piece.ts'
import { varintLow } from '../../wire/varint.ts'
import { isPositionKey } from './positions.ts'
import { isSpecialKey } from './special-attributes.ts'

const KEY_TAG = 10
const VALUE_TAG = 18
const CHAR_QUOTE = 0x22
const CHAR_BACKSLASH = 0x5c

/** Keys on all paths together; beyond that many all of them are forgotten. */
const MAX_KEYS = 4096
/** Keys that may come next; beyond that many the one that was taken the longest time ago is forgotten. */
const MAX_CHILDREN = 16
/** Attributes of a record; one with more is read in another way. */
const MAX_ATTRIBUTES = 256

class Key {
  readonly bytes: Uint8Array
  readonly length: number
  /** `"KEY":"` */
  readonly json: Piece
  /** By four bytes, and the last four once more: of a shorter one what there is of them. */
  readonly #words: Int32Array
  readonly #shift: number
  /** The first that may come behind it, and another one that may come in its place. */
  child: Key | undefined
  sibling: Key | undefined

  constructor(bytes: Uint8Array) {
    const { length } = bytes
    this.bytes = bytes
    this.length = length
    this.json = new Piece(Buffer.concat([QUOTE, bytes, BEHIND]))
    this.#shift = length < 4 ? 32 - 8 * length : 0
    this.#words = new Int32Array((length + 3) >> 2)
    const padded = new DataView(new ArrayBuffer(length + 4))
    bytes.forEach((byte, i) => {
      padded.setUint8(4 + i, byte)
    })
    for (let i = 0; i < this.#words.length - 1; i++) this.#words[i] = padded.getInt32(4 + 4 * i, true)
    if (length > 0) this.#words[this.#words.length - 1] = padded.getInt32(length, true) >>> this.#shift
  }

  /** Whether `words[start, end)` are the same; there are four bytes before `start`. */
  is(words: DataView, start: number, end: number): boolean {
    if (end - start !== this.length) return false
    const own = this.#words
    const last = end - 4
    let i = 0
    for (let p = start; p < last; p += 4) if (words.getInt32(p, true) !== own[i++]) return false
    return ((words.getInt32(last, true) >>> this.#shift) | 0) === own[i]
  }
}

const QUOTE = Buffer.from('"')
const BEHIND = Buffer.from('":"')
const ROOT = new Uint8Array(0)

export class AttributePaths {
  /** Of the record that was followed last: its attributes. */
  count = 0
  #root = new Key(ROOT)
  #size = 0
  readonly #keys: Key[] = []
  /** Where values begin and end. */
  readonly #values = new Int32Array(MAX_ATTRIBUTES * 2)

  /** `"KEY":"` of attribute `i`, and where its AnyValue begins and ends. */
  keyJson(i: number): Piece {
    return this.#keys[i]!.json
  }

  valueStart(i: number): number {
    return this.#values[2 * i]!
  }

  valueEnd(i: number): number {
    return this.#values[2 * i + 1]!
  }

  /**
   * Reads the attributes of the record in `bytes[start, end)`: its field `field`, below 16. False where they are not as
   * above, or the way is new: the record has to be read in another way.
   */
  follow(bytes: Uint8Array, words: DataView, start: number, end: number, field: number): boolean {
    const wanted = field * 8 + 2
    let key = this.#root
    let count = 0
    for (let p = start; p < end; ) {
      if (bytes[p] !== wanted) {
        p = skip(bytes, p)
        continue
      }
      let from = p + 2
      let next = from + bytes[p + 1]!
      if (bytes[p + 1]! > 0x7f) next = ++from + longLength(bytes, p + 1)
      const keyStart = from + 2
      const keyEnd = keyStart + bytes[from + 1]!
      if (bytes[from] !== KEY_TAG || bytes[from + 1]! > 0x7f || keyEnd + 2 > next || bytes[keyEnd] !== VALUE_TAG)
        return false
      let valueStart = keyEnd + 2
      if (valueStart + bytes[keyEnd + 1]! !== next || bytes[keyEnd + 1]! > 0x7f) {
        if (bytes[keyEnd + 1]! < 0x80 || ++valueStart + longLength(bytes, keyEnd + 1) !== next) return false
      }
      let child = key.child
      if (child === undefined || !child.is(words, keyStart, keyEnd)) {
        child = this.#otherChild(key, bytes, words, keyStart, keyEnd, count)
        if (child === undefined) return false
      }
      if (count === MAX_ATTRIBUTES) return false
      if (this.#keys[count] !== child) this.#keys[count] = child
      this.#values[2 * count] = valueStart
      this.#values[2 * count + 1] = next
      count++
      key = child
      p = next
    }
    this.count = count
    return true
  }

  /** One that is known comes to the front, and so does a new one. */
  #otherChild(
    parent: Key,
    bytes: Uint8Array,
    words: DataView,
    start: number,
    end: number,
    before: number,
  ): Key | undefined {
    let last = parent.child
    let child = last?.sibling
    for (let tried = 1; child !== undefined; child = child.sibling, tried++) {
      if (child.is(words, start, end)) {
        last!.sibling = child.sibling
        break
      }
      if (tried === MAX_CHILDREN - 1) last!.sibling = undefined
      else last = child
    }
    child ??= this.#learn(bytes, start, end, before)
    if (child === undefined) return undefined
    child.sibling = parent.child
    parent.child = child
    return child
  }

  /** A key that was not there behind `before` others; undefined where it is not usual. */
  #learn(bytes: Uint8Array, start: number, end: number, before: number): Key | undefined {
    if (start === end || isSpecialKey(bytes, start, end) || isPositionKey(bytes, start, end)) return undefined
    for (let i = start; i < end; i++)
      if (bytes[i]! < 0x20 || bytes[i] === CHAR_QUOTE || bytes[i] === CHAR_BACKSLASH) return undefined
    const key = bytes.slice(start, end)
    for (let i = 0; i < before; i++) if (Buffer.compare(this.#keys[i]!.bytes, key) === 0) return undefined
    if (this.#size >= MAX_KEYS) {
      this.#root = new Key(ROOT)
      this.#size = 0
    }
    this.#size++
    return new Key(key)
  }
}

/** A length of two bytes, -1 where it is longer. */
const longLength = (bytes: Uint8Array, at: number): number =>
  bytes[at + 1]! > 0x7f ? -1 : (bytes[at]! & 0x7f) | (bytes[at + 1]! << 7)

/** Behind the field whose tag is at `at`; the bytes are checked. */
function skip(bytes: Uint8Array, at: number): number {
  let p = at
  while (bytes[p++]! > 0x7f);
  switch (bytes[at]! & 7) {
    case 1:
      return p + 8
    case 5:
      return p + 4
    case 0:
      while (bytes[p++]! > 0x7f);
      return p
    default: {
      const length = bytes[p]!
      if (length < 0x80) return p + 1 + length
      const long = varintLow(bytes, p)
      while (bytes[p++]! > 0x7f);
      return p + long
    }
  }
}
