// Tags of data points, sorted and escaped: `,key=value,key=value`.

import type { Walk } from '../../otlp/walk.ts'
import type { LineWriter } from './lines.ts'

const LE = Buffer.from('le')
const QUANTILE = Buffer.from('quantile')

/** Of one tag among others: from == to where it is not there. */
export interface Place {
  from: number
  to: number
}

export class PointTags {
  readonly #withScope: boolean
  /** Those of resource and scope, once a point of the scope has asked for them. */
  #around: ReadonlyMap<string, string> | undefined
  /** Where in what was written the tag of that key stands, or would stand. */
  readonly le: Place = { from: 0, to: 0 }
  readonly quantile: Place = { from: 0, to: 0 }

  /**
   * `withScope`: those of resource and scope as well. Of a key that several have the innermost counts; the scope's name and
   * version are `otel.library.name` and `otel.library.version`.
   */
  constructor(withScope: boolean) {
    this.#withScope = withScope
  }

  /** Call it for each scope, before its points. */
  enterScope(): void {
    this.#around = undefined
  }

  /** Those of the current point. */
  write(walk: Walk, writer: LineWriter): void {
    if (this.#withScope) this.#around ??= scopeTags(walk)
    const tags = new Map(this.#around)
    addAttributes(tags, walk.attributes)
    moveTo(this.le, writer.length)
    moveTo(this.quantile, writer.length)
    for (const [name, value] of sortedTags(tags)) {
      const from = writer.length
      writeTag(writer, name, value)
      extend(this.le, Buffer.compare(name, LE), from, writer.length)
      extend(this.quantile, Buffer.compare(name, QUANTILE), from, writer.length)
    }
  }
}

function moveTo(place: Place, at: number): void {
  place.from = at
  place.to = at
}

/** A tag that stands in `[from, to)` comes before the one of `place`, is it, or comes behind it. */
function extend(place: Place, order: number, from: number, to: number): void {
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

function scopeTags(walk: Walk): Map<string, string> {
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
