// Decides about spans, and writes what was decided into their tracestate.
//
//   randomness   rv in the tracestate, else the last 56 bits of the trace id; mode hash_seed: a hash of the trace id
//   threshold    th in the tracestate
//   priority     attribute sampling.priority: 0 drops, above 0 keeps, else it says nothing

import { SPAN } from '../../otlp/fields.ts'
import type { Sift } from '../../otlp/sift.ts'
import { VALUE, ValueView } from '../../otlp/value.ts'
import { Cursor } from '../../wire/cursor.ts'
import { equalBytes, varintLow, varintSize } from '../../wire/varint.ts'
import { always, Bits, mostRandom, never } from './bits.ts'
import { hashOf, hashOfSeed, setRandomness } from './hash.ts'
import { numberOf } from './number-text.ts'
import { MODE, POLICY, type Policy, type Sampler } from './sampler.ts'
import { isGiven, setFromTraceId, TRACE_ID_BYTES } from './trace-id.ts'
import { TraceState } from './trace-state.ts'

const TRACE_ID_TAG = SPAN.TRACE_ID * 8 + 2
const STATE_TAG = SPAN.TRACE_STATE * 8 + 2
const ATTRIBUTE_TAG = SPAN.ATTRIBUTES * 8 + 2
const PRIORITY_KEY = Buffer.from('sampling.priority')
const PRIORITY_BYTES = PRIORITY_KEY.length
const KEY_TAG = 10
const VALUE_TAG = 18

const PRIORITY = { NONE: 0, KEEP: 1, DROP: 2 } as const
type Priority = (typeof PRIORITY)[keyof typeof PRIORITY]

const ALWAYS = always()
const NEVER = never()
const MOST_RANDOM = mostRandom()

export class SpanSampler {
  readonly #sampler: Sampler
  readonly #hashBegun: number
  readonly #state = new TraceState()
  readonly #randomness = new Bits()
  readonly #value = new ValueView()
  readonly #cursor = new Cursor()
  readonly #edit = new Int32Array(4)
  // Of the current span: its trace id (0: none), its tracestate with and without the head.
  #idAt = 0
  #stateAt = 0
  #stateFrom = 0
  #stateTo = 0
  #priority: Priority = PRIORITY.NONE
  #hasPriority = false
  // Where the tracestate of the mode's own threshold stands among the added bytes of the current request.
  #usualEpoch = -1
  #usualFrom = 0
  #usualTo = 0
  /** Why the last span stayed or went. */
  policy: Policy = POLICY.HASH

  constructor(sampler: Sampler, seed: number) {
    this.#sampler = sampler
    this.#hashBegun = hashOfSeed(seed)
  }

  /** Whether the current span stays; it is kept, edited or dropped. */
  sample(sift: Sift): boolean {
    const { bytes } = sift
    this.#scan(bytes, sift.start, sift.end)
    const state = this.#state
    const readable =
      this.#stateFrom === this.#stateTo ? this.#clearState() : state.read(bytes, this.#stateFrom, this.#stateTo)
    const wrong = !this.#takeRandomness(bytes, readable)
    const writes = readable && !(this.#sampler.mode === MODE.HASH && this.#comesSampled())
    let threshold: Bits
    if (wrong) threshold = this.#sampler.failClosed ? NEVER : ALWAYS
    else threshold = this.#sampler.decide(readable && state.hasThreshold ? state.threshold : undefined)
    if (this.#priority !== PRIORITY.NONE) {
      threshold = this.#priority === PRIORITY.KEEP ? ALWAYS : NEVER
      this.policy = POLICY.PRIORITY
    }
    if (threshold.exceeds(this.#randomness)) {
      sift.drop()
      return false
    }
    if (writes) this.#write(sift, threshold)
    else sift.keep()
    return true
  }

  #clearState(): boolean {
    this.#state.clear()
    return true
  }

  #comesSampled(): boolean {
    return this.#state.hasRandomness || this.#state.hasThreshold
  }

