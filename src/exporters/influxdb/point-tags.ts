// Tags of data points, sorted and escaped: `,key=value,key=value`.

import type { Walk } from '../../otlp/walk.ts'
import type { LineWriter } from './lines.ts'

export interface TagSources {
  readonly resource: boolean
  /** Attributes of the scope, and its name and version as `otel.library.name` and `otel.library.version`. */
  readonly scope: boolean
  /** Where a key stands in both: whether the point's value counts, or that of resource and scope. */
  readonly pointWins: boolean
}

const NOTHING: TagSources = { resource: false, scope: false, pointWins: true }
const NO_TAGS: ReadonlyMap<string, string> = new Map()

const LE = Buffer.from('le')
const QUANTILE = Buffer.from('quantile')

export class PointTags {
  readonly #sources: TagSources
  /** Those of resource and scope, once a point of the scope has asked for them. */
  #around: ReadonlyMap<string, string> | undefined
  /** Where in what was written a tag of that key belongs. */
  leAt = 0
  quantileAt = 0

  /** Without `sources`, of the point's own attributes alone. */
  constructor(sources = NOTHING) {
    this.#sources = sources
  }

  /** Call it for each scope, before its points. */
  enterScope(): void {
    this.#around = undefined
  }

  /** Those of the current point. */
  write(walk: Walk, writer: LineWriter): void {
    this.#around ??= this.#ofScope(walk)
    const own = new Map<string, string>()
    addAttributes(own, walk.attributes)
    const all = this.#sources.pointWins ? new Map([...this.#around, ...own]) : new Map([...own, ...this.#around])
    const sorted = [...all].map(([name, value]) => [Buffer.from(name), Buffer.from(value)] as const)
    sorted.sort(([a], [b]) => Buffer.compare(a, b))
    this.leAt = -1
    this.quantileAt = -1
    for (const [name, value] of sorted) {
      const before = writer.length
      if (this.leAt < 0 && Buffer.compare(name, LE) > 0) this.leAt = before
      if (this.quantileAt < 0 && Buffer.compare(name, QUANTILE) > 0) this.quantileAt = before
      writer.byte(44)
      const written = writer.key(name)
      writer.byte(61)
      if (!written || !writer.key(value)) writer.length = before
    }
    if (this.leAt < 0) this.leAt = writer.length
    if (this.quantileAt < 0) this.quantileAt = writer.length
  }

  #ofScope(walk: Walk): ReadonlyMap<string, string> {
    if (!this.#sources.resource) return NO_TAGS
    const tags = new Map<string, string>()
    addAttributes(tags, walk.resourceAttributes)
    if (this.#sources.scope) {
      addAttributes(tags, walk.scopeAttributes)
      tags.set('otel.library.name', walk.scope.toName())
      tags.set('otel.library.version', walk.scope.toVersion())
    }
    return tags
  }
}

function addAttributes(into: Map<string, string>, attributes: Walk['attributes']): void {
  for (let i = 0; i < attributes.count; i++) into.set(attributes.keyText(i), attributes.value(i).toText())
}
