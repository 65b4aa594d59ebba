// Attributes as fields of a line: the `attributes` field of spans and logs, one JSON object of what is no tag; and those of
// a scope one by one.
//
// Of resource, scope and record the later one counts where several have a key. What resource and scope bring is written
// once for all of their records.

import { ByteTable } from '../../collections/byte-table.ts'
import { PlainJson } from '../../otlp/json/plain-json.ts'
import { VALUE, type ValueView } from '../../otlp/value.ts'
import type { Walk } from '../../otlp/walk.ts'
import { type Words, wordsOf } from '../../wire/copy.ts'
import { LineWriter } from './lines.ts'

type Attributes = Walk['attributes']

const COMMA = 44
const COLON = 58
const OPEN = 123
const CLOSE = 125
const NO_BYTES: Uint8Array = new Uint8Array(0)

/** Attributes that are tags, in the order in which they are written. */
export class Dimension {
  readonly key: Uint8Array
  /** What resource and scope say. */
  around: Uint8Array = NO_BYTES
  own: Uint8Array = NO_BYTES
  from = 0
  to = 0
  isOwn = false

  constructor(key: string) {
    this.key = Buffer.from(key)
  }
}

interface Entry {
  readonly key: Uint8Array
  json: Uint8Array
}

export class AttributeJson {
  readonly #dimensions = new ByteTable<Dimension>()
  readonly #json = new PlainJson()
  #around = new ByteTable<Entry>()
  /** The entries of resource and scope side by side. */
  #joined: Uint8Array = NO_BYTES
  #resource: Entry[] = []

  constructor(dimensions: readonly Dimension[]) {
    for (const dimension of dimensions) this.#dimensions.add(dimension)
  }

  enterResource(walk: Walk): void {
    for (const dimension of this.#dimensions) dimension.around = NO_BYTES
    this.#resource = this.#entries(walk.resourceAttributes)
    this.#join([])
  }

  enterScope(walk: Walk): void {
    this.#join(this.#entries(walk.scopeAttributes))
  }

  /** Reads the record's attributes: dimensions have their values, and `bytes[0, length)` of what it returns is the object. */
  ofRecord(attributes: Attributes): PlainJson | undefined {
    for (const dimension of this.#dimensions) dimension.isOwn = false
    const json = this.#json.clear()
    json.sign(OPEN)
    if (!this.#overrides(attributes)) json.raw(this.#joined)
    else {
      for (const { key, json: entry } of this.#around) {
        if (attributes.find(key) >= 0) continue
        if (json.length > 1) json.sign(COMMA)
        json.raw(entry)
      }
    }
    for (let i = 0; i < attributes.count; i++) {
      const source = attributes.source(i)
      const [from, to] = [attributes.keyStart(i), attributes.keyEnd(i)]
      const dimension = this.#dimensions.find(source, from, to)
      if (dimension !== undefined) readDimension(dimension, attributes.value(i))
      else if (to > from) {
        if (json.length > 1) json.sign(COMMA)
        json.quoted(source, from, to).sign(COLON).value(attributes.value(i))
      }
    }
    json.sign(CLOSE)
    return json.length > 2 ? json : undefined
  }

  #overrides(attributes: Attributes): boolean {
    if (this.#around.size === 0) return false
    for (let i = 0; i < attributes.count; i++)
      if (this.#around.find(attributes.source(i), attributes.keyStart(i), attributes.keyEnd(i)) !== undefined)
        return true
    return false
  }

  #entries(attributes: Attributes): Entry[] {
    const entries: Entry[] = []
    for (let i = 0; i < attributes.count; i++) {
      const key = attributes.source(i).slice(attributes.keyStart(i), attributes.keyEnd(i))
      if (key.length === 0) continue
      const dimension = this.#dimensions.find(key)
      if (dimension !== undefined) dimension.around = Buffer.from(attributes.value(i).toText())
      else {
        const json = this.#json.clear().quoted(key).sign(COLON).value(attributes.value(i))
        entries.push({ key, json: json.bytes.slice(0, json.length) })
      }
    }
    return entries
  }

  #join(scope: readonly Entry[]): void {
    const around = new ByteTable<Entry>()
    for (const { key, json } of [...this.#resource, ...scope]) {
      const before = around.find(key)
      if (before === undefined) around.add({ key, json })
      else before.json = json
    }
    const all = this.#json.clear()
    for (const { json } of around) {
      if (all.length > 0) all.sign(COMMA)
      all.raw(json)
    }
    this.#around = around
    this.#joined = all.bytes.slice(0, all.length)
  }
}

function readDimension(dimension: Dimension, value: ValueView): void {
  dimension.isOwn = true
  if (value.type === VALUE.STRING) {
    dimension.own = value.bytes
    dimension.from = value.start
    dimension.to = value.end
    return
  }
  dimension.own = Buffer.from(value.toText())
  dimension.from = 0
  dimension.to = dimension.own.length
}

/** The attributes of a scope, its name and its version as fields with commas in front. */
export class AttributeFields {
  words: Words = wordsOf(NO_BYTES)

  ofScope(walk: Walk): void {
    const line = new LineWriter()
    const { scope, scopeAttributes: attributes } = walk
    for (let i = 0; i < attributes.count; i++) {
      const before = line.length
      const value = attributes.value(i)
      line.byte(COMMA)
      const written = line.key(attributes.source(i), attributes.keyStart(i), attributes.keyEnd(i))
      line.byte(61)
      if (!written || !writeValue(line, value)) line.length = before
    }
    for (const [key, text] of [
      ['telemetry.sdk.name', scope.toName()],
      ['telemetry.sdk.version', scope.toVersion()],
    ] as const) {
      if (text === '') continue
      line.ascii(`,${key}=`)
      line.quoted(Buffer.from(text))
    }
    this.words = line.toWords()
  }
}

function writeValue(line: LineWriter, value: ValueView): boolean {
  switch (value.type) {
    case VALUE.EMPTY:
      return false
    case VALUE.BOOL:
      line.ascii(value.bool() ? 'true' : 'false')
      return true
    case VALUE.INT:
      line.integer(value.intHigh(), value.intLow())
      return true
    case VALUE.DOUBLE:
      if (!Number.isFinite(value.number())) return false
      line.float(value.number())
      return true
    default:
      line.quoted(Buffer.from(value.toText()))
      return true
  }
}
