// Points that share everything but the metric become one document (reference 4.7): the same index, time and attributes, and
// in mode otel start and unit as well. Each metric once: a second point of the same name begins a document of its own.
//
//   group --first--> point --next--> point ...      rows of two flat arrays; groups of the same hash are a chain, compared
//                                                   before they are joined
//
// All of them are of one request, whose bytes must stay until they are written.

import type { AttributeMap } from '../../otlp/attribute.ts'
import { readOnlyMap } from './attributes-json.ts'
import type { Target } from './routing.ts'
import { isRoutingKey } from './special-attributes.ts'

/** What points of one document have in common beside their attributes. */
export const GROUP_BY = {
  /** Time, start and unit. */
  SERIES: 0,
  /** The time; attributes that say what the resource says as well count for nothing. */
  DIMENSIONS: 1,
} as const
export type GroupBy = (typeof GROUP_BY)[keyof typeof GROUP_BY]

/** What is known of a point, by its place in a row. Starts and ends are places in the request's bytes. */
export const POINT = {
  METRIC_START: 0,
  METRIC_END: 1,
  NAME_START: 2,
  NAME_END: 3,
  UNIT_START: 4,
  UNIT_END: 5,
  START: 6,
  END: 7,
  /** The number of the field that holds its attributes. */
  ATTRIBUTES: 8,
  /** Halves of the time and of the start. */
  TIME_LOW: 9,
  TIME_HIGH: 10,
  SINCE_LOW: 11,
  SINCE_HIGH: 12,
} as const
const NEXT = 13
const POINT_WIDTH = 14

const FIRST = 0
const LAST = 1
const TARGET = 2
const NEXT_GROUP = 3
/** Of the first group of a chain: the last one. */
const LAST_OF_CHAIN = 4
const SIZE = 5
const GROUP_WIDTH = 6

/** Points in a document, and documents that a point is tried with: what it costs to find its place has a bound. */
const MAX_POINTS = 256
const MAX_TRIES = 8

const FIRST_ROWS = 256
const KEEP_MAX_ROWS = 1 << 16
const NONE = -1

export class MetricGroups {
  bytes: Uint8Array = new Uint8Array(0)
  #points = new Int32Array(FIRST_ROWS * POINT_WIDTH)
  #pointCount = 0
  #groups = new Int32Array(FIRST_ROWS * GROUP_WIDTH)
  #groupCount = 0
  readonly #targets: Target[] = []
  /** The first group, by hash. */
  readonly #byHash = new Map<number, number>()
  readonly #mine = readOnlyMap()
  readonly #theirs = readOnlyMap()
  readonly #by: GroupBy
  #resource: AttributeMap | undefined

  constructor(by: GroupBy) {
    this.#by = by
  }

  /** `resource`, of all the points to come, for GROUP_BY.DIMENSIONS. */
  begin(bytes: Uint8Array, resource?: AttributeMap): void {
    this.bytes = bytes
    this.#resource = resource
    this.#pointCount = 0
    this.#groupCount = 0
    this.#targets.length = 0
    this.#byHash.clear()
    if (this.#points.length > KEEP_MAX_ROWS * POINT_WIDTH) {
      this.#points = new Int32Array(FIRST_ROWS * POINT_WIDTH)
      this.#groups = new Int32Array(FIRST_ROWS * GROUP_WIDTH)
    }
  }

  /** Groups in the order of their first points. */
  get count(): number {
    return this.#groupCount
  }

  target(group: number): Target {
    return this.#targets[this.#groups[group * GROUP_WIDTH + TARGET]!]!
  }

  /** The point that speaks for all of its group. */
  first(group: number): number {
    return this.#groups[group * GROUP_WIDTH + FIRST]!
  }

  /** The next point of the same group; -1 behind the last. */
  next(point: number): number {
    return this.#points[point * POINT_WIDTH + NEXT]!
  }

  get(point: number, what: number): number {
    return this.#points[point * POINT_WIDTH + what]!
  }

  /** Half of a time. */
  half(point: number, what: number): number {
    return this.#points[point * POINT_WIDTH + what]! >>> 0
  }

