// A W3C tracestate and the member of it that belongs to OpenTelemetry, read in place.
//
//   tracestate = member { "," member }      member = key "=" value, blanks around it, or nothing
//   ot         = field { ";" field }        field  = name ":" text, among them rv (randomness) and th (threshold)
//
// Written back, ot comes first, rv and th come first in it, and everything else follows in its order, without blanks.

import type { Writer } from '../../wire/writer.ts'
import { Bits, readDigits, writeRandomness, writeThreshold } from './bits.ts'

const MAX_BYTES = 1024
const MAX_MEMBERS = 32
const MAX_KEY_BYTES = 256
const MAX_TENANT_BYTES = 241
const MAX_SYSTEM_BYTES = 14
const MAX_VALUE_BYTES = 256
const RANDOMNESS_DIGITS = 14

const COMMA = 44
const SEMICOLON = 59
const EQUALS = 61
const COLON = 58
const AT = 64
const SPACE = 32
const TAB = 9

const MEMBER = Buffer.from('ot=')
const RANDOMNESS = Buffer.from('rv:')
const THRESHOLD = Buffer.from('th:')

export class TraceState {
  hasRandomness = false
  hasThreshold = false
  readonly randomness = new Bits()
  readonly threshold = new Bits()
  #bytes: Uint8Array = new Uint8Array(0)
  // As they were written, capitals and zeros among them. Both 0 where the value is ours.
  #randomnessFrom = 0
  #thresholdFrom = 0
  #thresholdTo = 0
  /** Ranges of what is not ours: fields of ot, other members. */
  readonly #fields: number[] = []
  readonly #members: number[] = []
  #fieldNumbers = 0
  #memberNumbers = 0

  clear(): void {
    this.hasRandomness = false
    this.hasThreshold = false
    this.#fieldNumbers = 0
    this.#memberNumbers = 0
  }

  /**
   * False where it is not a tracestate, or its rv or th cannot be read. What can be is there nevertheless: all but an rv or
   * th that makes no sense, nothing of an ot that is none, nothing at all of what is no tracestate.
   */
  read(bytes: Uint8Array, from: number, to: number): boolean {
    this.clear()
    this.#bytes = bytes
    return this.#isTraceState(from, to) && this.#eachMember(from, to, true)
  }

