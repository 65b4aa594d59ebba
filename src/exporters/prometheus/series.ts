// The series that are shown: a slot for each, whose numbers stand in arrays by slot, and the families that they belong to.
//
// A family is a name of the exposition with its type and HELP, which the first series to bring them decides. A series is a
// family and the text of its labels, so no two lines of a scrape can be the same, whoever sent them. While a scrape is on its way
// nothing is taken out: what has ended is only marked, and goes when the last one is through.

import { HAS_QUOTED_NAME } from '../../prometheus/escape.ts'
import type { PointState } from './states.ts'

export type FamilyType = 'counter' | 'gauge' | 'histogram' | 'summary' | 'untyped'

/** What a series holds: a number, or one of the states. Of a family's series some may be native histograms. */
export const KIND = { NUMBER: 0, HISTOGRAM: 1, EXPONENTIAL: 2, SUMMARY: 3 } as const
export type Kind = (typeof KIND)[keyof typeof KIND]

export interface Family {
  readonly name: string
  readonly type: FamilyType
  readonly help: string
  /** Of its series. */
  readonly slots: number[]
}

const FIRST_SLOTS = 64
/** Of a slot's flags; the kind stands above them. */
const ALIVE = 1
const SPECIAL = 2
const KIND_SHIFT = 2

/** Four for each slot. */
export const TIME = { LOW: 0, HIGH: 1, START_LOW: 2, START_HIGH: 3 } as const

export class SeriesTable {
  /** By slot: the value of numbers. */
  values = new Float64Array(FIRST_SLOTS)
  /** By slot, four each: the halves of time and start time in nanoseconds. */
  times = new Uint32Array(FIRST_SLOTS * 4)
  /** By slot: when the last point came, on the clock of the caller. */
  seen = new Float64Array(FIRST_SLOTS)
  /** By slot: of other kinds. */
  readonly states: (PointState | undefined)[] = []
  /** By slot: encoded exemplars of the last point. */
  readonly exemplars: (readonly Uint8Array[] | undefined)[] = []
  /** By slot: labels as they stand between braces. */
  readonly texts: string[] = []
  /** By slot: the same as protobuf, a letter for each byte, once somebody has asked for it. */
  readonly packedTexts: (string | undefined)[] = []
  #flags = new Uint8Array(FIRST_SLOTS)
  #placeInFamily = new Int32Array(FIRST_SLOTS)
  readonly #family: Family[] = []
  readonly #byText = new Map<Family, Map<string, number>>()
  readonly #free: number[] = []
  #next = 0
  readonly #families = new Map<string, Family>()
  #sorted: readonly Family[] | undefined
  #readers = 0
  readonly #ended: number[] = []
  readonly #maxSeries: number
  readonly #onGone: (slot: number) => void

  /** `onGone` hears of each slot that is free again. */
  constructor(maxSeries: number, onGone: (slot: number) => void) {
    this.#maxSeries = maxSeries
    this.#onGone = onGone
  }

  get size(): number {
    return this.#next - this.#free.length
  }

  /** By name. */
  get families(): readonly Family[] {
    this.#sorted ??= [...this.#families.values()].sort((a, b) => (a.name < b.name ? -1 : 1))
    return this.#sorted
  }

