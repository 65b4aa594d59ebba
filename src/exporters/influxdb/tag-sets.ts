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

/** `,key=value,key=value`; and where in it a further tag would stand. */
export interface TagSet extends ByteKeyed {
  readonly bytes: Uint8Array
  /** Where `le` and `quantile` belong. */
  readonly leAt: number
  readonly quantileAt: number
}

interface Context extends ByteKeyed {
  readonly number: number
  readonly tags: ReadonlyMap<string, string>
}

export interface TagSources {
  readonly resource: boolean
  /** Attributes of the scope, and its name and version as `otel.library.name` and `otel.library.version`. */
  readonly scope: boolean
  /** Where a key stands in both: whether the point's value counts, or that of resource and scope. */
  readonly pointWins: boolean
}

const NOTHING: TagSources = { resource: false, scope: false, pointWins: true }

export class TagSets {
  readonly #sources: TagSources
  readonly #key = new Writer()
  readonly #cursor = new Cursor()
  #contexts = new ByteTable<Context>()
  #sets = new ByteTable<TagSet>()
  #contextNumber = 0
  #context: Context | undefined

  /** Without `sources`, of the point's own attributes alone. */
  constructor(sources = NOTHING) {
    this.#sources = sources
  }

  /** Call it for each scope, before its points. */
  enterScope(walk: Walk): void {
    const key = this.#key.clear()
    if (this.#sources.resource) addPieces(key, walk.resource)
    key.varint(key.length)
    if (this.#sources.scope) addPieces(key, walk.scope)
    const known = this.#contexts.find(key.bytes, 0, key.length)
    if (known !== undefined) {
      this.#context = known
      return
    }
    if (this.#contexts.size >= MAX_CONTEXTS) this.#empty()
    const context = { key: key.toBytes(), number: ++this.#contextNumber, tags: this.#contextTags(walk) }
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

  #contextTags(walk: Walk): Map<string, string> {
    const tags = new Map<string, string>()
    if (this.#sources.resource) addAttributes(tags, walk.resourceAttributes)
    if (this.#sources.scope) {
      addAttributes(tags, walk.scopeAttributes)
      tags.set('otel.library.name', walk.scope.toName())
      tags.set('otel.library.version', walk.scope.toVersion())
    }
    return tags
  }

  #make(key: Uint8Array, walk: Walk): TagSet {
    const own = new Map<string, string>()
    addAttributes(own, walk.attributes)
    const around = this.#context?.tags ?? new Map<string, string>()
    const all = this.#sources.pointWins ? new Map([...around, ...own]) : new Map([...own, ...around])
    const sorted = [...all].map(([name, value]) => [Buffer.from(name), Buffer.from(value)] as const)
    sorted.sort(([a], [b]) => Buffer.compare(a, b))
    const line = new LineWriter()
    let leAt = -1
    let quantileAt = -1
    for (const [name, value] of sorted) {
      if (leAt < 0 && Buffer.compare(name, LE) > 0) leAt = line.length
      if (quantileAt < 0 && Buffer.compare(name, QUANTILE) > 0) quantileAt = line.length
      const before = line.length
      line.byte(44)
      const written = line.key(name)
      line.byte(61)
      if (!written || !line.key(value)) line.length = before
    }
    const bytes = line.bytes.slice(0, line.length)
    return { key, bytes, leAt: leAt < 0 ? bytes.length : leAt, quantileAt: quantileAt < 0 ? bytes.length : quantileAt }
  }
}

const LE = Buffer.from('le')
const QUANTILE = Buffer.from('quantile')

function addPieces(key: Writer, { bytes, pieces }: MergedView): void {
  for (let i = 0; i < pieces.length; i += 3) key.copy(bytes, pieces[i]!, pieces[i + 1]!)
}

function addAttributes(into: Map<string, string>, attributes: Walk['attributes']): void {
  for (let i = 0; i < attributes.count; i++) into.set(attributes.keyText(i), attributes.value(i).toText())
}
