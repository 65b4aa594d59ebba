// JSON read where it stands: one pass over the bytes checks the whole text and notes where every value begins and ends.
//
// The notes are four numbers per value on one array that is used again for the next text; nothing is allocated per value.
//
//   [ kind, from, to, next ]        `next` is the node behind the value and everything in it
//   object: the node, then for each member a STRING node for its name (`next` holds the name's hash) and its value
//   list:   the node, then its elements
//
// `from` and `to` of a string leave its quotes out. A node is a number, the index of its notes; 0 is the whole text.
//
// RFC 8259, and beside it the bare words NaN, Infinity and -Infinity, which common writers produce (kind NAN): one bad
// reading need not cost the others in its message. A name that comes twice in one object is an error, since nobody can say
// which of the two was meant.

import { isUtf8 } from 'node:buffer'
import { BadPayload } from './bad-payload.ts'
import { readDouble } from './json-number.ts'

export const JSON_KIND = {
  OBJECT: 0,
  LIST: 1,
  STRING: 2,
  ESCAPED: 3,
  NUMBER: 4,
  TRUE: 5,
  FALSE: 6,
  NULL: 7,
  NAN: 8,
} as const

/** Objects and lists inside one another. */
export const TAPE_DEPTH_MAX = 64
/** No node. */
export const NONE = -1

const NODE = 4
const KEEP_MAX_NODES = 1 << 16
/** Up to so many names of an object are compared one by one. */
const FEW_NAMES = 24

export class JsonTape {
  bytes: Uint8Array = new Uint8Array(0)
  #notes = new Int32Array(256 * NODE)
  #used = 0
  #at = 0
  readonly #names = new Map<number, number>()

