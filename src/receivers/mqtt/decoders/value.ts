// One value and nothing else: `32.5`, `true`, `ON`. The topic is its name.

import { isUtf8 } from 'node:buffer'
import { BadPayload } from '../../../readings/bad-payload.ts'
import { WHOLE_LIMIT } from '../../../readings/json-number.ts'
import { defineDecoder } from './decoder.ts'

const LONGEST_WORD = 64

/** What devices write for on and off. */
const WORDS: Readonly<Record<string, number>> = {
  true: 1,
  on: 1,
  yes: 1,
  online: 1,
  open: 1,
  false: 0,
  off: 0,
  no: 0,
  offline: 0,
  closed: 0,
}

const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i

export const value = defineDecoder({
  name: 'value',
  summary: 'One number, boolean or word (`32.5`, `true`, `ON`), named by the topic; another text is a log record.',
  create: () => (message, out) => {
    const { bytes, from, to, ownName } = message
    if (!isUtf8(bytes.subarray(from, to))) throw new BadPayload('not_utf8', 'the value is not UTF-8')
    const written = Buffer.from(bytes.buffer, bytes.byteOffset + from, to - from)
      .toString()
      .trim()
    const text = /^"[^"\\]*"$/.test(written) ? written.slice(1, -1) : written
    if (text === '') throw new BadPayload('wrong_shape', 'the payload is empty')
    const number = NUMBER.test(text)
      ? Number(text)
      : text.length <= LONGEST_WORD
        ? WORDS[text.toLowerCase()]
        : undefined
    if (number === undefined) out.text(Buffer.from(ownName).toString(), text)
    else {
      const digits = Buffer.from(text.replace(/^\+/, ''))
      if (Math.abs(number) >= WHOLE_LIMIT) out.digits(digits, 0, digits.length)
      out.reading(ownName, 0, ownName.length, 0, 0, number)
    }
  },
})
