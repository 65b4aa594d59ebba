// The tags of spans and logs: attributes that are dimensions, and ids, in the order of their keys.

import { AttributeJson, Dimension } from './attribute-fields.ts'
import type { LineWriter } from './lines.ts'

const COMMA = 44
const EQUALS = 61
const NOTHING = new Uint8Array(0)
const HEX = Buffer.from('0123456789abcdef')

/** An id that is a tag; `at` is where it begins in the record's bytes, 0 where there is none. */
export class IdTag {
  readonly key: Uint8Array
  readonly size: number
  at = 0

  constructor(key: string, size: number) {
    this.key = Buffer.from(key)
    this.size = size
  }
}

export class RecordTags {
  readonly attributes: AttributeJson
  readonly #tags: readonly (Dimension | IdTag)[]
  readonly #byName: ReadonlyMap<string, Dimension>

  constructor(dimensions: readonly string[], ids: readonly IdTag[], keepsRepeated: boolean) {
    const named = dimensions.map((key) => new Dimension(key))
    this.attributes = new AttributeJson(named, keepsRepeated)
    this.#byName = new Map(named.map((dimension, i) => [dimensions[i]!, dimension]))
    this.#tags = [...named, ...ids].sort((a, b) => Buffer.compare(a.key, b.key))
  }

  /** Whether the current record has a dimension of that key. */
  has(key: string): boolean {
    const dimension = this.#byName.get(key)
    return (
      dimension !== undefined && (dimension.isOwn ? dimension.to > dimension.from : (dimension.around?.length ?? 0) > 0)
    )
  }

  /** After attributes.ofRecord(); the ids are those of the record in `bytes`. */
  write(bytes: Uint8Array, writer: LineWriter): void {
    for (const tag of this.#tags) {
      if (tag instanceof IdTag) {
        if (tag.at === 0) continue
        writer.byte(COMMA)
        writer.key(tag.key)
        writer.byte(EQUALS)
        writeHex(writer, bytes, tag.at, tag.size)
        continue
      }
      const before = writer.length
      writer.byte(COMMA)
      writer.key(tag.key)
      writer.byte(EQUALS)
      const written = tag.isOwn ? writer.key(tag.own, tag.from, tag.to) : writer.key(tag.around ?? NOTHING)
      if (!written) writer.length = before
    }
  }
}

export function writeHex(writer: LineWriter, bytes: Uint8Array, at: number, size: number): void {
  writer.reserve(size * 2)
  const into = writer.bytes
  for (let i = at; i < at + size; i++) {
    into[writer.length++] = HEX[bytes[i]! >> 4]!
    into[writer.length++] = HEX[bytes[i]! & 15]!
  }
}
