// Attributes that say where a document goes and how it is written, instead of standing in it.
// contrib, exporter/elasticsearchexporter/internal/elasticsearch/attribute.go; reference 4.7.

import type { AttributeMap } from '../../otlp/attribute.ts'
import { encodeText } from '../../otlp/encode.ts'
import { equalBytes } from '../../wire/varint.ts'

const NAMES = {
  TYPE: 'data_stream.type',
  DATASET: 'data_stream.dataset',
  NAMESPACE: 'data_stream.namespace',
  HINTS: 'elasticsearch.mapping.hints',
  MODE: 'elastic.mapping.mode',
  ID: 'elasticsearch.document_id',
  PIPELINE: 'elasticsearch.document_pipeline',
  INDEX: 'elasticsearch.index',
  PREFIX: 'elasticsearch.index.prefix',
  SUFFIX: 'elasticsearch.index.suffix',
  EVENT_NAME: 'event.name',
} as const
export type SpecialName = keyof typeof NAMES

const KEYS = Object.values(NAMES).map(encodeText)
const ORDER = Object.keys(NAMES) as SpecialName[]
/** From here on they stand in the document as well. */
const FIRST_SHOWN = ORDER.indexOf('PREFIX')
// Of their first bytes and their lengths: most keys are neither.
const D = 0x64
const E = 0x65
const SHORTEST = Math.min(...KEYS.map((key) => key.length))

/** Whether `bytes[keyStart, keyEnd)` is the key of one. */
export const isSpecialKey = (bytes: Uint8Array, keyStart: number, keyEnd: number): boolean =>
  KEYS.some((key) => equalBytes(bytes, keyStart, keyEnd, key))

export class SpecialAttributes {
  /** By special: the entry of the map, or -1. */
  readonly #entries = new Int32Array(KEYS.length).fill(-1)
  #map: AttributeMap | undefined
  /** Whether there is any. */
  any = false

  /** There are none. */
  clear(): this {
    if (this.any) this.#entries.fill(-1)
    this.any = false
    return this
  }

  /** Looks once at each attribute of the map; what is found stands for as long as the map does. */
  read(map: AttributeMap): this {
    this.#map = map
    this.clear()
    for (let i = 0; i < map.count; i++) {
      const length = map.keyEnd(i) - map.keyStart(i)
      if (length < SHORTEST) continue
      const first = map.source(i)[map.keyStart(i)]!
      if (first !== D && first !== E) continue
      for (let special = 0; special < KEYS.length; special++) {
        if (KEYS[special]!.length !== length || !map.keyEquals(i, KEYS[special]!)) continue
        if (this.#entries[special]! < 0) this.#entries[special] = i
        this.any = true
      }
    }
    return this
  }

  /** Its text, as the Collector's Value.AsString; undefined where it is absent. Allocates. */
  find(name: SpecialName): string | undefined {
    const entry = this.entry(name)
    return entry < 0 ? undefined : this.#map!.value(entry).toText()
  }

  /** The number of its entry, -1 where it is absent. */
  entry(name: SpecialName): number {
    return this.any ? this.#entries[ORDER.indexOf(name)]! : -1
  }

  /** A list of texts; empty where it is absent. */
  has(name: SpecialName, word: string): boolean {
    if (!this.any) return false
    const text = this.find(name)
    return text?.startsWith('[') === true && (JSON.parse(text) as unknown[]).includes(word)
  }

  /** Whether entry `i` is left out of documents. */
  isHidden(i: number): boolean {
    if (!this.any) return false
    for (let special = 0; special < FIRST_SHOWN; special++) {
      if (KEYS[special]!.length !== this.#map!.keyEnd(i) - this.#map!.keyStart(i)) continue
      if (this.#map!.keyEquals(i, KEYS[special]!)) return true
    }
    return false
  }
}
