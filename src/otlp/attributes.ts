// The attributes of one message as a key is made of them: found by name, and as a hash that does not depend on their order.

import { Cursor } from '../wire/cursor.ts'
import { empty } from '../wire/empty.ts'
import { equalBytes } from '../wire/varint.ts'
import { crcOf, EMPTY_CRC, mix } from './hash.ts'
import type { MergedView } from './resource.ts'
import { ValueView } from './value.ts'

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
    empty(this.#pieces)
    for (let i = 0; i < view.pieces.length; i += 3) this.#pieces.push(view.pieces[i]!, view.pieces[i + 1]!)
    return this
  }

  /** The attributes in field `field` of the message in `bytes[start, end)`. */
  of(bytes: Uint8Array, start: number, end: number, field: number): this {
    this.#bytes = bytes
    this.#field = field
    empty(this.#pieces)
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
