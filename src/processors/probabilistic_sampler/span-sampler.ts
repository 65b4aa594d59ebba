// Decides about spans, and writes what was decided into their tracestate.
//
//   randomness   rv in the tracestate, else the last 56 bits of the trace id; mode hash_seed: a hash of the trace id
//   threshold    th in the tracestate
//   priority     attribute sampling.priority
//
// Most spans come with a trace id, without a tracestate and without a priority. For these the threshold is the mode's own,
// and what is written is known but for the digits of a hash: sample() decides about them by itself.

import { SPAN } from '../../otlp/fields.ts'
import type { Sift } from '../../otlp/sift.ts'
import { type Words, wordsOf } from '../../wire/copy.ts'
import { equalBytes, varintSize } from '../../wire/varint.ts'
import { always, Bits, mostRandom, never, textOf, writeRandomness, writeThreshold } from './bits.ts'
import { hashOfSeed, hashOfTraceId, setRandomness } from './hash.ts'
import { MODE, POLICY, type Policy, type Sampler } from './sampler.ts'
import { PRIORITY, SpanFields, STATE_TAG } from './span-fields.ts'
import { setFromTraceId } from './trace-id.ts'
import { TraceState } from './trace-state.ts'

/** Behind tag, length and `ot=rv:`. */
const DIGITS_AT = 8

const ALWAYS = always()
const NEVER = never()
const MOST_RANDOM = mostRandom()

export class SpanSampler {
  readonly #sampler: Sampler
  readonly #hashes: boolean
  readonly #hashBegun: number
  readonly #fields = new SpanFields()
  readonly #state = new TraceState()
  readonly #randomness = new Bits()
  /** The field with the tracestate that a span gets which came without one; zeros for the digits of a hash. */
  readonly #usual: Words
  readonly #edit = new Int32Array(4)
  /** Why the last span stayed or went. */
  policy: Policy = POLICY.HASH

  constructor(sampler: Sampler, seed: number) {
    this.#sampler = sampler
    this.#hashes = sampler.mode === MODE.HASH
    this.#hashBegun = hashOfSeed(seed)
    const randomness = this.#hashes ? `rv:${'0'.repeat(14)};` : ''
    const text = `ot=${randomness}th:${textOf(writeThreshold, sampler.threshold)}`
    this.#usual = wordsOf(Uint8Array.of(STATE_TAG, text.length, ...Buffer.from(text)))
  }

  /** Whether the current span stays; it is kept, edited or dropped. */
  sample(sift: Sift): boolean {
    const { words } = sift
    const fields = this.#fields
    const sampler = this.#sampler
    fields.read(sift.bytes, words, sift.start, sift.end)
    if (fields.idAt === 0 || fields.hasState || fields.priority !== PRIORITY.NONE || sampler.mode === MODE.NEVER)
      return this.#sampleUnusual(sift)
    const randomness = this.#randomness
    if (this.#hashes) {
      this.policy = POLICY.HASH
      setRandomness(randomness, hashOfTraceId(this.#hashBegun, words, fields.idAt))
    } else {
      this.policy = POLICY.TRACE_ID
      setFromTraceId(randomness, words, fields.idAt)
    }
    if (sampler.threshold.exceeds(randomness)) {
      sift.drop()
      return false
    }
    const usual = this.#usual
    if (this.#hashes) writeRandomness(usual.view, DIGITS_AT, randomness)
    // An empty tracestate goes.
    const from = fields.stateAt === 0 ? sift.start : fields.stateAt
    const to = fields.stateAt === 0 ? sift.start : fields.stateTo
    sift.replace(from, to, usual, 0, usual.bytes.length)
    return true
  }

  #sampleUnusual(sift: Sift): boolean {
    const fields = this.#fields
    const state = this.#state
    const readable = fields.hasState ? state.read(sift.bytes, fields.stateFrom, fields.stateTo) : this.#clearState()
    const wrong = !this.#takeRandomness(sift.words, readable)
    const { mode } = this.#sampler
    const writes = mode === MODE.NEVER || (readable && !(mode === MODE.HASH && this.#comesSampled()))
    let threshold: Bits
    if (wrong) threshold = this.#sampler.failClosed ? NEVER : ALWAYS
    else threshold = this.#sampler.decide(readable && state.hasThreshold ? state.threshold : undefined)
    if (fields.priority !== PRIORITY.NONE) {
      threshold = fields.priority === PRIORITY.KEEP ? ALWAYS : NEVER
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
  #takeRandomness(words: DataView, readable: boolean): boolean {
    const state = this.#state
    const randomness = this.#randomness
    const id = this.#fields.idAt
    const { mode } = this.#sampler
    if (mode === MODE.NEVER) {
      randomness.copy(MOST_RANDOM)
      this.policy = POLICY.PRIORITY
      return readable
    }
    if (mode === MODE.HASH) {
      this.policy = id === 0 ? POLICY.MISSING : POLICY.HASH
      if (id === 0) randomness.copy(MOST_RANDOM)
      else setRandomness(randomness, hashOfTraceId(this.#hashBegun, words, id))
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
      setFromTraceId(randomness, words, id)
    } else return false
    // A threshold that the span's own randomness does not reach cannot be true.
    if (state.hasThreshold && state.threshold.exceeds(randomness)) {
      state.clearThreshold()
      return false
    }
    return true
  }

  #write(sift: Sift, threshold: Bits): void {
    const { added } = sift
    const fields = this.#fields
    const state = this.#state
    if (this.#hashes) state.setRandomness(this.#randomness)
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
      fields.hasState &&
      fields.stateTo - fields.stateAt === added.length - head &&
      equalBytes(sift.bytes, fields.stateAt, fields.stateTo, added.bytes.subarray(head, added.length))
    if (isSame) {
      added.clear()
      sift.keep()
      return
    }
    const edit = this.#edit
    edit[0] = fields.stateAt === 0 ? sift.start : fields.stateAt
    edit[1] = fields.stateAt === 0 ? sift.start : fields.stateTo
    edit[2] = head
    edit[3] = added.length
    sift.edit(edit, 1)
  }

  /** Writes the field anew behind itself and returns where. */
  #largeHead(sift: Sift, from: number, size: number): number {
    const { added } = sift
    const head = added.length
    added.reserve(1 + varintSize(size) + size)
    added.field(SPAN.TRACE_STATE, added.bytes, from + 2, from + 2 + size)
    return head
  }
}
