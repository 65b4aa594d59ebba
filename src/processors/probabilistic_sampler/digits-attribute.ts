// An attribute of a log record whose value is a text of at most 14 hexadecimal digits: encoded once, but for these.
//
//   tag size [ tag size key   tag size [ tag size digits ] ]        each size is one byte

import { ANY_VALUE, KEY_VALUE, LOG_RECORD } from '../../otlp/fields.ts'
import { copyRange, type Words, wordsOf } from '../../wire/copy.ts'
import type { Writer } from '../../wire/writer.ts'
import { type Bits, DIGITS, type writeRandomness } from './bits.ts'

export class DigitsAttribute {
  readonly #head: Words

  constructor(key: Uint8Array) {
    const keyField = [KEY_VALUE.KEY * 8 + 2, key.length, ...key]
    const heads = [KEY_VALUE.VALUE * 8 + 2, 0, ANY_VALUE.STRING_VALUE * 8 + 2, 0]
    this.#head = wordsOf(Uint8Array.of(LOG_RECORD.ATTRIBUTES * 8 + 2, 0, ...keyField, ...heads))
  }

  /** Appends the attribute, tag and length included. */
  write(target: Writer, write: typeof writeRandomness, bits: Bits): void {
    const headBytes = this.#head.bytes.length
    target.reserve(headBytes + DIGITS)
    const { view } = target.words
    const from = target.length
    const digitsAt = copyRange(this.#head, 0, headBytes, target.words, from)
    const end = write(view, digitsAt, bits)
    view.setUint8(from + 1, end - from - 2)
    view.setUint8(digitsAt - 3, end - digitsAt + 2)
    view.setUint8(digitsAt - 1, end - digitsAt)
    target.length = end
  }
}
