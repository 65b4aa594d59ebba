// Decides about log records, and writes what was decided into their attributes.
//
//   randomness   attribute sampling.randomness, else the last 56 bits of the trace id; mode hash_seed: a hash of the
//                trace id or of an attribute
//   threshold    attribute sampling.threshold
//   priority     an attribute with a percentage for this record alone

import { encodeString, encodeText } from '../../otlp/encode.ts'
import { KEY_VALUE, LOG_RECORD } from '../../otlp/fields.ts'
import type { Sift } from '../../otlp/sift.ts'
import { VALUE, ValueView } from '../../otlp/value.ts'
import { Cursor } from '../../wire/cursor.ts'
import { equalBytes } from '../../wire/varint.ts'
import { Writer } from '../../wire/writer.ts'
import {
  always,
  Bits,
  mostRandom,
  never,
  readDigits,
  setThreshold,
  textOf,
  writeRandomness,
  writeThreshold,
} from './bits.ts'
import type { ProbabilisticSamplerConfig } from './config.ts'
import { hashOf, hashOfSeed, setRandomness } from './hash.ts'
import { MODE, POLICY, type Policy, type Sampler } from './sampler.ts'
import { isGiven, setFromTraceId, TRACE_ID_BYTES } from './trace-id.ts'

const RANDOMNESS_KEY = 'sampling.randomness'
const THRESHOLD_KEY = 'sampling.threshold'
const RANDOMNESS_DIGITS = 14
const KEY_TAG = KEY_VALUE.KEY * 8 + 2
const VALUE_TAG = KEY_VALUE.VALUE * 8 + 2

const ALWAYS = always()
const NEVER = never()
const MOST_RANDOM = mostRandom()

/** The first attribute with a key: where it stands, and where its value does. */
class Found {
  readonly key: Uint8Array
  at = -1
  end = 0
  valueFrom = 0
  valueTo = 0

  constructor(key: string) {
    this.key = encodeText(key)
  }
}

