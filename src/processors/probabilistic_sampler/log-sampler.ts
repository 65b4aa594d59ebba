// Decides about log records, and writes what was decided into their attributes.
//
//   randomness   attribute sampling.randomness, else the last 56 bits of the trace id; mode hash_seed: a hash of the
//                trace id or of an attribute
//   threshold    attribute sampling.threshold
//   priority     an attribute with a percentage for this record alone

import { encodeText } from '../../otlp/encode.ts'
import type { Sift } from '../../otlp/sift.ts'
import { VALUE, ValueView } from '../../otlp/value.ts'
import {
  always,
  Bits,
  DIGITS,
  mostRandom,
  never,
  readDigits,
  setThreshold,
  writeRandomness,
  writeThreshold,
} from './bits.ts'
import type { ProbabilisticSamplerConfig } from './config.ts'
import { DigitsAttribute } from './digits-attribute.ts'
import { hashOf, hashOfSeed, hashOfTraceId, setRandomness } from './hash.ts'
import { Found, RecordFields } from './record-fields.ts'
import { MODE, POLICY, type Policy, type Sampler } from './sampler.ts'
import { setFromTraceId } from './trace-id.ts'

const RANDOMNESS_KEY = 'sampling.randomness'
const THRESHOLD_KEY = 'sampling.threshold'

const ALWAYS = always()
const NEVER = never()
const MOST_RANDOM = mostRandom()

export class LogSampler {
  readonly #sampler: Sampler
  readonly #hashBegun: number
  readonly #hashesTraceId: boolean
  readonly #randomnessAttribute = new Found(RANDOMNESS_KEY)
  readonly #thresholdAttribute = new Found(THRESHOLD_KEY)
  readonly #source: Found | undefined
  readonly #priority: Found | undefined
  readonly #fields: RecordFields
  readonly #randomnessWriter: DigitsAttribute
  readonly #thresholdWriter: DigitsAttribute
  readonly #value = new ValueView()
  readonly #randomness = new Bits()
  readonly #arrived = new Bits()
  readonly #raised = new Bits()
  readonly #edits = new Int32Array(12)
  #hasRandomness = false
  #hasThreshold = false
  #isHashed = false
  policy: Policy = POLICY.HASH

