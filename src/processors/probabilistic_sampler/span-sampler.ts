// Decides about spans, and writes what was decided into their tracestate.
//
//   randomness   rv in the tracestate, else the last 56 bits of the trace id; mode hash_seed: a hash of the trace id
//   threshold    th in the tracestate
//   priority     attribute sampling.priority: 0 drops, above 0 keeps, else it says nothing

import { KEY_VALUE, SPAN } from '../../otlp/fields.ts'
import type { Sift } from '../../otlp/sift.ts'
import { VALUE, ValueView } from '../../otlp/value.ts'
import { Cursor } from '../../wire/cursor.ts'
import { equalBytes, varintLow, varintSize } from '../../wire/varint.ts'
import { always, Bits, mostRandom, never, textOf, writeRandomness, writeThreshold } from './bits.ts'
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

// The first bytes of a field as a little-endian number, masked so that one comparison tells what they are.
const ONE_BYTE_TAG = 0x87 // a tag below 128: its wire type
const SHORT_HEAD = 0x8087 // and a length, or number, below 128 behind it
const ONE_HEAD = 0x80ff // the same: the tag itself
const TWO_HEADS = 0x80ff80ff // of an attribute and of its key
const VALUE_TAG = KEY_VALUE.VALUE * 8 + 2
const USUAL_ATTRIBUTE = ATTRIBUTE_TAG | ((KEY_VALUE.KEY * 8 + 2) << 16)

/** Behind tag, length and `ot=rv:`. */
const HASHED_DIGITS_AT = 8

const PRIORITY = { NONE: 0, KEEP: 1, DROP: 2 } as const
type Priority = (typeof PRIORITY)[keyof typeof PRIORITY]

const ALWAYS = always()
const NEVER = never()
const MOST_RANDOM = mostRandom()

export class SpanSampler {
  readonly #sampler: Sampler
  readonly #hashBegun: number
  /** The field with the tracestate that hash_seed writes, zeros for the randomness. */
  readonly #hashed: Uint8Array
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
    const text = `ot=rv:${'0'.repeat(14)};th:${textOf(writeThreshold, sampler.threshold)}`
    this.#hashed = Uint8Array.of(STATE_TAG, text.length, ...Buffer.from(text))
  }

  /** Whether the current span stays; it is kept, edited or dropped. */
  sample(sift: Sift): boolean {
    const { bytes } = sift
    this.#scan(bytes, sift.words, sift.start, sift.end)
    const state = this.#state
    const readable =
      this.#stateFrom === this.#stateTo ? this.#clearState() : state.read(bytes, this.#stateFrom, this.#stateTo)
    const wrong = !this.#takeRandomness(bytes, readable)
    const { mode } = this.#sampler
    const writes = mode === MODE.NEVER || (readable && !(mode === MODE.HASH && this.#comesSampled()))
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
    if (empty && hashes && threshold === sampler.threshold) {
      this.#writeHashed(sift)
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

  /** The tracestate of mode hash_seed where there was none: always the same but for the digits of the randomness. */
  #writeHashed(sift: Sift): void {
    const { added } = sift.splice
    const edit = this.#edit
    const usual = this.#hashed
    const target = added.reserve(usual.length)
    const from = added.length
    for (let i = 0; i < usual.length; i++) target[from + i] = usual[i]!
    writeRandomness(target, from + HASHED_DIGITS_AT, this.#randomness)
    added.length = from + usual.length
    edit[2] = from
    edit[3] = added.length
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
  #scan(bytes: Uint8Array, words: DataView, start: number, end: number): void {
    this.#idAt = 0
    this.#stateAt = 0
    this.#stateFrom = 0
    this.#stateTo = 0
    this.#priority = PRIORITY.NONE
    this.#hasPriority = false
    let p = start
    while (p < end) {
      while (p <= end - 4) {
        const head = words.getInt32(p, true)
        const next = p + 2 + ((head >>> 8) & 0xff)
        if ((head & TWO_HEADS) === USUAL_ATTRIBUTE) {
          const keyEnd = p + 4 + (head >>> 24)
          if (keyEnd + 2 > next) break
          const value = words.getUint16(keyEnd, true)
          if ((value & ONE_HEAD) !== VALUE_TAG || keyEnd + 2 + (value >>> 8) !== next) break
          if (head >>> 24 === PRIORITY_BYTES && !this.#hasPriority) this.#readAttribute(bytes, p + 2, next)
          p = next
        } else if ((head & ONE_BYTE_TAG) === 1) p += 9
        else if ((head & SHORT_HEAD) === 0) p += 2
        else if ((head & SHORT_HEAD) === 2 && (head & 0xff) > STATE_TAG && (head & 0xff) !== ATTRIBUTE_TAG) p = next
        else break
      }
      if (p < end) p = this.#readField(bytes, p)
    }
  }

  /** Any field; returns the offset behind it. */
  #readField(bytes: Uint8Array, at: number): number {
    let p = at
    let tag = bytes[p++]!
    if (tag > 0x7f) {
      tag = varintLow(bytes, at)
      while (bytes[p++]! > 0x7f);
    }
    const wireType = tag & 7
    if (wireType !== 2) {
      if (wireType !== 0) return p + (wireType === 1 ? 8 : 4)
      while (bytes[p++]! > 0x7f);
      return p
    }
    let length = bytes[p++]!
    if (length > 0x7f) {
      length = varintLow(bytes, p - 1)
      while (bytes[p++]! > 0x7f);
    }
    const end = p + length
    if (tag === TRACE_ID_TAG) this.#idAt = length === TRACE_ID_BYTES && isGiven(bytes, p) ? p : 0
    else if (tag === STATE_TAG) {
      this.#stateAt = at
      this.#stateFrom = p
      this.#stateTo = end
    } else if (tag === ATTRIBUTE_TAG && !this.#hasPriority) this.#readAttribute(bytes, p, end)
    return end
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