export class LogSampler {
  readonly #sampler: Sampler
  readonly #hashBegun: number
  readonly #hashesTraceId: boolean
  readonly #randomnessAttribute = new Found(RANDOMNESS_KEY)
  readonly #thresholdAttribute = new Found(THRESHOLD_KEY)
  readonly #source: Found | undefined
  readonly #priority: Found | undefined
  readonly #wanted: readonly Found[]
  /** Lengths of their keys, modulo 32, as bits. */
  readonly #lengths: number
  readonly #fields = new Cursor()
  readonly #inner = new Cursor()
  readonly #value = new ValueView()
  readonly #randomness = new Bits()
  readonly #arrived = new Bits()
  readonly #raised = new Bits()
  readonly #keyValue = new Writer()
  readonly #edits = new Int32Array(12)
  #idAt = 0
  #attributesEnd = 0
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
    this.#wanted = [this.#randomnessAttribute, this.#thresholdAttribute, this.#source, this.#priority].filter(
      (found) => found !== undefined,
    )
    this.#lengths = this.#wanted.reduce((bits, { key }) => bits | (1 << (key.length & 31)), 0)
  }

  /** Whether the current record stays; it is kept, edited or dropped. */
  sample(sift: Sift): boolean {
    const { bytes } = sift
    this.#scan(bytes, sift.start, sift.end)
    const readable = this.#readArrived(bytes)
    const comesSampled = this.#hasRandomness || this.#hasThreshold
    const hashes = this.#sampler.mode === MODE.HASH
    const right = this.#takeRandomness(bytes, readable)
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
        randomness.end - randomness.start === RANDOMNESS_DIGITS &&
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
  #takeRandomness(bytes: Uint8Array, readable: boolean): boolean {
    const { mode } = this.#sampler
    if (mode === MODE.NEVER) {
      this.#randomness.copy(MOST_RANDOM)
      this.policy = POLICY.PRIORITY
      return readable
    }
    if (mode === MODE.HASH) {
      const comesSampled = this.#hasRandomness || this.#hasThreshold
      return this.#hash(bytes) && readable && !comesSampled
    }
    if (readable && this.#hasRandomness) {
      this.policy = POLICY.RANDOMNESS
      return true
    }
    const id = this.#idAt
    if (!readable || id === 0) {
      this.#randomness.copy(MOST_RANDOM)
      this.policy = POLICY.MISSING
      return false
    }
    this.policy = POLICY.TRACE_ID
    setFromTraceId(this.#randomness, bytes, id)
    return true
  }

  #hash(bytes: Uint8Array): boolean {
    this.#isHashed = true
    if (this.#hashesTraceId && this.#idAt !== 0) {
      this.policy = POLICY.HASH
      setRandomness(this.#randomness, hashOf(this.#hashBegun, bytes, this.#idAt, this.#idAt + TRACE_ID_BYTES))
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
    let count = 0
    const oldThreshold = this.#thresholdAttribute
    // A threshold is never lowered.
    const writesThreshold = !this.#hasThreshold || !this.#arrived.exceeds(threshold)
    if (writesRandomness) {
      const text = textOf(writeRandomness, this.#randomness)
      count = this.#put(sift, this.#randomnessAttribute, text, count, false)
    }
    if (writesThreshold) count = this.#put(sift, oldThreshold, textOf(writeThreshold, threshold), count, clears)
    if (count === 0) sift.keep()
    else sift.edit(this.#edits, this.#inOrder(count))
  }

  /** Replaces the attribute, or adds it behind all others; there too where the old one was taken away before. */
  #put(sift: Sift, found: Found, text: string, count: number, moves: boolean): number {
    const { added } = sift.splice
    const edits = this.#edits
    let next = count
    const from = added.length
    const value = encodeString(text)
    const { length, bytes } = this.#keyValue.clear().field(KEY_VALUE.KEY, found.key).field(KEY_VALUE.VALUE, value)
    added.field(LOG_RECORD.ATTRIBUTES, bytes, 0, length)
    if (found.at >= 0 && moves) {
      edits.set([found.at, found.end, 0, 0], next * 4)
      next++
    }
    const replaces = found.at >= 0 && !moves
    edits[next * 4] = replaces ? found.at : this.#attributesEnd
    edits[next * 4 + 1] = replaces ? found.end : this.#attributesEnd
    edits[next * 4 + 2] = from
    edits[next * 4 + 3] = added.length
    return next + 1
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

  #scan(bytes: Uint8Array, start: number, end: number): void {
    this.#idAt = 0
    this.#attributesEnd = end
    for (let i = 0; i < this.#wanted.length; i++) this.#wanted[i]!.at = -1
    for (const c = this.#fields.reset(bytes, start, end); c.next(); ) {
      if (c.wireType !== 2) continue
      if (c.field === LOG_RECORD.ATTRIBUTES) {
        this.#attributesEnd = c.end
        // Key and value and nothing else, the usual attribute, is known by its heads.
        const size = bytes[c.start + 1]!
        const keyEnd = c.start + 2 + size
        const isUsual =
          bytes[c.start] === KEY_TAG && bytes[keyEnd] === VALUE_TAG && keyEnd + 2 + bytes[keyEnd + 1]! === c.end
        if (isUsual && ((this.#lengths >>> (size & 31)) & 1) === 0) continue
        this.#readAttribute(bytes, c.at, c.start, c.end)
      } else if (c.field === LOG_RECORD.TRACE_ID)
        this.#idAt = c.end - c.start === TRACE_ID_BYTES && isGiven(bytes, c.start) ? c.start : 0
    }
  }

  #readAttribute(bytes: Uint8Array, at: number, from: number, to: number): void {
    let keyFrom = from
    let keyTo = from
    let valueFrom = from
    let valueTo = from
    for (const c = this.#inner.reset(bytes, from, to); c.next(); ) {
      if (c.wireType !== 2) continue
      if (c.field === KEY_VALUE.KEY) {
        keyFrom = c.start
        keyTo = c.end
      } else if (c.field === KEY_VALUE.VALUE) {
        valueFrom = c.start
        valueTo = c.end
      }
    }
    for (let i = 0; i < this.#wanted.length; i++) {
      const found = this.#wanted[i]!
      if (found.at >= 0 || !equalBytes(bytes, keyFrom, keyTo, found.key)) continue
      found.at = at
      found.end = to
      found.valueFrom = valueFrom
      found.valueTo = valueTo
    }
  }
}
