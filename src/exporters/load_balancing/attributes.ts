// Attributes as keys are made of them: found by name, as text, and as a hash that does not depend on their order.

import type { MergedView } from '../../otlp/resource.ts'
import { readKeyValue, VALUE, ValueView } from '../../otlp/value.ts'
import { Cursor } from '../../wire/cursor.ts'
import { equalBytes } from '../../wire/varint.ts'
import { crcOf, EMPTY_CRC } from './ring.ts'

/** A reused cursor over the attributes of one message, which may come in pieces that merge. */
export class Attributes {
  #bytes: Uint8Array = new Uint8Array(0)
  #field = 0
  readonly #pieces: number[] = []
  readonly #list = new Cursor()
  readonly #inner = new Cursor()
  readonly #value = new ValueView()

  /** The attributes in field `field` of a resource or scope. */
  ofPieces(view: MergedView, field: number): this {
    this.#bytes = view.bytes
    this.#field = field
    this.#pieces.length = 0
    for (let i = 0; i < view.pieces.length; i += 3) this.#pieces.push(view.pieces[i]!, view.pieces[i + 1]!)
    return this
  }

  /** The attributes in field `field` of the message in `bytes[start, end)`. */
  of(bytes: Uint8Array, start: number, end: number, field: number): this {
    this.#bytes = bytes
    this.#field = field
    this.#pieces.length = 0
    this.#pieces.push(start, end)
    return this
  }

  /** The value of the first attribute with that key, reused by the next find(). */
  find(key: Uint8Array): ValueView | undefined {
    const bytes = this.#bytes
    for (let i = 0; i < this.#pieces.length; i += 2) {
      for (const c = this.#list.reset(bytes, this.#pieces[i]!, this.#pieces[i + 1]!); c.find(this.#field); ) {
        let hasKey = key.length === 0
        let from = c.start
        let to = c.start
        for (const kv = this.#inner.reset(bytes, c.start, c.end); kv.next(); ) {
          if (kv.wireType !== 2) continue
          if (kv.field === 1) hasKey = equalBytes(bytes, kv.start, kv.end, key)
          else if (kv.field === 2) [from, to] = [kv.start, kv.end]
        }
        if (!hasKey) continue
        return this.#value.reset(bytes, from, to)
      }
    }
    return undefined
  }

  /** Equal for the same keys and encoded values in any order. */
  hash(): number {
    const bytes = this.#bytes
    let sum = 0
    for (let i = 0; i < this.#pieces.length; i += 2) {
      for (const c = this.#list.reset(bytes, this.#pieces[i]!, this.#pieces[i + 1]!); c.find(this.#field); ) {
        let key = EMPTY_CRC
        let value = EMPTY_CRC
        for (const kv = this.#inner.reset(bytes, c.start, c.end); kv.next(); ) {
          if (kv.wireType !== 2) continue
          if (kv.field === 1) key = crcOf(EMPTY_CRC, bytes, kv.start, kv.end)
          else if (kv.field === 2) value = crcOf(EMPTY_CRC, bytes, kv.start, kv.end)
        }
        sum = (sum + mix(key, value)) | 0
      }
    }
    return sum >>> 0
  }
}

/** One number of two, so that neither their order nor a common part cancels out (the finish of MurmurHash3). */
export function mix(a: number, b: number): number {
  let value = (Math.imul(a, 0x9e3779b1) ^ b) | 0
  value = Math.imul(value ^ (value >>> 16), 0x85ebca6b)
  value = Math.imul(value ^ (value >>> 13), 0xc2b2ae35)
  return (value ^ (value >>> 16)) >>> 0
}

/** A value as the Collector writes it into a key (contrib, attribute_routing.go): lists [a,b], maps {k:v} by key. */
export function keyText(value: ValueView): string {
  switch (value.type) {
    case VALUE.DOUBLE:
      return shortestText(value.number())
    case VALUE.LIST: {
      const elements: string[] = []
      for (const c = new Cursor().reset(value.bytes, value.start, value.end); c.find(1); )
        elements.push(keyText(new ValueView().reset(c.bytes, c.start, c.end)))
      return `[${elements.join(',')}]`
    }
    case VALUE.MAP: {
      const entries: [string, string][] = []
      for (const c = new Cursor().reset(value.bytes, value.start, value.end); c.find(1); ) {
        const { key, bytes, from, to } = readKeyValue(c.bytes, c.start, c.end)
        entries.push([key, keyText(new ValueView().reset(bytes, from, to))])
      }
      entries.sort(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
      return `{${entries.map(([key, text]) => `${key}:${text}`).join(',')}}`
    }
    default:
      return value.toText()
  }
}

/** Go's strconv.FormatFloat(value, 'g', -1, 64): the shortest digits, with an exponent below 1e-4 and from 1e6 on. */
function shortestText(value: number): string {
  if (Number.isNaN(value)) return 'NaN'
  if (!Number.isFinite(value)) return value > 0 ? '+Inf' : '-Inf'
  if (Object.is(value, -0)) return '-0'
  const [digits, power] = value.toExponential().split('e') as [string, string]
  const exponent = Number(power)
  if (exponent >= -4 && exponent < 6) return String(value)
  return `${digits}e${exponent < 0 ? '-' : '+'}${String(Math.abs(exponent)).padStart(2, '0')}`
}
