// The fields of a line, one after the other: a space in front of the first, commas in front of the others.

import { writeTime } from './line-time.ts'
import type { LineWriter } from './lines.ts'
import { writeHex } from './record-tags.ts'

const COMMA = 44
const SPACE = 32
const EQUALS = 61

export class Fields {
  readonly #writer: LineWriter
  count = 0

  constructor(writer: LineWriter) {
    this.#writer = writer
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
    if (to > from) this.#key(key).quoted(bytes, from, to)
  }

  word(key: string, word: string): void {
    this.#key(key).ascii(`"${word}"`)
  }

  hex(key: string, bytes: Uint8Array, at: number, size: number): void {
    if (at === 0) return
    const writer = this.#key(key)
    writer.byte(34)
    writeHex(writer, bytes, at, size)
    writer.byte(34)
  }

  /** A whole number within ±2^53. */
  integer(key: string, value: number): void {
    this.#key(key).integer(value, () => BigInt(value))
  }

  /** Left out when it is 0. */
  unsigned(key: string, value: number): void {
    if (value === 0) return
    const writer = this.#key(key)
    writer.float(value)
    writer.byte(117)
  }

  /** A fixed64 of nanoseconds in halves; left out when it is 0. */
  nanos(key: string, high: number, low: number): void {
    if ((high | low) === 0) return
    const writer = this.#key(key)
    writer.reserve(24)
    writer.length = writeTime(writer.bytes, writer.length, high, low, 1)
    writer.byte(105)
  }
}
