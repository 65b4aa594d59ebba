// Heads of lines (measurement and tags), kept by the bytes of what they are made of: a series that comes again costs a look at
// those bytes and one copy.
//
//   resource ─▶ scope ─▶ metric ─▶ attributes of the point = head      each has a number, below that of the one before it
//
// Series that differ in their bytes alone, as in the order of their attributes, are kept apart. When all the room is taken,
// what comes new is made each time it comes; until so much of it has come that those kept seem to be yesterday's series.

import { ByteStore } from '../../collections/byte-store.ts'
import { KeyIndex } from '../../collections/key-index.ts'
import { KeyRange } from '../../otlp/key-range.ts'
import type { MergedView } from '../../otlp/resource.ts'
import type { Walk } from '../../otlp/walk.ts'
import type { Words } from '../../wire/copy.ts'

/** Of keys and heads: room for more than 200,000 series of four attributes. */
const HEADS_MAX_BYTES = 96 * 1024 * 1024
/** All of it is given back when so many times the heads that are kept had to be made for want of room. */
const FORGET_AFTER = 4

const UNKNOWN = -1
/** There is no room for it. */
const NOT_KEPT = -2

export class HeadCache {
  readonly #seed: number
  readonly #maxBytes: number
  #resources: KeyIndex
  #scopes: KeyIndex
  #metrics: KeyIndex
  /** Their numbers are those of their heads. */
  #series: KeyIndex
  #heads = new ByteStore()
  readonly #key = new KeyRange()
  #resource = UNKNOWN
  #scope = UNKNOWN
  #refused = 0

  constructor(seed: number, maxBytes = HEADS_MAX_BYTES) {
    this.#seed = seed
    this.#maxBytes = maxBytes
    this.#resources = new KeyIndex(seed)
    this.#scopes = new KeyIndex(seed)
    this.#metrics = new KeyIndex(seed)
    this.#series = new KeyIndex(seed)
  }

  /** Heads that are kept. */
  get size(): number {
    return this.#heads.size
  }

  /** Before each batch. True when everything has been forgotten: numbers begin anew. */
  begin(): boolean {
    if (this.#refused <= this.size * FORGET_AFTER) return false
    this.#resources = new KeyIndex(this.#seed)
    this.#scopes = new KeyIndex(this.#seed)
    this.#metrics = new KeyIndex(this.#seed)
    this.#series = new KeyIndex(this.#seed)
    this.#heads = new ByteStore()
    this.#refused = 0
    return true
  }

  enterResource(): void {
    this.#resource = UNKNOWN
  }

  enterScope(): void {
    this.#scope = UNKNOWN
  }

  /**
   * The number of the current metric, by all of it but its data: in the current scope or, without `inScope`, anywhere; a
   * negative one when it cannot be kept. `kind` is 0 or 1, and keeps apart what has the same bytes.
   */
  metric(walk: Walk, inScope: boolean, kind: 0 | 1): number {
    const scope = inScope ? this.#scopeNumber(walk) : UNKNOWN
    if (scope === NOT_KEPT) return NOT_KEPT
    const key = this.#key.ofMetric(walk.bytes, walk.words, walk.itemStart, walk.itemEnd)
    return this.#number(this.#metrics, scope * 2 + kind, key)
  }

  /** The number of all metrics of the current scope together. */
  anyMetric(walk: Walk): number {
    const scope = this.#scopeNumber(walk)
    if (scope === NOT_KEPT) return NOT_KEPT
    this.#key.begin(walk.bytes, walk.words, 0)
    return this.#number(this.#metrics, scope * 2, this.#key)
  }

  /**
   * The number of the head of the current point, by those of its attributes that have one of `keys`, or by all of them.
   * Negative when there is none: then make it, and add() it.
   */
  find(walk: Walk, metric: number, keys?: readonly Uint8Array[]): number {
    if (metric < 0) return UNKNOWN
    const { bytes, words, recordStart, recordEnd } = walk
    const key = this.#key
    if (keys === undefined) key.ofAttributes(bytes, words, recordStart, recordEnd, walk.attributesField)
    else if (keys.length === 0) key.begin(bytes, words, 0)
    else key.ofSelected(bytes, words, recordStart, recordEnd, walk.attributesField, keys)
    return this.#series.find(metric, key.bytes, key.words, key.from, key.to)
  }

  /** Keeps `bytes[from, to)` as the head that was looked for in vain, and returns its number: negative without room for it. */
  add(metric: number, bytes: Uint8Array, from: number, to: number): number {
    if (metric < 0 || this.#isFull()) {
      this.#refused++
      return NOT_KEPT
    }
    const key = this.#key
    this.#series.add(metric, key.bytes, key.words, key.from, key.to)
    return this.#heads.add(bytes, from, to)
  }

  /** Where all heads stand; ask again after add(). */
  get words(): Words {
    return this.#heads.words
  }

  from(head: number): number {
    return this.#heads.from(head)
  }

  to(head: number): number {
    return this.#heads.to(head)
  }

  #scopeNumber(walk: Walk): number {
    if (this.#scope !== UNKNOWN) return this.#scope
    if (this.#resource === UNKNOWN) this.#resource = this.#merged(this.#resources, 0, walk.resource, walk)
    this.#scope = this.#resource < 0 ? NOT_KEPT : this.#merged(this.#scopes, this.#resource, walk.scope, walk)
    return this.#scope
  }

  #merged(numbers: KeyIndex, parent: number, { pieces }: MergedView, { bytes, words }: Walk): number {
    const key = this.#key
    key.begin(bytes, words, 0)
    for (let i = 0; i < pieces.length; i += 3) key.add(bytes, pieces[i]!, pieces[i + 1]!)
    return this.#number(numbers, parent, key)
  }

  #number(numbers: KeyIndex, parent: number, { bytes, words, from, to }: KeyRange): number {
    const known = numbers.find(parent, bytes, words, from, to)
    if (known >= 0) return known
    return this.#isFull() ? NOT_KEPT : numbers.add(parent, bytes, words, from, to)
  }

  #isFull(): boolean {
    const keys =
      this.#resources.byteLength + this.#scopes.byteLength + this.#metrics.byteLength + this.#series.byteLength
    return keys + this.#heads.byteLength >= this.#maxBytes
  }
}
