// A document as a list of fields with dotted names, for the modes none, raw and ecs: gathered in any order, then written
// sorted, each name once (the last one wins), flat or as nested objects.
//
//   gathered   service.name "a", labels.x 1, labels.x.y 2, service.name "b"
//   flat       {"labels.x.value":1,"labels.x.y":2,"service.name":"b"}
//   nested     {"labels":{"x":{"value":1,"y":2}},"service":{"name":"b"}}
//
// A name that others continue gets `.value`, since an object cannot be a value as well. contrib,
// exporter/elasticsearchexporter/internal/objmodel/objmodel.go. Fields are rows of one flat array.

import { encodeText } from '../../otlp/encode.ts'
import { CHAR } from '../../otlp/json/text.ts'
import { VALUE, ValueView } from '../../otlp/value.ts'
import { Cursor } from '../../wire/cursor.ts'
import { DocumentText } from './document-text.ts'

const WIDTH = 4
const FIRST_ROWS = 64
const VALUE_SUFFIX = encodeText('.value')
const DOT = 0x2e

export class FlatFields {
  /** What a field's value is written into, between open() and close(). */
  readonly values = new DocumentText().begin()
  readonly #names = new DocumentText().begin()
  /** Start and end of the name and of the value. */
  #rows = new Int32Array(FIRST_ROWS * WIDTH)
  #order = new Int32Array(FIRST_ROWS)
  #count = 0
  readonly #views: ValueView[] = []
  readonly #lists: Cursor[] = []
  readonly #entries: Cursor[] = []

  /** How far it is filled, for reset(). */
  get mark(): { readonly count: number; readonly names: number; readonly values: number } {
    return { count: this.#count, names: this.#names.length, values: this.values.length }
  }

  /** Forgets what came behind the mark. */
  reset(mark: { readonly count: number; readonly names: number; readonly values: number }): void {
    this.#count = mark.count
    this.#names.cut(mark.names)
    this.values.cut(mark.values)
  }

  /** Begins a field whose name is ASCII. */
  open(name: string): DocumentText {
    this.#begin()
    this.#names.ascii(name)
    return this.#beginValue()
  }

  /** Begins a field `prefix` (with its dot, or empty) and the key in `source[from, to)`. */
  openKey(prefix: string, source: Uint8Array, from: number, to: number): DocumentText {
    this.#begin()
    this.#names.ascii(prefix)
    this.#names.raw(source, from, to)
    return this.#beginValue()
  }

  close(): void {
    this.#rows[this.#count * WIDTH + 3] = this.values.length
    this.#count++
  }

  string(name: string, text: string): void {
    if (text === '') return
    this.open(name).quotedText(text)
    this.close()
  }

  /** An attribute; maps become fields of their own, the empty value none. */
  value(name: string, source: Uint8Array, from: number, to: number): void {
    this.#begin()
    this.#names.ascii(name)
    this.#value(source, from, to, 0)
  }

  keyValue(prefix: string, source: Uint8Array, keyStart: number, keyEnd: number, from: number, to: number): void {
    this.keyValueOf(prefix, source, keyStart, keyEnd, source, from, to)
  }

  keyValueOf(
    prefix: string,
    keys: Uint8Array,
    keyStart: number,
    keyEnd: number,
    source: Uint8Array,
    from: number,
    to: number,
  ): void {
    this.#begin()
    this.#names.ascii(prefix)
    this.#names.raw(keys, keyStart, keyEnd)
    this.#value(source, from, to, 0)
  }

  /** Writes all fields as members of an object. */
  write(text: DocumentText, nested: boolean): void {
    this.#sort()
    if (this.#renameContinued()) this.#sort()
    if (nested) this.#writeNested(text)
    else this.#writeFlat(text)
  }

  #begin(): void {
    if ((this.#count + 1) * WIDTH > this.#rows.length) {
      const rows = new Int32Array(this.#rows.length * 2)
      rows.set(this.#rows)
      this.#rows = rows
      this.#order = new Int32Array(rows.length / WIDTH)
    }
    this.#rows[this.#count * WIDTH] = this.#names.length
  }

  #beginValue(): DocumentText {
    this.#rows[this.#count * WIDTH + 1] = this.#names.length
    this.#rows[this.#count * WIDTH + 2] = this.values.length
    return this.values
  }

  /** The name is written; the row is not counted yet. */
  #value(source: Uint8Array, from: number, to: number, depth: number): void {
    const view = (this.#views[depth] ??= new ValueView()).reset(source, from, to)
    if (view.type === VALUE.MAP) {
      this.#map(view, depth)
      return
    }
    if (view.type === VALUE.EMPTY || (view.type === VALUE.LIST && view.start === view.end)) return
    this.#beginValue().view(view, false, depth)
    this.close()
  }

  #map({ bytes, start, end }: ValueView, depth: number): void {
    const nameStart = this.#rows[this.#count * WIDTH]!
    const nameEnd = this.#names.length
    for (const c = (this.#lists[depth] ??= new Cursor()).reset(bytes, start, end); c.find(1); ) {
      let keyStart = c.start
      let keyEnd = c.start
      let from = c.start
      let to = c.start
      for (const entry = (this.#entries[depth] ??= new Cursor()).reset(bytes, c.start, c.end); entry.next(); ) {
        if (entry.wireType !== 2) continue
        if (entry.field === 1) [keyStart, keyEnd] = [entry.start, entry.end]
        else if (entry.field === 2) [from, to] = [entry.start, entry.end]
      }
      this.#begin()
      this.#names.raw(this.#names.bytes, nameStart, nameEnd)
      this.#names.put(DOT)
      this.#names.raw(bytes, keyStart, keyEnd)
      this.#value(bytes, from, to, depth + 1)
    }
  }

  /** By name, stable. Rows come nearly sorted from one record to the next, and there are few. */
  #sort(): void {
    const order = this.#order
    for (let i = 0; i < this.#count; i++) {
      let at = i
      while (at > 0 && this.#compare(order[at - 1]!, i) > 0) {
        order[at] = order[at - 1]!
        at--
      }
      order[at] = i
    }
  }

  #compare(a: number, b: number): number {
    const rows = this.#rows
    const bytes = this.#names.bytes
    const aEnd = rows[a * WIDTH + 1]!
    const bEnd = rows[b * WIDTH + 1]!
    let p = rows[a * WIDTH]!
    let q = rows[b * WIDTH]!
    while (p < aEnd && q < bEnd) {
      const difference = bytes[p++]! - bytes[q++]!
      if (difference !== 0) return difference
    }
    return aEnd - p - (bEnd - q)
  }

  /** Whether the name of row `longer` is that of row `shorter`, a dot, and more. */
  #continues(shorter: number, longer: number): boolean {
    const rows = this.#rows
    const bytes = this.#names.bytes
    const start = rows[shorter * WIDTH]!
    const length = rows[shorter * WIDTH + 1]! - start
    const other = rows[longer * WIDTH]!
    if (rows[longer * WIDTH + 1]! - other <= length || bytes[other + length] !== DOT) return false
    for (let i = 0; i < length; i++) if (bytes[start + i] !== bytes[other + i]) return false
    return true
  }

  #renameContinued(): boolean {
    const order = this.#order
    let renamed = false
    for (let i = 0; i < this.#count; i++) {
      // Names that continue it come behind those that are the same, and perhaps behind others such as `a-b` after `a`.
      for (let next = i + 1; next < this.#count && this.#startsWith(order[i]!, order[next]!); next++) {
        if (!this.#continues(order[i]!, order[next]!)) continue
        const row = order[i]! * WIDTH
        const from = this.#names.length
        this.#names.raw(this.#names.bytes, this.#rows[row]!, this.#rows[row + 1]!)
        this.#names.raw(VALUE_SUFFIX)
        this.#rows[row] = from
        this.#rows[row + 1] = this.#names.length
        renamed = true
        break
      }
    }
    return renamed
  }

  #startsWith(shorter: number, longer: number): boolean {
    const rows = this.#rows
    const bytes = this.#names.bytes
    const start = rows[shorter * WIDTH]!
    const length = rows[shorter * WIDTH + 1]! - start
    const other = rows[longer * WIDTH]!
    if (rows[longer * WIDTH + 1]! - other < length) return false
    for (let i = 0; i < length; i++) if (bytes[start + i] !== bytes[other + i]) return false
    return true
  }

