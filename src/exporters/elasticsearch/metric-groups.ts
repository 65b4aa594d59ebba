// Points that share everything but the metric become one document (reference 4.7): the same time and start, unit, index and
// attributes, below one scope. Each metric once: a second point of the same name begins a document of its own.
//
// Points and groups are rows of flat arrays; the points of a group are a chain. Groups are found by a hash and compared.

import type { AttributeMap } from '../../otlp/attribute.ts'
import { readOnlyMap } from './attributes-json.ts'
import type { Target } from './routing.ts'

/** Where the walk stands, when a point is added. */
export interface PointPlace {
  readonly bytes: Uint8Array
  readonly metricStart: number
  readonly metricEnd: number
  readonly nameStart: number
  readonly nameEnd: number
  readonly unitStart: number
  readonly unitEnd: number
  readonly pointStart: number
  readonly pointEnd: number
  readonly attributesField: number
  readonly timeLow: number
  readonly timeHigh: number
  readonly startLow: number
  readonly startHigh: number
}

export interface Group {
  /** Its first point speaks for all of them. */
  readonly first: PointPlace
  readonly target: Target
  readonly hash: number
  readonly points: PointPlace[]
}

export class MetricGroups {
  readonly #byHash = new Map<number, Group[]>()
  readonly #mine = readOnlyMap()
  readonly #theirs = readOnlyMap()
  /** In the order of their first points. */
  readonly groups: Group[] = []

  clear(): void {
    this.#byHash.clear()
    this.groups.length = 0
  }

  /** `attributes` are those of the point. */
  add(place: PointPlace, attributes: AttributeMap, target: Target): void {
    const hash = hashOf(place, attributes)
    let found = this.#byHash.get(hash)
    if (found === undefined) this.#byHash.set(hash, (found = []))
    for (const group of found) {
      if (group.target !== target || !this.#isAlike(group.first, place) || hasMetric(group, place)) continue
      group.points.push(place)
      return
    }
    const group = { first: place, target, hash, points: [place] }
    found.push(group)
    this.groups.push(group)
  }

  #isAlike(a: PointPlace, b: PointPlace): boolean {
    return (
      a.timeLow === b.timeLow &&
      a.timeHigh === b.timeHigh &&
      a.startLow === b.startLow &&
      a.startHigh === b.startHigh &&
      sameBytes(a.bytes, a.unitStart, a.unitEnd, b.bytes, b.unitStart, b.unitEnd) &&
      this.#sameAttributes(a, b)
    )
  }

  #sameAttributes(a: PointPlace, b: PointPlace): boolean {
    const mine = this.#mine
    const theirs = this.#theirs
    mine.open(a.bytes, a.attributesField)
    mine.piece(a.pointStart, a.pointEnd)
    theirs.open(b.bytes, b.attributesField)
    theirs.piece(b.pointStart, b.pointEnd)
    if (mine.count !== theirs.count) return false
    for (let i = 0; i < mine.count; i++) {
      let j = 0
      // Mostly they come in the same order.
      if (sameEntry(mine, i, theirs, i)) continue
      while (j < theirs.count && !sameEntry(mine, i, theirs, j)) j++
      if (j === theirs.count) return false
    }
    return true
  }
}

const hasMetric = ({ points }: Group, place: PointPlace): boolean =>
  points.some(({ bytes, nameStart, nameEnd }) =>
    sameBytes(bytes, nameStart, nameEnd, place.bytes, place.nameStart, place.nameEnd),
  )

const sameEntry = (a: AttributeMap, i: number, b: AttributeMap, j: number): boolean =>
  sameBytes(a.source(i), a.keyStart(i), a.keyEnd(i), b.source(j), b.keyStart(j), b.keyEnd(j)) &&
  sameBytes(a.source(i), a.valueStart(i), a.valueEnd(i), b.source(j), b.valueStart(j), b.valueEnd(j))

function sameBytes(a: Uint8Array, aStart: number, aEnd: number, b: Uint8Array, bStart: number, bEnd: number): boolean {
  const length = aEnd - aStart
  if (length !== bEnd - bStart) return false
  for (let i = 0; i < length; i++) if (a[aStart + i] !== b[bStart + i]) return false
  return true
}

/** Does not depend on the order of attributes. */
function hashOf(place: PointPlace, attributes: AttributeMap): number {
  let hash = place.timeLow ^ Math.imul(place.timeHigh, 31) ^ Math.imul(place.startLow, 17)
  for (let i = 0; i < attributes.count; i++) {
    const bytes = attributes.source(i)
    let entry = 0x811c9dc5
    for (let p = attributes.keyStart(i); p < attributes.keyEnd(i); p++) entry = Math.imul(entry ^ bytes[p]!, 0x01000193)
    for (let p = attributes.valueStart(i); p < attributes.valueEnd(i); p++)
      entry = Math.imul(entry ^ bytes[p]!, 0x01000193)
    hash = (hash + entry) | 0
  }
  return hash
}