  isAlive(slot: number): boolean {
    return (this.#flags[slot]! & ALIVE) !== 0
  }

  /** Whether its text has names in quotes, or values with something escaped. */
  isSpecial(slot: number): boolean {
    return (this.#flags[slot]! & SPECIAL) !== 0
  }

  kindOf(slot: number): Kind {
    return (this.#flags[slot]! >> KIND_SHIFT) as Kind
  }

  /** The family of that name, made when there is none; undefined when the name has another type. */
  family(name: string, type: FamilyType, help: string): Family | undefined {
    const known = this.#families.get(name)
    if (known !== undefined) return known.type === type ? known : undefined
    if (this.#collides(name, type)) return undefined
    const family: Family = { name, type, help, slots: [] }
    this.#families.set(name, family)
    this.#byText.set(family, new Map())
    this.#sorted = undefined
    return family
  }

  /** A family that has no series after all. */
  dropIfEmpty(family: Family): void {
    if (family.slots.length > 0) return
    this.#families.delete(family.name)
    this.#byText.delete(family)
    this.#sorted = undefined
  }

  /** The slot of the series, made when there is none; -1 when it is one too many, -2 when it is of another kind. */
  open(family: Family, text: string, kind: Kind): number {
    const slots = this.#byText.get(family)!
    const known = slots.get(text)
    if (known !== undefined) return this.kindOf(known) === kind ? known : -2
    if (this.#maxSeries > 0 && this.size >= this.#maxSeries) return -1
    const slot = this.#free.pop() ?? this.#newSlot()
    const special = text.includes('\\') || HAS_QUOTED_NAME.test(text) ? SPECIAL : 0
    this.#flags[slot] = (kind << KIND_SHIFT) | special
    this.#family[slot] = family
    this.#placeInFamily[slot] = family.slots.push(slot) - 1
    this.texts[slot] = text
    this.packedTexts[slot] = undefined
    this.values[slot] = 0
    this.#forgetTimes(slot)
    slots.set(text, slot)
    return slot
  }

  /** A point has come for it. */
  touch(slot: number, nowMs: number): void {
    this.seen[slot] = nowMs
    this.#flags[slot]! |= ALIVE
  }

  end(slot: number): void {
    if (!this.isAlive(slot)) return
    this.#flags[slot]! &= ~ALIVE
    this.#forgetTimes(slot)
    if (this.#readers > 0) this.#ended.push(slot)
    else this.#remove(slot)
  }

  /** A slot that no point has come for after all; while a reader is open. */
  dropIfUnused(slot: number): void {
    if (!this.isAlive(slot)) this.#ended.push(slot)
  }

  /** Ends what no point has come for since `beforeMs`. */
  expire(beforeMs: number): void {
    for (let slot = 0; slot < this.#next; slot++) if (this.isAlive(slot) && this.seen[slot]! < beforeMs) this.end(slot)
  }

  /** Until closeReader(), no slot becomes free or changes its place. */
  openReader(): void {
    this.#readers++
  }

  closeReader(): void {
    if (--this.#readers > 0) return
    for (const slot of this.#ended) if (!this.isAlive(slot)) this.#remove(slot)
    this.#ended.length = 0
  }

  #forgetTimes(slot: number): void {
    this.times.fill(0, slot * 4, slot * 4 + 4)
    this.states[slot] = undefined
    this.exemplars[slot] = undefined
  }

  #remove(slot: number): void {
    const family = this.#family[slot]
    if (family === undefined) return
    const last = family.slots.pop()!
    if (last !== slot) {
      const place = this.#placeInFamily[slot]!
      family.slots[place] = last
      this.#placeInFamily[last] = place
    }
    this.#byText.get(family)!.delete(this.texts[slot]!)
    this.texts[slot] = ''
    this.packedTexts[slot] = undefined
    ;(this.#family as (Family | undefined)[])[slot] = undefined
    this.#free.push(slot)
    this.dropIfEmpty(family)
    this.#onGone(slot)
  }

  #newSlot(): number {
    if (this.#next === this.values.length) {
      const size = this.#next * 2
      this.values = grown(new Float64Array(size), this.values)
      this.times = grown(new Uint32Array(size * 4), this.times)
      this.seen = grown(new Float64Array(size), this.seen)
      this.#flags = grown(new Uint8Array(size), this.#flags)
      this.#placeInFamily = grown(new Int32Array(size), this.#placeInFamily)
    }
    return this.#next++
  }

  /** Whether samples of a histogram or summary have the name of another family, or would get it. */
  #collides(name: string, type: FamilyType): boolean {
    const stem = /^(.*)_(count|sum|bucket)$/s.exec(name)
    const owner = stem === null ? undefined : this.#families.get(stem[1]!)?.type
    if (owner === 'histogram' || (owner === 'summary' && stem![2] !== 'bucket')) return true
    if (type !== 'histogram' && type !== 'summary') return false
    const own = type === 'histogram' ? ['_count', '_sum', '_bucket'] : ['_count', '_sum']
    return own.some((suffix) => this.#families.has(name + suffix))
  }
}

function grown<T extends Float64Array | Uint32Array | Int32Array | Uint8Array>(larger: T, old: T): T {
  larger.set(old)
  return larger
}
