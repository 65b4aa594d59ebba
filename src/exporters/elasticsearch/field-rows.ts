// Fields of a document with dotted names, as rows of one flat array: gathered in any order, then written sorted, each name
// once (the last one wins), flat or as nested objects.
//
//   gathered   service.name "a", labels.x 1, labels.x.y 2, service.name "b"
//   flat       {"labels.x.value":1,"labels.x.y":2,"service.name":"b"}
//   nested     {"labels":{"x":{"value":1,"y":2}},"service":{"name":"b"}}
//
// An object cannot be a value as well: a name that others continue gets `.value`, unless it is `fixed`: then those others
// are left out. A row without a value is never written, but takes the place of others of its name.
// contrib, exporter/elasticsearchexporter/internal/objmodel/objmodel.go.

import { encodeText } from '../../otlp/encode.ts'
import { CHAR } from '../../otlp/json/text.ts'
import { utf8 } from '../../otlp/value.ts'
import { DocumentText } from './document-text.ts'

const NAME = 0
const NAME_END = 1
const VALUE = 2
const VALUE_END = 3
const WIDTH = 4
const FIRST_ROWS = 64
const VALUE_SUFFIX = encodeText('.value')
const DOT = 0x2e
const NONE_FIXED: ReadonlySet<string> = new Set()

export interface Mark {
  readonly count: number
  readonly names: number
  readonly values: number
}

export class FieldRows {
  /** What a field's value is written into, between beginValue() and close(). */
  readonly values = new DocumentText().begin()
  protected readonly names = new DocumentText().begin()
  /** Names that stay what they are, whatever continues them. */
  fixed: ReadonlySet<string> = NONE_FIXED
  #rows = new Int32Array(FIRST_ROWS * WIDTH)
  #order = new Int32Array(FIRST_ROWS)
  #count = 0
  /** Of numbers in rows that were changed for one document: where, and what was there. */
  readonly #changed: number[] = []

  get count(): number {
    return this.#count
  }