  constructor(sampler: Sampler, config: ProbabilisticSamplerConfig) {
    this.#sampler = sampler
    this.#hashBegun = hashOfSeed(config.hashSeed)
    this.#hashesTraceId = config.attributeSource === 'traceID'
    this.#source = config.fromAttribute === '' ? undefined : new Found(config.fromAttribute)
    this.#priority = config.samplingPriority === '' ? undefined : new Found(config.samplingPriority)
    const wanted = [this.#randomnessAttribute, this.#thresholdAttribute, this.#source, this.#priority]
    this.#fields = new RecordFields(wanted.filter((found) => found !== undefined))
    this.#randomnessWriter = new DigitsAttribute(this.#randomnessAttribute.key)
    this.#thresholdWriter = new DigitsAttribute(this.#thresholdAttribute.key)
  }

  /** Whether the current record stays; it is kept, edited or dropped. */
  sample(sift: Sift): boolean {
    const { bytes, words } = sift
    this.#fields.read(bytes, words, sift.start, sift.end)
    const readable = this.#readArrived(bytes)
    const comesSampled = this.#hasRandomness || this.#hasThreshold
    const hashes = this.#sampler.mode === MODE.HASH
    const right = this.#takeRandomness(bytes, words, readable)
    const isConsistent = !right || !this.#hasThreshold || !this.#arrived.exceeds(this.#randomness)
    const clears = right && !isConsistent
    if (clears) this.#hasThreshold = false
    let threshold: Bits
    if (!right || clears) threshold = this.#sampler.failClosed ? NEVER : ALWAYS
    else threshold = this.#sampler.decide(this.#hasThreshold ? this.#arrived : undefined)
    const own = this.#ownThreshold(bytes)
    if (own !== undefined) {
      threshold = own
      this.policy = POLICY.PRIORITY
    }
    if (threshold.exceeds(this.#randomness)) {
      sift.drop()
      return false
    }
    // What cannot be read stays untouched, but at 0 %, where it is not asked for.
    if ((!readable && this.#sampler.mode !== MODE.NEVER) || (hashes && comesSampled)) sift.keep()
    else this.#write(sift, threshold, hashes && this.#isHashed, clears)
    return true
  }

  /** False where one of the two attributes cannot be read. */
  #readArrived(bytes: Uint8Array): boolean {
    const randomness = this.#textOf(bytes, this.#randomnessAttribute)
    this.#hasRandomness = randomness !== undefined
    let readable = true
    if (randomness !== undefined)
      readable =
        randomness.end - randomness.start === DIGITS &&
        readDigits(this.#randomness, randomness.bytes, randomness.start, randomness.end)
    const threshold = this.#textOf(bytes, this.#thresholdAttribute)
    this.#hasThreshold = threshold !== undefined
    if (threshold !== undefined) {
      this.#hasThreshold = readDigits(this.#arrived, threshold.bytes, threshold.start, threshold.end)
      readable &&= this.#hasThreshold
    }
    return readable
  }

  #textOf(bytes: Uint8Array, found: Found): ValueView | undefined {
    if (found.at < 0) return undefined
    const value = this.#value.reset(bytes, found.valueFrom, found.valueTo)
    return value.type === VALUE.STRING && value.end > value.start ? value : undefined
  }

  /** Sets randomness and policy. False where nothing can be decided. */
  #takeRandomness(bytes: Uint8Array, words: DataView, readable: boolean): boolean {
    const { mode } = this.#sampler
    if (mode === MODE.NEVER) {
      this.#randomness.copy(MOST_RANDOM)
      this.policy = POLICY.PRIORITY
      return readable
    }
    if (mode === MODE.HASH) {
      const comesSampled = this.#hasRandomness || this.#hasThreshold
      return this.#hash(bytes, words) && readable && !comesSampled
    }
    if (readable && this.#hasRandomness) {
      this.policy = POLICY.RANDOMNESS
      return true
    }
    const id = this.#fields.idAt
    if (!readable || id === 0) {
      this.#randomness.copy(MOST_RANDOM)
      this.policy = POLICY.MISSING
      return false
    }
    this.policy = POLICY.TRACE_ID
    setFromTraceId(this.#randomness, words, id)
    return true
  }

  #hash(bytes: Uint8Array, words: DataView): boolean {
    this.#isHashed = true
    const id = this.#fields.idAt
    if (this.#hashesTraceId && id !== 0) {
      this.policy = POLICY.HASH
      setRandomness(this.#randomness, hashOfTraceId(this.#hashBegun, words, id))
      return true
    }
    const source = this.#source
    if (source !== undefined && source.at >= 0) {
      const value = this.#value.reset(bytes, source.valueFrom, source.valueTo)
      const isBytes = value.type === VALUE.STRING || value.type === VALUE.BYTES
      const hashed = isBytes ? value.bytes : encodeText(value.toText())
      const from = isBytes ? value.start : 0
      const to = isBytes ? value.end : hashed.length
      if (to > from) {
        this.policy = POLICY.ATTRIBUTE
        setRandomness(this.#randomness, hashOf(this.#hashBegun, hashed, from, to))
        return true
      }
    }
    this.#isHashed = false
    this.policy = POLICY.MISSING
    this.#randomness.copy(MOST_RANDOM)
    return false
  }

  /** The threshold that the record asks for. */
  #ownThreshold(bytes: Uint8Array): Bits | undefined {
    const priority = this.#priority
    if (priority === undefined || priority.at < 0) return undefined
    const probability = this.#value.reset(bytes, priority.valueFrom, priority.valueTo).number() / 100
    return setThreshold(this.#raised, probability, this.#sampler.precision) ? this.#raised : undefined
  }

  #write(sift: Sift, threshold: Bits, writesRandomness: boolean, clears: boolean): void {
    const { added } = sift
    let count = 0
    if (writesRandomness) {
      this.#randomnessWriter.write(added, writeRandomness, this.#randomness)
      count = this.#put(this.#randomnessAttribute, 0, added.length, count)
    }
    // A threshold is never lowered.
    if (!this.#hasThreshold || !this.#arrived.exceeds(threshold)) {
      const found = this.#thresholdAttribute
      const from = added.length
      this.#thresholdWriter.write(added, writeThreshold, threshold)
      // One that was taken away comes again behind all others.
      if (clears && found.at >= 0) {
        count = this.#replace(found.at, found.end, 0, 0, count)
        count = this.#insert(from, added.length, count)
      } else count = this.#put(found, from, added.length, count)
    }
    if (count === 0) sift.keep()
    else sift.edit(this.#edits, this.#inOrder(count))
  }

  /** Replaces the attribute by the added bytes, or inserts them behind all others. Returns the number of edits. */
  #put(found: Found, from: number, to: number, count: number): number {
    return found.at < 0 ? this.#insert(from, to, count) : this.#replace(found.at, found.end, from, to, count)
  }

  #insert(from: number, to: number, count: number): number {
    const edits = this.#edits
    const place = this.#fields.attributesEnd
    const last = 4 * (count - 1)
    // What comes right behind the same place and the same bytes is one edit with them.
    if (count > 0 && edits[last] === place && edits[last + 1] === place && edits[last + 3] === from) {
      edits[last + 3] = to
      return count
    }
    return this.#replace(place, place, from, to, count)
  }

  #replace(from: number, to: number, newFrom: number, newTo: number, count: number): number {
    const edits = this.#edits
    edits[4 * count] = from
    edits[4 * count + 1] = to
    edits[4 * count + 2] = newFrom
    edits[4 * count + 3] = newTo
    return count + 1
  }

  /** Edits in the order of their places; those at one place stay in theirs. */
  #inOrder(count: number): number {
    const edits = this.#edits
    for (let i = 1; i < count; i++)
      for (let k = i; k > 0 && edits[k * 4]! < edits[(k - 1) * 4]!; k--)
        for (let n = 0; n < 4; n++) {
          const moved = edits[k * 4 + n]!
          edits[k * 4 + n] = edits[(k - 1) * 4 + n]!
          edits[(k - 1) * 4 + n] = moved
        }
    return count
  }
}