  /** Sets randomness and policy. False where nothing can be decided. */
  #takeRandomness(bytes: Uint8Array, readable: boolean): boolean {
    const state = this.#state
    const randomness = this.#randomness
    const id = this.#idAt
    const { mode } = this.#sampler
    if (mode === MODE.NEVER) {
      randomness.copy(MOST_RANDOM)
      this.policy = POLICY.PRIORITY
      return readable
    }
    if (mode === MODE.HASH) {
      this.policy = id === 0 ? POLICY.MISSING : POLICY.HASH
      if (id === 0) randomness.copy(MOST_RANDOM)
      else setRandomness(randomness, hashOf(this.#hashBegun, bytes, id, id + TRACE_ID_BYTES))
      return readable && !this.#comesSampled() && id !== 0
    }
    randomness.copy(MOST_RANDOM)
    this.policy = POLICY.MISSING
    if (!readable) return false
    if (state.hasRandomness) {
      this.policy = POLICY.RANDOMNESS
      randomness.copy(state.randomness)
    } else if (id !== 0) {
      this.policy = POLICY.TRACE_ID
      setFromTraceId(randomness, bytes, id)
    } else return false
    // A threshold that the span's own randomness does not reach cannot be true.
    if (state.hasThreshold && state.threshold.exceeds(randomness)) {
      state.clearThreshold()
      return false
    }
    return true
  }

  #write(sift: Sift, threshold: Bits): void {
    const { splice } = sift
    const { added } = splice
    const state = this.#state
    const sampler = this.#sampler
    const empty = this.#stateFrom === this.#stateTo
    const hashes = sampler.mode === MODE.HASH
    const edit = this.#edit
    if (this.#stateAt === 0) {
      edit[0] = sift.start
      edit[1] = sift.start
    } else {
      edit[0] = this.#stateAt
      edit[1] = this.#stateTo
    }
    const usual = empty && !hashes && threshold === sampler.threshold
    if (usual && this.#usualEpoch === splice.epoch) {
      edit[2] = this.#usualFrom
      edit[3] = this.#usualTo
      sift.edit(edit, 1)
      return
    }
    if (hashes) state.setRandomness(this.#randomness)
    state.raiseThreshold(threshold)
    // The tracestate first, its head in front of it when the length is known; one byte of length is the usual.
    const from = added.length
    added.reserve(2)
    added.length += 2
    state.write(added)
    let head = from
    const size = added.length - from - 2
    if (size > 0x7f) head = this.#largeHead(sift, from, size)
    else {
      added.bytes[from] = STATE_TAG
      added.bytes[from + 1] = size
    }
    const isSame =
      !empty &&
      this.#stateTo - this.#stateAt === added.length - head &&
      equalBytes(sift.bytes, this.#stateAt, this.#stateTo, added.bytes.subarray(head, added.length))
    if (isSame) {
      sift.keep()
      return
    }
    edit[2] = head
    edit[3] = added.length
    if (usual) {
      this.#usualEpoch = splice.epoch
      this.#usualFrom = head
      this.#usualTo = added.length
    }
    sift.edit(edit, 1)
  }

  /** Writes the field anew behind itself and returns where. */
  #largeHead(sift: Sift, from: number, size: number): number {
    const { added } = sift.splice
    const head = added.length
    added.reserve(1 + varintSize(size) + size)
    added.field(SPAN.TRACE_STATE, added.bytes, from + 2, from + 2 + size)
    return head
  }

  /** One pass over the span's fields; of most of them only the length is looked at. */
  #scan(bytes: Uint8Array, start: number, end: number): void {
    this.#idAt = 0
    this.#stateAt = 0
    this.#stateFrom = 0
    this.#stateTo = 0
    this.#priority = PRIORITY.NONE
    this.#hasPriority = false
    for (let p = start; p < end; ) {
      const at = p
      let tag = bytes[p++]!
      if (tag > 0x7f) {
        tag = varintLow(bytes, at)
        while (bytes[p++]! > 0x7f);
      }
      const wireType = tag & 7
      if (wireType !== 2) {
        if (wireType === 0) while (bytes[p++]! > 0x7f);
        else p += wireType === 1 ? 8 : 4
        continue
      }
      let length = bytes[p++]!
      if (length > 0x7f) {
        length = varintLow(bytes, p - 1)
        while (bytes[p++]! > 0x7f);
      }
      const from = p
      p += length
      if (tag === ATTRIBUTE_TAG) {
        const size = bytes[from + 1]!
        const keyEnd = from + 2 + size
        // Key and value and nothing else, the usual attribute, is known by its heads.
        const isUsual = bytes[from] === KEY_TAG && bytes[keyEnd] === VALUE_TAG && keyEnd + 2 + bytes[keyEnd + 1]! === p
        if (isUsual && size !== PRIORITY_BYTES) continue
        if (!this.#hasPriority) this.#readAttribute(bytes, from, p)
      } else if (tag === TRACE_ID_TAG) this.#idAt = length === TRACE_ID_BYTES && isGiven(bytes, from) ? from : 0
      else if (tag === STATE_TAG) {
        this.#stateAt = at
        this.#stateFrom = from
        this.#stateTo = p
      }
    }
  }

  #readAttribute(bytes: Uint8Array, from: number, to: number): void {
    let isPriority = false
    let valueFrom = from
    let valueTo = from
    for (const c = this.#cursor.reset(bytes, from, to); c.next(); ) {
      if (c.wireType !== 2) continue
      if (c.field === 1) isPriority = equalBytes(bytes, c.start, c.end, PRIORITY_KEY)
      else if (c.field === 2) {
        valueFrom = c.start
        valueTo = c.end
      }
    }
    if (!isPriority) return
    this.#hasPriority = true
    const value = this.#value.reset(bytes, valueFrom, valueTo)
    const number = value.type === VALUE.STRING ? numberOf(value.toText()) : value.number()
    if (number === 0) this.#priority = PRIORITY.DROP
    else if (number > 0) this.#priority = PRIORITY.KEEP
  }
}
