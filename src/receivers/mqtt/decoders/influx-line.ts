// InfluxDB's line protocol, one point a line:
//
//   measurement[,tag=value...] field=value[,field=value...] [timestamp]
//
//   value = 1.5 | 42i | 42u | t | T | true | True | TRUE | f ... | "text, with \" and \\ escaped"
//
// A backslash escapes a comma, a space and an equals sign in names and tags. A field is a metric `measurement.field`
// (`measurement` alone for a field called `value`); tags are attributes of its points, but for `device_id`, which is the
// device. Texts are log records. Timestamps are nanoseconds, or what their size says.

import { isUtf8 } from 'node:buffer'
import { BadPayload } from '../../../readings/bad-payload.ts'
import { readDouble, WHOLE_LIMIT } from '../../../readings/json-number.ts'

import { defineDecoder } from './decoder.ts'
import { type Attributes, Payload } from './payload.ts'

const COMMA = 0x2c
const SPACE = 0x20
const EQUALS = 0x3d
const QUOTE = 0x22
const BACKSLASH = 0x5c
const NEWLINE = 0x0a
const MARKS_MAX = 10_000
const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i
const TRUE: ReadonlySet<string> = new Set(['t', 'T', 'true', 'True', 'TRUE'])
const FALSE: ReadonlySet<string> = new Set(['f', 'F', 'false', 'False', 'FALSE'])

export const influxLine = defineDecoder({
  name: 'influx_line',
  summary: "InfluxDB's line protocol: a metric per field, tags as attributes.",
  create: (context) => {
    const payload = new Payload(context)
    // What stands in front of the fields, and what it means; the same bytes come again and again.
    const heads = new Map<string, Head>()
    let bytes: Uint8Array = new Uint8Array(0)
    let end = 0
    let at = 0

    const fail = (what: string): never => {
      throw new BadPayload('wrong_shape', what)
    }

    /** Over a name or tag to the first of two characters or a space that is not escaped. */
    function token(stop: number, other: number): string {
      const from = at
      let isEscaped = false
      for (; at < end; at++) {
        const char = bytes[at]!
        if (char === BACKSLASH && at + 1 < end) {
          isEscaped = true
          at++
        } else if (char === stop || char === other || char === SPACE || char === NEWLINE) break
      }
      if (at === from) fail('an empty name')
      const text = Buffer.from(bytes.buffer, bytes.byteOffset + from, at - from).toString()
      return isEscaped ? text.replace(/\\([,= \\])/g, '$1') : text
    }

    function head(): Head {
      const from = at
      const measurement = token(COMMA, COMMA)
      const tags: [string, string][] = []
      while (bytes[at] === COMMA && at < end) {
        at++
        const key = token(EQUALS, COMMA)
        if (bytes[at] !== EQUALS || at >= end) fail('a tag without a value')
        at++
        tags.push([key, token(COMMA, EQUALS)])
        if (bytes[at] === EQUALS && at < end) fail('an equals sign in a tag')
      }
      if (bytes[at] !== SPACE || at >= end) fail('a point without fields')
      const key = Buffer.from(bytes.buffer, bytes.byteOffset + from, at - from).toString('latin1')
      let known = heads.get(key)
      if (known === undefined) {
        if (heads.size >= MARKS_MAX) heads.clear()
        known = {
          measurement: Buffer.from(measurement),
          device: tags.find(([name]) => name === 'device_id')?.[1],
          tags: tags.filter(([name]) => name !== 'device_id'),
        }
        heads.set(key, known)
      }
      while (bytes[at] === SPACE && at < end) at++
      return known
    }

    /** Where the line's timestamp begins; the fields are read over. */
    function afterFields(): number {
      let inText = false
      let p = at
      for (; p < end; p++) {
        const char = bytes[p]!
        if (char === BACKSLASH) p++
        else if (char === QUOTE) inText = !inText
        else if (!inText && (char === SPACE || char === NEWLINE)) break
      }
      return Math.min(p, end)
    }

    function field(measurement: Uint8Array): void {
      const name = token(EQUALS, COMMA)
      if (bytes[at] !== EQUALS || at >= end) fail('a field without a value')
      at++
      payload.nameIs(measurement)
      const before = payload.length
      if (name !== 'value') payload.enterText(name)
      if (bytes[at] === QUOTE && at < end) payload.text(text())
      else number()
      payload.leave(before)
    }

    function text(): string {
      const from = ++at
      for (; at < end && bytes[at] !== QUOTE; at++) if (bytes[at] === BACKSLASH) at++
      if (at >= end) fail('a text without an end')
      const raw = Buffer.from(bytes.buffer, bytes.byteOffset + from, at - from).toString()
      at++
      return raw.replace(/\\(["\\])/g, '$1')
    }

    function number(): void {
      const from = at
      while (at < end && bytes[at] !== COMMA && bytes[at] !== SPACE && bytes[at] !== NEWLINE) at++
      const word = Buffer.from(bytes.buffer, bytes.byteOffset + from, at - from).toString('latin1')
      if (TRUE.has(word) || FALSE.has(word)) {
        payload.number(TRUE.has(word) ? 1 : 0)
        return
      }
      const last = word.charCodeAt(word.length - 1)
      const to = last === 0x69 || last === 0x75 ? at - 1 : at
      const digits = word.slice(0, to - from)
      if (!NUMBER.test(digits)) throw new BadPayload('bad_number', `${word.slice(0, 32)} is no value`)
      const isPlus = bytes[from] === 0x2b
      const value = isPlus || digits.includes('e') ? Number(digits) : readDouble(bytes, from, to)
      if (Math.abs(value) >= WHOLE_LIMIT) payload.out.digits(bytes, isPlus ? from + 1 : from, to)
      payload.number(value)
    }

    function line(): void {
      const { measurement, device, tags } = head()
      const { out, message } = payload
      const stop = afterFields()
      let time = stop
      while (time < end && bytes[time] === SPACE) time++
      let timeEnd = time
      while (timeEnd < end && bytes[timeEnd] !== NEWLINE) timeEnd++
      let timeTo = timeEnd
      while (timeTo > time && (bytes[timeTo - 1] === SPACE || bytes[timeTo - 1] === 0x0d)) timeTo--
      if (device === undefined) out.topicDevice()
      else payload.deviceOf(device)
      if (timeTo > time) message.times.digits(bytes, time, timeTo, out)
      else out.atMillis(message.receivedMs)
      out.mark(tags)
      for (;;) {
        field(measurement)
        if (at >= stop) break
        if (bytes[at] !== COMMA) fail('something behind a field')
        at++
      }
      at = timeEnd
    }

    return (message, out) => {
      payload.message = message
      payload.out = out
      bytes = message.bytes
      at = message.from
      end = message.to
      if (!isUtf8(bytes.subarray(at, end))) throw new BadPayload('not_utf8', 'the lines are not UTF-8')
      let lines = 0
      while (at < end) {
        const char = bytes[at]!
        if (char === NEWLINE || char === SPACE || char === 0x0d) at++
        else if (char === 0x23) while (at < end && bytes[at] !== NEWLINE) at++
        else {
          line()
          lines++
        }
      }
      if (lines === 0) throw new BadPayload('wrong_shape', 'no line of the protocol')
    }
  },
})

interface Head {
  readonly measurement: Uint8Array
  readonly device: string | undefined
  readonly tags: Attributes
}