  #isTraceState(from: number, to: number): boolean {
    return to - from <= MAX_BYTES && this.#eachMember(from, to, false)
  }

  /** Reads each member, or tells only whether all of them are members. */
  #eachMember(from: number, to: number, reads: boolean): boolean {
    let right = true
    let members = 0
    for (let p = from; p < to; ) {
      if (reads && ++members > MAX_MEMBERS) return false
      let end = p
      while (end < to && this.#bytes[end] !== COMMA) end++
      let start = p
      let stop = end
      while (start < stop && isBlank(this.#bytes[start]!)) start++
      while (stop > start && isBlank(this.#bytes[stop - 1]!)) stop--
      if (start < stop) right = (reads ? this.#readMember(start, stop) : this.#isMember(start, stop)) && right
      p = end + 1
    }
    return right
  }

  setRandomness(randomness: Bits): void {
    this.hasRandomness = true
    this.randomness.copy(randomness)
    this.#randomnessFrom = -1
  }

  clearThreshold(): void {
    this.hasThreshold = false
  }

  /** Never lowers the threshold that is there. */
  raiseThreshold(threshold: Bits): void {
    if (this.hasThreshold && this.threshold.exceeds(threshold)) return
    this.hasThreshold = true
    this.threshold.copy(threshold)
    this.#thresholdFrom = -1
  }

  write(writer: Writer): void {
    let first = true
    if (this.hasRandomness || this.hasThreshold || this.#fieldNumbers > 0) {
      first = false
      writer.copy(MEMBER)
      if (this.hasRandomness) {
        writer.copy(RANDOMNESS)
        const from = this.#randomnessFrom
        if (from >= 0) writer.copy(this.#bytes, from, from + RANDOMNESS_DIGITS)
        else writeDigits(writer, writeRandomness, this.randomness)
      }
      if (this.hasThreshold) {
        if (this.hasRandomness) writeByte(writer, SEMICOLON)
        writer.copy(THRESHOLD)
        if (this.#thresholdFrom >= 0) writer.copy(this.#bytes, this.#thresholdFrom, this.#thresholdTo)
        else writeDigits(writer, writeThreshold, this.threshold)
      }
      for (let i = 0; i < this.#fieldNumbers; i += 2) {
        if (i > 0 || this.hasRandomness || this.hasThreshold) writeByte(writer, SEMICOLON)
        writer.copy(this.#bytes, this.#fields[i]!, this.#fields[i + 1]!)
      }
    }
    for (let i = 0; i < this.#memberNumbers; i += 2) {
      if (!first) writeByte(writer, COMMA)
      first = false
      writer.copy(this.#bytes, this.#members[i]!, this.#members[i + 1]!)
    }
  }

  #isMember(from: number, to: number): boolean {
    const equals = this.#bytes.indexOf(EQUALS, from)
    return equals >= 0 && equals < to && isKey(this.#bytes, from, equals) && isValue(this.#bytes, equals + 1, to)
  }

  #readMember(from: number, to: number): boolean {
    const bytes = this.#bytes
    if (bytes[from] === 111 && bytes[from + 1] === 116 && bytes[from + 2] === EQUALS)
      return this.#readFields(from + MEMBER.length, to)
    this.#members[this.#memberNumbers++] = from
    this.#members[this.#memberNumbers++] = to
    return true
  }

  // Of two members ot, which nobody should write, the last one counts.
  #readFields(from: number, to: number): boolean {
    this.hasRandomness = false
    this.hasThreshold = false
    this.#fieldNumbers = 0
    return this.#eachField(from, to, false) && this.#eachField(from, to, true)
  }

  /** Reads each field, or tells only whether all of them are fields. */
  #eachField(from: number, to: number, reads: boolean): boolean {
    const bytes = this.#bytes
    let right = true
    for (let p = from; p <= to; ) {
      let end = p
      while (end < to && bytes[end] !== SEMICOLON) end++
      let colon = p
      while (colon < end && bytes[colon] !== COLON) colon++
      if (reads) right = this.#readField(p, colon, end) && right
      else if (colon === end || !isName(bytes, p, colon) || !isText(bytes, colon + 1, end)) return false
      p = end + 1
    }
    return right
  }

  #readField(from: number, colon: number, to: number): boolean {
    const bytes = this.#bytes
    const name = colon - from === 2 ? bytes[from]! * 256 + bytes[from + 1]! : 0
    if (name === 0x7276) {
      this.hasRandomness = to - colon - 1 === RANDOMNESS_DIGITS && readDigits(this.randomness, bytes, colon + 1, to)
      this.#randomnessFrom = colon + 1
      return this.hasRandomness
    }
    if (name === 0x7468) {
      this.hasThreshold = readDigits(this.threshold, bytes, colon + 1, to)
      this.#thresholdFrom = colon + 1
      this.#thresholdTo = to
      return this.hasThreshold
    }
    this.#fields[this.#fieldNumbers++] = from
    this.#fields[this.#fieldNumbers++] = to
    return true
  }
}

function writeByte(writer: Writer, byte: number): void {
  writer.reserve(1)[writer.length++] = byte
}

function writeDigits(writer: Writer, write: typeof writeRandomness, bits: Bits): void {
  writer.reserve(RANDOMNESS_DIGITS)
  writer.length = write(writer.words.view, writer.length, bits)
}

const isBlank = (char: number): boolean => char === SPACE || char === TAB
const isLetter = (char: number): boolean => char >= 97 && char <= 122
const isDigit = (char: number): boolean => char >= 48 && char <= 57
// - _ * /
const isKeyChar = (char: number): boolean =>
  isLetter(char) || isDigit(char) || char === 45 || char === 95 || char === 42 || char === 47

// W3C Trace Context, 3.3.1.3.1: a key, or tenant@system.
function isKey(bytes: Uint8Array, from: number, to: number): boolean {
  if (to === from || to - from > MAX_KEY_BYTES) return false
  let at = from
  while (at < to && bytes[at] !== AT) at++
  if (at === to) return isLetter(bytes[from]!) && areKeyChars(bytes, from, to)
  if (at === from || at + 1 === to || at - from > MAX_TENANT_BYTES || to - at - 1 > MAX_SYSTEM_BYTES) return false
  if (!isLetter(bytes[from]!) && !isDigit(bytes[from]!)) return false
  return isLetter(bytes[at + 1]!) && areKeyChars(bytes, from, at) && areKeyChars(bytes, at + 1, to)
}

function areKeyChars(bytes: Uint8Array, from: number, to: number): boolean {
  for (let i = from; i < to; i++) if (!isKeyChar(bytes[i]!)) return false
  return true
}

// Printable ASCII but for the comma and the equals sign, no blank at the end.
function isValue(bytes: Uint8Array, from: number, to: number): boolean {
  if (to === from || to - from > MAX_VALUE_BYTES || bytes[to - 1] === SPACE) return false
  for (let i = from; i < to; i++) {
    const char = bytes[i]!
    if (char < SPACE || char > 126 || char === COMMA || char === EQUALS) return false
  }
  return true
}

function isName(bytes: Uint8Array, from: number, to: number): boolean {
  if (to === from || !isLetter(bytes[from]!)) return false
  for (let i = from; i < to; i++) if (!isLetter(bytes[i]!) && !isDigit(bytes[i]!)) return false
  return true
}

// Letters, digits, . _ -
function isText(bytes: Uint8Array, from: number, to: number): boolean {
  for (let i = from; i < to; i++) {
    const char = bytes[i]!
    if (!isLetter(char | 32) && !isDigit(char) && char !== 46 && char !== 95 && char !== 45) return false
  }
  return true
}
