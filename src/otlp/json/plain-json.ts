// Attribute values as the JSON that people write: "text", 1.5, true, [..], {..}; bytes in base64. What JSON has no number
// for (NaN and the infinities) is null, as is the empty value. OTLP/JSON, which wraps each value in its type, is writer.ts.

import { VALUE, type ValueView } from '../value.ts'
import { JsonText } from './json-text.ts'

const FIRST_BYTES = 1024

export class PlainJson extends JsonText {
  constructor() {
    super()
    this.use(new Uint8Array(FIRST_BYTES))
  }

  /** What was written is in `bytes[0, length)`, until more is written. */
  get bytes(): Uint8Array {
    return this.out
  }

  get length(): number {
    return this.to
  }

  clear(): this {
    this.to = 0
    return this
  }

  /** A single character of JSON's own, such as a comma. */
  sign(byte: number): this {
    this.byte(byte)
    return this
  }

  raw(bytes: Uint8Array): this {
    this.reserve(bytes.length)
    this.out.set(bytes, this.to)
    this.to += bytes.length
    return this
  }

  /** UTF-8 in quotes. */
  quoted(bytes: Uint8Array, from = 0, to = bytes.length): this {
    this.source = bytes
    this.string(from, to)
    return this
  }

  value(view: ValueView): this {
    switch (view.type) {
      case VALUE.STRING:
        return this.quoted(view.bytes, view.start, view.end)
      case VALUE.BOOL:
        this.text(view.bool() ? 'true' : 'false')
        return this
      case VALUE.INT: {
        const value = view.number()
        if (Number.isSafeInteger(value)) this.decimal(value)
        else this.text(view.toText())
        return this
      }
      case VALUE.DOUBLE: {
        const value = view.number()
        if (Number.isFinite(value)) this.double(value)
        else this.text('null')
        return this
      }
      case VALUE.BYTES:
        return this.raw(Buffer.from(`"${view.toText()}"`))
      case VALUE.LIST:
      case VALUE.MAP: {
        const text = view.toText()
        return this.raw(Buffer.from(text === '' ? 'null' : text))
      }
      default:
        this.text('null')
        return this
    }
  }
}