  /** How far it is filled, for reset(). */
  get mark(): Mark {
    return { count: this.#count, names: this.names.length, values: this.values.length }
  }

  /** Forgets what came behind the mark. */
  reset(mark: Mark): void {
    this.#count = mark.count
    this.names.cut(mark.names)
    this.values.cut(mark.values)
  }

  /** A row begins, whose name is to be written. */
  protected begin(): void {
    if ((this.#count + 1) * WIDTH > this.#rows.length) {
      const rows = new Int32Array(this.#rows.length * 2)
      rows.set(this.#rows)
      this.#rows = rows
      this.#order = new Int32Array(rows.length / WIDTH)
    }
    this.#rows[this.#count * WIDTH + NAME] = this.names.length
  }

  /** Where the name of the row that begins starts. */
  protected get nameStart(): number {
    return this.#rows[this.#count * WIDTH + NAME]!
  }

  protected beginValue(): DocumentText {
    this.#rows[this.#count * WIDTH + NAME_END] = this.names.length
    this.#rows[this.#count * WIDTH + VALUE] = this.values.length
    return this.values
  }

  close(): void {
    this.#rows[this.#count * WIDTH + VALUE_END] = this.values.length
    this.#count++
  }

  /** Writes all fields as members of an object. */
  write(text: DocumentText, nested: boolean): void {
    const namesEnd = this.names.length
    for (let i = 0; i < this.#count; i++) this.#order[i] = i
    this.#sort()
    if (this.#separate()) this.#sort()
    if (nested) this.#writeNested(text)
    else this.#writeFlat(text)
    // What has been changed may belong to other documents as well.
    while (this.#changed.length > 0) {
      const before = this.#changed.pop()!
      this.#rows[this.#changed.pop()!] = before
    }
    this.names.cut(namesEnd)
  }

  /** By name, stable: there are few. */
  #sort(): void {
    const order = this.#order
    for (let i = 1; i < this.#count; i++) {
      const row = order[i]!
      let at = i
      while (at > 0 && this.#compare(order[at - 1]!, row) > 0) {
        order[at] = order[at - 1]!
        at--
      }
      order[at] = row
    }
  }

  #compare(a: number, b: number): number {
    const rows = this.#rows
    const bytes = this.names.bytes
    const aEnd = rows[a * WIDTH + NAME_END]!
    const bEnd = rows[b * WIDTH + NAME_END]!
    let p = rows[a * WIDTH + NAME]!
    let q = rows[b * WIDTH + NAME]!
    while (p < aEnd && q < bEnd) {
      const difference = bytes[p++]! - bytes[q++]!
      if (difference !== 0) return difference
    }
    return aEnd - p - (bEnd - q)
  }

  /** Sees to it that no value is an object as well; true where names changed. */
  #separate(): boolean {
    const order = this.#order
    let renamed = false
    for (let i = 0; i < this.#count; i++) {
      const row = order[i]!
      // Names that continue it come behind those that are the same, and perhaps behind others such as `a-b` after `a`.
      for (let next = i + 1; next < this.#count && this.#startsWith(row, order[next]!); next++) {
        if (!this.#continues(row, order[next]!)) continue
        if (!this.#isFixed(row)) {
          this.#addSuffix(row)
          renamed = true
          break
        }
        const other = order[next]! * WIDTH
        this.#change(other + VALUE_END, this.#rows[other + VALUE]!)
      }
    }
    return renamed
  }

  #startsWith(shorter: number, longer: number): boolean {
    const rows = this.#rows
    const bytes = this.names.bytes
    const start = rows[shorter * WIDTH + NAME]!
    const length = rows[shorter * WIDTH + NAME_END]! - start
    const other = rows[longer * WIDTH + NAME]!
    if (rows[longer * WIDTH + NAME_END]! - other < length) return false
    for (let i = 0; i < length; i++) if (bytes[start + i] !== bytes[other + i]) return false
    return true
  }

  /** Of one that starts with the name of row `shorter`: whether a dot follows. */
  #continues(shorter: number, longer: number): boolean {
    const rows = this.#rows
    const end = rows[longer * WIDTH + NAME]! + rows[shorter * WIDTH + NAME_END]! - rows[shorter * WIDTH + NAME]!
    return end < rows[longer * WIDTH + NAME_END]! && this.names.bytes[end] === DOT
  }

  #isFixed(row: number): boolean {
    if (this.fixed.size === 0) return false
    const rows = this.#rows
    return this.fixed.has(utf8(this.names.bytes, rows[row * WIDTH + NAME]!, rows[row * WIDTH + NAME_END]!))
  }

  #addSuffix(row: number): void {
    const [start, end] = [this.#rows[row * WIDTH + NAME]!, this.#rows[row * WIDTH + NAME_END]!]
    this.#change(row * WIDTH + NAME, this.names.length)
    this.names.raw(this.names.bytes, start, end)
    this.names.raw(VALUE_SUFFIX)
    this.#change(row * WIDTH + NAME_END, this.names.length)
  }

  #change(at: number, value: number): void {
    this.#changed.push(at, this.#rows[at]!)
    this.#rows[at] = value
  }

  /** Whether the `i`th has a value, and no later one of the same name follows. */
  #isWritten(i: number): boolean {
    const row = this.#order[i]! * WIDTH
    if (this.#rows[row + VALUE_END] === this.#rows[row + VALUE]) return false
    return i + 1 >= this.#count || this.#compare(this.#order[i]!, this.#order[i + 1]!) !== 0
  }

  #writeFlat(text: DocumentText): void {
    const rows = this.#rows
    let comma = false
    for (let i = 0; i < this.#count; i++) {
      if (!this.#isWritten(i)) continue
      const row = this.#order[i]! * WIDTH
      if (comma) text.put(CHAR.COMMA)
      comma = true
      text.quoted(this.names.bytes, rows[row + NAME]!, rows[row + NAME_END]!)
      text.put(CHAR.COLON)
      text.raw(this.values.bytes, rows[row + VALUE]!, rows[row + VALUE_END]!)
    }
  }

  #writeNested(text: DocumentText): void {
    const rows = this.#rows
    const names = this.names.bytes
    // Open objects are those of the last name's part before its last dot.
    let openStart = 0
    let openEnd = 0
    let depth = 0
    let comma = false
    for (let i = 0; i < this.#count; i++) {
      if (!this.#isWritten(i)) continue
      const row = this.#order[i]! * WIDTH
      const start = rows[row + NAME]!
      const end = rows[row + NAME_END]!
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
      text.raw(this.values.bytes, rows[row + VALUE]!, rows[row + VALUE_END]!)
      openStart = start
      openEnd = at
    }
    for (; depth > 0; depth--) text.put(CHAR.CLOSE_BRACE)
  }
}
