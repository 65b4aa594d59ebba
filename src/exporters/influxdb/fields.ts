// The fields of a line, one after the other: a space in front of the first, commas in front of the others.

import { writeTime } from './line-time.ts'
import type { LineWriter } from './lines.ts'
import { writeHex } from './record-tags.ts'

const COMMA = 44
const SPACE = 32
const EQUALS = 61

/** Keys that a line has among its tags. */
export interface TagKeys {
  has(key: string): boolean
}

export class Fields {
  readonly #writer: LineWriter
  readonly #tags: TagKeys | undefined
  count = 0
  /** Fields that were left out because a tag has their key. */
  hidden = 0

  constructor(writer: LineWriter, tags?: TagKeys) {
    this.#writer = writer
    this.#tags = tags
  }

  #isHidden(key: string): boolean {
    if (this.#tags?.has(key) !== true) return false
    this.hidden++
    return true
  }

  #key(key: string): LineWriter {
    const writer = this.#writer
    writer.byte(this.count++ === 0 ? SPACE : COMMA)
    writer.ascii(key)
    writer.byte(EQUALS)
    return writer
  }

  /** Left out when it is empty. */
  text(key: string, bytes: Uint8Array, from = 0, to = bytes.length): void {
    if (to > from) this.always(key, bytes, from, to)
  }

  /** A text that may be empty. */
  always(key: string, bytes: Uint8Array, from = 0, to = bytes.length): void {
    if (!this.#isHidden(key)) this.#key(key).quoted(bytes, from, to)
  }

  word(key: string, word: string): void {
    if (!this.#isHidden(key)) this.#key(key).ascii(`"${word}"`)
  }

  hex(key: string, bytes: Uint8Array, at: number, size: number): void {
    if (at === 0 || this.#isHidden(key)) return
    const writer = this.#key(key)
    writer.byte(34)
    writeHex(writer, bytes, at, size)
    writer.byte(34)
  }

  /** A whole number within ±2^53. */
  integer(key: string, value: number): void {
    if (this.#isHidden(key)) return
    const writer = this.#key(key)
    writer.float(value)
    writer.byte(105)
  }

  /** Left out when it is 0. */
  unsigned(key: string, value: number): void {
    if (value === 0 || this.#isHidden(key)) return
    const writer = this.#key(key)
    writer.float(value)
    writer.byte(117)
  }

  /** A fixed64 of nanoseconds in halves; left out when it is 0. */
  nanos(key: string, high: number, low: number): void {
    if ((high | low) === 0 || this.#isHidden(key)) return
    const writer = this.#key(key)
    writer.reserve(24)
    writer.length = writeTime(writer.bytes, writer.length, high, low, 1)
    writer.byte(105)
  }
}