  /** Reads one text; its root is node 0. Throws BadPayload. The bytes are kept by reference until the next. */
  read(bytes: Uint8Array): void {
    this.bytes = bytes
    this.#used = 0
    this.#at = 0
    if (this.#notes.length > KEEP_MAX_NODES * NODE) this.#notes = new Int32Array(256 * NODE)
    if (!isUtf8(bytes)) throw new BadPayload('not_utf8', 'the text is not UTF-8')
    if (bytes.length >= 3 && bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf) this.#at = 3
    this.#space()
    this.#value(0)
    this.#space()
    if (this.#at < bytes.length) this.#fail('text behind the end')
  }

  kind(node: number): number {
    return this.#notes[node]!
  }

  /** Where the value begins; strings: behind the quote. */
  from(node: number): number {
    return this.#notes[node + 1]!
  }

  /** Where it ends; strings: at the quote. */
  to(node: number): number {
    return this.#notes[node + 2]!
  }

  /** The first member's name or element inside, or NONE. */
  first(node: number): number {
    return this.#notes[node + 3]! > node + NODE ? node + NODE : NONE
  }

  /** The value of a member, from its name. */
  valueOf(name: number): number {
    return name + NODE
  }

  /** The name or element behind `child` in `parent`, or NONE; of an object, `child` is a name. */
  after(parent: number, child: number): number {
    const value = this.#notes[parent] === JSON_KIND.OBJECT ? child + NODE : child
    const next = this.#notes[value + 3]!
    return next < this.#notes[parent + 3]! ? next : NONE
  }

  isObject(node: number): boolean {
    return this.#notes[node] === JSON_KIND.OBJECT
  }

  isList(node: number): boolean {
    return this.#notes[node] === JSON_KIND.LIST
  }

  isText(node: number): boolean {
    const kind = this.#notes[node]
    return kind === JSON_KIND.STRING || kind === JSON_KIND.ESCAPED
  }

  /** A number or a truth value. */
  isNumeric(node: number): boolean {
    const kind = this.#notes[node]
    return kind === JSON_KIND.NUMBER || kind === JSON_KIND.TRUE || kind === JSON_KIND.FALSE
  }

  /** The value under a name of an object, NONE where it is not there or `node` is no object. */
  find(node: number, name: Name): number {
    if (node === NONE || this.#notes[node] !== JSON_KIND.OBJECT) return NONE
    const end = this.#notes[node + 3]!
    for (let at = node + NODE; at < end; at = this.#notes[at + NODE + 3]!)
      if (this.#notes[at + 3] === name.hash && this.#isName(at, name)) return at + NODE
    return NONE
  }

  /** Whether a string, such as a member's name, is one of these. */
  isOneOf(node: number, names: readonly Name[]): boolean {
    for (const name of names) if (this.isName(node, name)) return true
    return false
  }

  /** Whether a member's name is this one. */
  isName(node: number, name: Name): boolean {
    return this.#notes[node + 3] === name.hash && this.#isName(node, name)
  }

  /** How many elements or members are inside. */
  count(node: number): number {
    let count = 0
    for (let child = this.first(node); child !== NONE; child = this.after(node, child)) count++
    return count
  }

  /** The number at a node, nearest double; NaN where there is none. */
  number(node: number): number {
    if (node === NONE || this.#notes[node] !== JSON_KIND.NUMBER) return Number.NaN
    return readDouble(this.bytes, this.#notes[node + 1]!, this.#notes[node + 2]!)
  }

  /** A number without a fraction or exponent, and within ±2^53. */
  isWhole(node: number): boolean {
    if (this.#notes[node] !== JSON_KIND.NUMBER) return false
    const to = this.#notes[node + 2]!
    let p = this.#notes[node + 1]!
    if (to - p > 16) return false
    if (this.bytes[p] === MINUS) p++
    for (; p < to; p++) if (this.bytes[p]! < ZERO || this.bytes[p]! > 0x39) return false
    return Number.isSafeInteger(this.number(node))
  }

  /** A string's text with its escapes resolved; another value as it is written. Allocates. */
  text(node: number): string {
    const [kind, from, to] = [this.#notes[node]!, this.#notes[node + 1]!, this.#notes[node + 2]!]
    if (kind === JSON_KIND.ESCAPED) return JSON.parse(this.#slice(from - 1, to + 1)) as string
    return this.#slice(from, to)
  }

  #slice(from: number, to: number): string {
    return Buffer.from(this.bytes.buffer, this.bytes.byteOffset + from, to - from).toString()
  }

  #isName(node: number, name: Name): boolean {
    const from = this.#notes[node + 1]!
    const length = this.#notes[node + 2]! - from
    if (this.#notes[node] === JSON_KIND.ESCAPED) return this.text(node) === name.text
    if (length !== name.bytes.length) return false
    for (let i = 0; i < length; i++) if (this.bytes[from + i] !== name.bytes[i]) return false
    return true
  }

  #note(kind: number, from: number, to: number): number {
    const at = this.#used
    if (at + NODE > this.#notes.length) {
      const grown = new Int32Array(this.#notes.length * 2)
      grown.set(this.#notes)
      this.#notes = grown
    }
    const notes = this.#notes
    notes[at] = kind
    notes[at + 1] = from
    notes[at + 2] = to
    notes[at + 3] = at + NODE
    this.#used = at + NODE
    return at
  }

  #space(): void {
    const { bytes } = this
    let p = this.#at
    for (; p < bytes.length; p++) {
      const char = bytes[p]!
      if (char > 0x20 || (char !== 0x20 && char !== 0x0a && char !== 0x0d && char !== 0x09)) break
    }
    this.#at = p
  }

  #value(depth: number): void {
    const char = this.bytes[this.#at]
    if (char === QUOTE) this.#string()
    else if (char === 0x7b) this.#object(depth)
    else if (char === 0x5b) this.#list(depth)
    else if (char === 0x74) this.#word('true', JSON_KIND.TRUE)
    else if (char === 0x66) this.#word('false', JSON_KIND.FALSE)
    else if (char === 0x6e) this.#word('null', JSON_KIND.NULL)
    else if (char === 0x4e) this.#word('NaN', JSON_KIND.NAN)
    else if (char === 0x49) this.#word('Infinity', JSON_KIND.NAN)
    else if (char === MINUS && this.bytes[this.#at + 1] === 0x49) this.#word('-Infinity', JSON_KIND.NAN)
    else this.#number()
  }

  #object(depth: number): void {
    if (depth >= TAPE_DEPTH_MAX)
      throw new BadPayload('too_deep', `more than ${TAPE_DEPTH_MAX} objects or lists in one another`)
    const node = this.#note(JSON_KIND.OBJECT, this.#at, 0)
    this.#at++
    this.#space()
    let members = 0
    if (this.bytes[this.#at] !== 0x7d)
      for (;;) {
        if (this.bytes[this.#at] !== QUOTE) this.#fail('expected a name in quotes')
        const name = this.#string()
        this.#hashName(name)
        if (members++ < FEW_NAMES) this.#refuseTwin(node, name)
        this.#space()
        if (this.bytes[this.#at] !== 0x3a) this.#fail('expected a colon')
        this.#at++
        this.#space()
        this.#value(depth + 1)
        this.#space()
        const char = this.bytes[this.#at]
        if (char === 0x7d) break
        if (char !== 0x2c) this.#fail('expected a comma or a closing brace')
        this.#at++
        this.#space()
      }
    this.#at++
    this.#notes[node + 2] = this.#at
    this.#notes[node + 3] = this.#used
    if (members > FEW_NAMES) this.#refuseTwins(node)
  }

  #list(depth: number): void {
    if (depth >= TAPE_DEPTH_MAX)
      throw new BadPayload('too_deep', `more than ${TAPE_DEPTH_MAX} objects or lists in one another`)
    const node = this.#note(JSON_KIND.LIST, this.#at, 0)
    this.#at++
    this.#space()
    if (this.bytes[this.#at] !== 0x5d)
      for (;;) {
        this.#value(depth + 1)
        this.#space()
        const char = this.bytes[this.#at]
        if (char === 0x5d) break
        if (char !== 0x2c) this.#fail('expected a comma or a closing bracket')
        this.#at++
        this.#space()
      }
    this.#at++
    this.#notes[node + 2] = this.#at
    this.#notes[node + 3] = this.#used
  }

  #string(): number {
    const { bytes } = this
    const from = this.#at + 1
    let kind: number = JSON_KIND.STRING
    let p = from
    for (; p < bytes.length; p++) {
      const char = bytes[p]!
      if (char === QUOTE) {
        this.#at = p + 1
        return this.#note(kind, from, p)
      }
      if (char === 0x5c) {
        kind = JSON_KIND.ESCAPED
        p = this.#escape(p)
      } else if (char < 0x20) this.#fail('a control character in a string', p)
    }
    return this.#fail('expected the end of a string', p)
  }

  /** The last character of the escape that begins at `p`. */
  #escape(p: number): number {
    const letter = this.bytes[p + 1]
    if (letter === 0x75) {
      for (let i = 2; i < 6; i++) {
        const digit = this.bytes[p + i] ?? 0
        const isHex = (digit >= ZERO && digit <= 0x39) || ((digit | 0x20) >= 0x61 && (digit | 0x20) <= 0x66)
        if (!isHex) this.#fail('expected four hexadecimal digits', p)
      }
      return p + 5
    }
    if (letter === undefined || !ESCAPES.includes(letter)) this.#fail('no such escape in a string', p)
    return p + 1
  }

  #word(word: string, kind: number): void {
    const from = this.#at
    for (let i = 0; i < word.length; i++)
      if (this.bytes[from + i] !== word.charCodeAt(i)) this.#fail(`expected ${word}`)
    this.#at = from + word.length
    this.#note(kind, from, this.#at)
  }

  /** RFC 8259, chapter 6. */
  #number(): void {
    const { bytes } = this
    const from = this.#at
    let p = from
    if (bytes[p] === MINUS) p++
    if (bytes[p] === ZERO) p++
    else p = this.#digits(p, 'expected a value')
    if (bytes[p] === 0x2e) p = this.#digits(p + 1, 'expected a digit')
    if ((bytes[p]! | 0x20) === 0x65) {
      p++
      if (bytes[p] === 0x2b || bytes[p] === MINUS) p++
      p = this.#digits(p, 'expected a digit')
    }
    this.#at = p
    this.#note(JSON_KIND.NUMBER, from, p)
  }

  #digits(from: number, what: string): number {
    const { bytes } = this
    let p = from
    while (p < bytes.length && bytes[p]! >= ZERO && bytes[p]! <= 0x39) p++
    if (p === from) this.#fail(what, p)
    return p
  }

  #hashName(node: number): void {
    const notes = this.#notes
    notes[node + 3] =
      notes[node] === JSON_KIND.ESCAPED
        ? new Name(this.text(node)).hash
        : hashOf(this.bytes, notes[node + 1]!, notes[node + 2]!)
  }

  /** Throws when a member before `name` is called the same. */
  #refuseTwin(object: number, name: number): void {
    const notes = this.#notes
    const hash = notes[name + 3]!
    for (let at = object + NODE; at < name; at = notes[at + NODE + 3]!)
      if (notes[at + 3] === hash && this.text(at) === this.text(name)) this.#twin(name)
  }

  #refuseTwins(object: number): void {
    const notes = this.#notes
    const end = notes[object + 3]!
    this.#names.clear()
    for (let at = object + NODE; at < end; at = notes[at + NODE + 3]!) {
      const twin = this.#names.get(notes[at + 3]!)
      if (twin === undefined) this.#names.set(notes[at + 3]!, at)
      else if (this.text(twin) === this.text(at)) this.#twin(at)
    }
  }

  #twin(name: number): never {
    throw new BadPayload('duplicate_key', `the name ${JSON.stringify(this.text(name).slice(0, 64))} comes twice`)
  }

  #fail(what: string, at = this.#at): never {
    const end = this.bytes.length
    throw new BadPayload('not_json', at >= end ? `the text ends too early: ${what}` : `${what} at byte ${at}`)
  }
}

const QUOTE = 0x22
const MINUS = 0x2d
const ZERO = 0x30
const ESCAPES = Buffer.from('"\\/bfnrt')

/** A name to look for, made once. */
export class Name {
  readonly text: string
  readonly bytes: Uint8Array
  readonly hash: number

  constructor(text: string) {
    this.text = text
    this.bytes = Buffer.from(text)
    this.hash = hashOf(this.bytes, 0, this.bytes.length)
  }
}

/** FNV-1a. */
function hashOf(bytes: Uint8Array, from: number, to: number): number {
  let hash = 0x811c9dc5 | 0
  for (let p = from; p < to; p++) hash = Math.imul(hash ^ bytes[p]!, 0x01000193)
  return hash
}
