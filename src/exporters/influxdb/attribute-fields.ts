// The `attributes` field of spans and logs: one JSON object of what is no tag.
//
// Of resource, scope and record the later one counts where several have a key. What resource and scope bring is written
// once for all of their records.

import { ByteTable } from '../../collections/byte-table.ts'
import { PlainJson } from '../../otlp/json/plain-json.ts'
import { VALUE, type ValueView } from '../../otlp/value.ts'
import type { Walk } from '../../otlp/walk.ts'

type Attributes = Walk['attributes']

const COMMA = 44
const COLON = 58
const OPEN = 123
const CLOSE = 125
const NO_BYTES: Uint8Array = new Uint8Array(0)

/** Attributes that are tags, in the order in which they are written. */
export class Dimension {
  readonly key: Uint8Array
  /** What resource and scope say; undefined: nothing. */
  around: Uint8Array | undefined
  ofResource: Uint8Array | undefined
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
  readonly #keepsRepeated: boolean
  readonly #json = new PlainJson()
  #around = new ByteTable<Entry>()
  /** The entries of resource and scope side by side. */
  #joined: Uint8Array = NO_BYTES
  #resource: Entry[] = []

  /** `keepsRepeated`: a dimension that replaces one of further out is in the object as well. */
  constructor(dimensions: readonly Dimension[], keepsRepeated: boolean) {
    this.#keepsRepeated = keepsRepeated
    for (const dimension of dimensions) this.#dimensions.add(dimension)
  }

  enterResource(walk: Walk): void {
    for (const dimension of this.#dimensions) dimension.around = undefined
    this.#resource = this.#entries(walk.resourceAttributes)
    for (const dimension of this.#dimensions) dimension.ofResource = dimension.around
    this.#join([])
  }

  enterScope(walk: Walk): void {
    for (const dimension of this.#dimensions) dimension.around = dimension.ofResource
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
      if (this.#isShown(dimension) && to > from) {
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

  #isShown(dimension: Dimension | undefined): boolean {
    return dimension === undefined || (this.#keepsRepeated && dimension.around !== undefined)
  }

  #entries(attributes: Attributes): Entry[] {
    const entries: Entry[] = []
    for (let i = 0; i < attributes.count; i++) {
      const key = attributes.source(i).slice(attributes.keyStart(i), attributes.keyEnd(i))
      if (key.length === 0) continue
      const dimension = this.#dimensions.find(key)
      const isShown = this.#isShown(dimension)
      if (dimension !== undefined) dimension.around = Buffer.from(attributes.value(i).toText())
      if (isShown) {
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
