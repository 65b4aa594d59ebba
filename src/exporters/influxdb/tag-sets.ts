// Tags of data points: sorted, escaped, and kept, so that a series which comes again costs one look into a table.
//
// The tables are emptied when they hold as much as they may: what is still in use comes back with its next point.

import { type ByteKeyed, ByteTable } from '../../collections/byte-table.ts'
import type { MergedView } from '../../otlp/resource.ts'
import type { Walk } from '../../otlp/walk.ts'
import { Cursor } from '../../wire/cursor.ts'
import { Writer } from '../../wire/writer.ts'
import { LineWriter } from './lines.ts'

const MAX_CONTEXTS = 10_000
const MAX_SETS = 100_000

/** `,key=value,key=value`; and where in it a further tag stands, or would stand. */
export interface TagSet extends ByteKeyed {
  readonly bytes: Uint8Array
  readonly le: Place
  readonly quantile: Place
}

/** Of one tag among others: from == to where it is not there. */
export interface Place {
  readonly from: number
  readonly to: number
}

interface Context extends ByteKeyed {
  readonly number: number
  readonly tags: ReadonlyMap<string, string>
}

export class TagSets {
  readonly #key = new Writer()
  readonly #cursor = new Cursor()
  #contexts = new ByteTable<Context>()
  #sets = new ByteTable<TagSet>()
  #contextNumber = 0
  #context: Context | undefined

  /**
   * For tags of resource and scope as well: call it for each scope, before its points. Of a key that several have the
   * innermost counts; the scope's name and version are `otel.library.name` and `otel.library.version`.
   */
  enterScope(walk: Walk): void {
    const key = this.#key.clear()
    addPieces(key, walk.resource)
    key.varint(key.length)
    addPieces(key, walk.scope)
    const known = this.#contexts.find(key.bytes, 0, key.length)
    if (known !== undefined) {
      this.#context = known
      return
    }
    if (this.#contexts.size >= MAX_CONTEXTS) this.#empty()
    const context = { key: key.toBytes(), number: ++this.#contextNumber, tags: contextTags(walk) }
    this.#context = this.#contexts.add(context)
  }

  ofPoint(walk: Walk): TagSet {
    const key = this.#key.clear().varint(this.#context?.number ?? 0)
    const { bytes, attributesField } = walk
    for (const c = this.#cursor.reset(bytes, walk.recordStart, walk.recordEnd); c.find(attributesField); )
      key.copy(bytes, c.at, c.end)
    const known = this.#sets.find(key.bytes, 0, key.length)
    if (known !== undefined) return known
    if (this.#sets.size >= MAX_SETS) this.#sets = new ByteTable()
    return this.#sets.add(this.#make(key.toBytes(), walk))
  }

  #empty(): void {
    this.#contexts = new ByteTable()
    this.#sets = new ByteTable()
  }

  #make(key: Uint8Array, walk: Walk): TagSet {
    const tags = new Map(this.#context?.tags)
    addAttributes(tags, walk.attributes)
    const line = new LineWriter()
    const le = { from: 0, to: 0 }
    const quantile = { from: 0, to: 0 }
    for (const [name, value] of sortedTags(tags)) {
      const from = line.length
      writeTag(line, name, value)
      extend(le, Buffer.compare(name, LE), from, line.length)
      extend(quantile, Buffer.compare(name, QUANTILE), from, line.length)
    }
    return { key, bytes: line.bytes.slice(0, line.length), le, quantile }
  }
}

const LE = Buffer.from('le')
const QUANTILE = Buffer.from('quantile')

/** A tag that stands in `[from, to)` comes before the one of `place`, is it, or comes behind it. */
function extend(place: { from: number; to: number }, order: number, from: number, to: number): void {
  if (order > 0) return
  place.from = order === 0 ? from : to
  place.to = to
}

export const sortedTags = (tags: ReadonlyMap<string, string>): (readonly [Buffer, Buffer])[] =>
  [...tags]
    .map(([name, value]) => [Buffer.from(name), Buffer.from(value)] as const)
    .sort(([a], [b]) => Buffer.compare(a, b))

/** Nothing where key or value is empty. */
export function writeTag(line: LineWriter, name: Uint8Array, value: Uint8Array): void {
  const before = line.length
  line.byte(44)
  const written = line.key(name)
  line.byte(61)
  if (!written || !line.key(value)) line.length = before
}

function addPieces(key: Writer, { bytes, pieces }: MergedView): void {
  for (let i = 0; i < pieces.length; i += 3) key.copy(bytes, pieces[i]!, pieces[i + 1]!)
}

function contextTags(walk: Walk): Map<string, string> {
  const tags = new Map<string, string>()
  addAttributes(tags, walk.resourceAttributes)
  tags.set('otel.library.name', walk.scope.toName())
  tags.set('otel.library.version', walk.scope.toVersion())
  addAttributes(tags, walk.scopeAttributes)
  return tags
}

export function addAttributes(into: Map<string, string>, attributes: Walk['attributes']): void {
  for (let i = 0; i < attributes.count; i++) into.set(attributes.keyText(i), attributes.value(i).toText())
}
