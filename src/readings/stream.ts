// Where readings come from as the payload sees it: one topic, one device, and the metrics that its messages usually hold.

import type { Naming, Slot } from './naming.ts'
import type { Source, Sources } from './sources.ts'

const NOTHING = new Uint8Array(0)
const NO_SHAPE: Slot[] = []

export type Attributes = readonly (readonly [key: string, value: string])[]

/** Messages of one topic and device: what was at which place of the last of them. */
export class Stream {
  readonly naming: Naming
  /** Attributes of all its points, as encodeMarks() gives them. */
  readonly marks: Uint8Array
  shape: Slot[] = NO_SHAPE
  readonly #sources: Sources | undefined
  /** Until there is a source. */
  #attributes: Attributes | undefined
  #source: Source | undefined
  #description: Attributes | undefined
  /** In this generation there was no room for the source. */
  #isRefused = false
  /** Of Sources, when it was last looked at. */
  generation = 0
  /** What it brings is from the source itself and not from us. */
  readonly isOwn: boolean

  /** Of a source that is known. */
  static of(source: Source, naming: Naming): Stream {
    const stream = new Stream(undefined, undefined, naming)
    stream.#source = source
    return stream
  }

  /** `attributes` are those of the resource; both are undefined for a source that is known. */
  constructor(
    sources: Sources | undefined,
    attributes: Attributes | undefined,
    naming: Naming,
    marks: Uint8Array = NOTHING,
  ) {
    this.#sources = sources
    this.#attributes = attributes
    this.isOwn = sources !== undefined
    this.naming = naming
    this.marks = marks
  }

  /**
   * Undefined: the bound on devices left no room for it; its readings are dropped and counted. Asked for with the first
   * reading: many a topic has none of its own, only devices that its payloads name.
   */
  get source(): Source | undefined {
    if (this.#attributes !== undefined && !this.#isRefused) {
      this.#source = this.#sources!.get(this.#attributes)
      if (this.#source === undefined) this.#isRefused = true
      else this.#attributes = undefined
    }
    return this.#source
  }

  /**
   * Its source is another from now on, with these attributes too; the one before is forgotten, unless it is the same. Nothing
   * where no device is named: such a source is that of others too.
   */
  describe(description: Attributes): void {
    if (description === this.#description || this.#sources === undefined) return
    this.#description = description
    const before = this.#source
    const known = this.#attributes ?? (JSON.parse(before!.attributes) as Attributes)
    if (known.every(([name]) => name !== 'device.id')) return
    this.#attributes = [...known.filter(([name]) => description.every(([added]) => added !== name)), ...description]
    this.#source = undefined
    this.#isRefused = false
    this.shape = NO_SHAPE
    if (before !== undefined && before.attributes !== JSON.stringify(this.#attributes)) this.#sources.forget(before)
  }

  /** Whether there is a source by now, and it is not forgotten. */
  get isKnown(): boolean {
    return this.#source?.isForgotten === false
  }

  /** Another generation of sources: what is known of them is looked up anew. */
  renew(generation: number): void {
    this.generation = generation
    this.shape = NO_SHAPE
    this.#isRefused = false
    if (this.#sources === undefined || this.#source?.isForgotten !== true) return
    this.#attributes = JSON.parse(this.#source.attributes) as Attributes
    this.#source = undefined
  }

  /** `place` is at most one beyond the last. */
  setShape(place: number, slot: Slot): void {
    // A list of one takes as much as it has to: many streams have no more.
    if (this.shape === NO_SHAPE) this.shape = [slot]
    else this.shape[place] = slot
  }
}