  /** Whether a later one of the same name follows. */
  #isReplaced(i: number): boolean {
    return i + 1 < this.#count && this.#compare(this.#order[i]!, this.#order[i + 1]!) === 0
  }

  #writeFlat(text: DocumentText): void {
    const rows = this.#rows
    let comma = false
    for (let i = 0; i < this.#count; i++) {
      if (this.#isReplaced(i)) continue
      const row = this.#order[i]! * WIDTH
      if (comma) text.put(CHAR.COMMA)
      comma = true
      text.quoted(this.#names.bytes, rows[row]!, rows[row + 1]!)
      text.put(CHAR.COLON)
      text.raw(this.values.bytes, rows[row + 2]!, rows[row + 3]!)
    }
  }

  #writeNested(text: DocumentText): void {
    const rows = this.#rows
    const names = this.#names.bytes
    // Open objects are those of the last name's part before its last dot.
    let openStart = 0
    let openEnd = 0
    let depth = 0
    let comma = false
    for (let i = 0; i < this.#count; i++) {
      if (this.#isReplaced(i)) continue
      const row = this.#order[i]! * WIDTH
      const start = rows[row]!
      const end = rows[row + 1]!
      // How much of the open path, up to a dot, this name shares.
      let shared = 0
      let levels = 0
      for (let k = 0; k < openEnd - openStart && start + k < end && names[openStart + k] === names[start + k]; k++) {
        if (names[start + k] !== DOT) continue
        shared = k + 1
        levels++
      }
      for (; depth > levels; depth--) {
        text.put(CHAR.CLOSE_BRACE)
        comma = true
      }
      let at = start + shared
      for (let p = at; p < end; p++) {
        if (names[p] !== DOT) continue
        if (comma) text.put(CHAR.COMMA)
        text.quoted(names, at, p)
        text.ascii(':{')
        comma = false
        depth++
        at = p + 1
      }
      if (comma) text.put(CHAR.COMMA)
      comma = true
      text.quoted(names, at, end)
      text.put(CHAR.COLON)
      text.raw(this.values.bytes, rows[row + 2]!, rows[row + 3]!)
      openStart = start
      openEnd = at
    }
    for (; depth > 0; depth--) text.put(CHAR.CLOSE_BRACE)
  }
}