  /** A row for a point, to be filled with set() and then joined. */
  add(): number {
    if ((this.#pointCount + 1) * POINT_WIDTH > this.#points.length) this.#points = doubled(this.#points)
    return this.#pointCount++
  }

  set(point: number, what: number, value: number): void {
    this.#points[point * POINT_WIDTH + what] = value
  }

  /** `attributes` are those of the point. */
  join(point: number, attributes: AttributeMap, target: Target): void {
    const points = this.#points
    points[point * POINT_WIDTH + NEXT] = NONE
    const hash = this.#hash(point, attributes)
    const head = this.#byHash.get(hash) ?? NONE
    let tries = 0
    for (let group = head; group !== NONE && tries < MAX_TRIES; group = this.#group(group, NEXT_GROUP), tries++) {
      if (this.#group(group, SIZE) >= MAX_POINTS || this.target(group) !== target) continue
      const first = this.first(group)
      if (!this.#isAlike(first, point) || this.#hasMetric(first, point)) continue
      points[this.#group(group, LAST) * POINT_WIDTH + NEXT] = point
      this.#groups[group * GROUP_WIDTH + LAST] = point
      this.#groups[group * GROUP_WIDTH + SIZE]!++
      return
    }
    this.#begin(point, target, hash, head)
  }

  #group(group: number, what: number): number {
    return this.#groups[group * GROUP_WIDTH + what]!
  }

  #begin(point: number, target: Target, hash: number, head: number): void {
    if ((this.#groupCount + 1) * GROUP_WIDTH > this.#groups.length) this.#groups = doubled(this.#groups)
    const groups = this.#groups
    const group = this.#groupCount++
    const row = group * GROUP_WIDTH
    groups[row + FIRST] = point
    groups[row + LAST] = point
    groups[row + TARGET] = this.#targetNumber(target)
    groups[row + NEXT_GROUP] = NONE
    groups[row + LAST_OF_CHAIN] = group
    groups[row + SIZE] = 1
    if (head === NONE) this.#byHash.set(hash, group)
    else {
      groups[this.#group(head, LAST_OF_CHAIN) * GROUP_WIDTH + NEXT_GROUP] = group
      groups[head * GROUP_WIDTH + LAST_OF_CHAIN] = group
    }
  }

  /** Mostly there is one. */
  #targetNumber(target: Target): number {
    const known = this.#targets.lastIndexOf(target)
    return known >= 0 ? known : this.#targets.push(target) - 1
  }

  #isAlike(a: number, b: number): boolean {
    const last = this.#by === GROUP_BY.SERIES ? POINT.SINCE_HIGH : POINT.TIME_HIGH
    for (let what: number = POINT.TIME_LOW; what <= last; what++)
      if (this.get(a, what) !== this.get(b, what)) return false
    if (this.#by === GROUP_BY.SERIES && !this.#sameRange(a, b, POINT.UNIT_START, POINT.UNIT_END)) return false
    return this.#sameAttributes(a, b)
  }

  #hasMetric(first: number, point: number): boolean {
    for (let other = first; other !== NONE; other = this.next(other))
      if (this.#sameRange(other, point, POINT.NAME_START, POINT.NAME_END)) return true
    return false
  }

  #sameRange(a: number, b: number, start: number, end: number): boolean {
    const { bytes } = this
    return sameBytes(bytes, this.get(a, start), this.get(a, end), bytes, this.get(b, start), this.get(b, end))
  }

  #sameAttributes(a: number, b: number): boolean {
    const mine = this.open(a, this.#mine)
    const theirs = this.open(b, this.#theirs)
    let more = 0
    for (let j = 0; j < theirs.count; j++) if (this.#isDimension(theirs, j)) more++
    for (let i = 0; i < mine.count; i++) {
      if (!this.#isDimension(mine, i)) continue
      more--
      // Mostly they come in the same order.
      if (i < theirs.count && this.#sameEntry(mine, i, theirs, i)) continue
      let j = 0
      while (j < theirs.count && !this.#sameEntry(mine, i, theirs, j)) j++
      if (j === theirs.count) return false
    }
    return more === 0
  }

  /** Not one that only says how to write the point, and not what its resource says as well. */
  #isDimension(map: AttributeMap, i: number): boolean {
    if (isRoutingKey(map.source(i), map.keyStart(i), map.keyEnd(i))) return false
    const resource = this.#resource
    if (resource === undefined) return true
    for (let r = 0; r < resource.count; r++) if (this.#sameEntry(map, i, resource, r)) return false
    return true
  }

  #sameEntry(a: AttributeMap, i: number, b: AttributeMap, j: number): boolean {
    const mine = a.source(i)
    const theirs = b.source(j)
    return (
      sameBytes(mine, a.keyStart(i), a.keyEnd(i), theirs, b.keyStart(j), b.keyEnd(j)) &&
      sameBytes(mine, a.valueStart(i), a.valueEnd(i), theirs, b.valueStart(j), b.valueEnd(j))
    )
  }

  /** The map, of that point's attributes. */
  open(point: number, map: AttributeMap): AttributeMap {
    map.open(this.bytes, this.get(point, POINT.ATTRIBUTES))
    map.piece(this.get(point, POINT.START), this.get(point, POINT.END))
    return map
  }

  /** Does not depend on the order of attributes. */
  #hash(point: number, attributes: AttributeMap): number {
    let hash = this.get(point, POINT.TIME_LOW) ^ Math.imul(this.get(point, POINT.TIME_HIGH), 31)
    if (this.#by === GROUP_BY.SERIES) hash ^= Math.imul(this.get(point, POINT.SINCE_LOW), 17)
    for (let i = 0; i < attributes.count; i++) {
      if (!this.#isDimension(attributes, i)) continue
      const bytes = attributes.source(i)
      let entry = 0x811c9dc5
      for (let p = attributes.keyStart(i); p < attributes.keyEnd(i); p++)
        entry = Math.imul(entry ^ bytes[p]!, 0x01000193)
      for (let p = attributes.valueStart(i); p < attributes.valueEnd(i); p++)
        entry = Math.imul(entry ^ bytes[p]!, 0x01000193)
      hash = (hash + entry) | 0
    }
    return hash
  }
}

function doubled(rows: Int32Array<ArrayBuffer>): Int32Array<ArrayBuffer> {
  const grown = new Int32Array(rows.length * 2)
  grown.set(rows)
  return grown
}

function sameBytes(
  bytes: Uint8Array,
  start: number,
  end: number,
  others: Uint8Array,
  othersStart: number,
  othersEnd: number,
): boolean {
  const length = end - start
  if (length !== othersEnd - othersStart) return false
  for (let i = 0; i < length; i++) if (bytes[start + i] !== others[othersStart + i]) return false
  return true
}
