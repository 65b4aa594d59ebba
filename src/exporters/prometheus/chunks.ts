// Bytes of an exposition, gathered into chunks that are handed on and never written again.

import { valueText } from '../../prometheus/number-text.ts'
import { writeVarint } from '../../wire/varint.ts'

const CHUNK_BYTES = 64 * 1024

export class Chunks {
  #buffer = Buffer.allocUnsafeSlow(CHUNK_BYTES)
  #at = 0
  readonly #full: Buffer[] = []

  /** What is full by now; ownership goes over. */
  takeFull(): Buffer[] {
    return this.#full.splice(0)
  }

  /** Everything. */
  takeAll(): Buffer[] {
    this.#close()
    return this.takeFull()
  }

  /** Bytes that it holds. */
  get length(): number {
    let length = this.#at
    for (const chunk of this.#full) length += chunk.length
    return length
  }

  /** Hands all that it holds to `other`, and is empty. */
  moveTo(other: Chunks): void {
    if (this.#full.length === 0) {
      other.bytes(this.#buffer, 0, this.#at)
      this.#at = 0
      return
    }
    this.#close()
    other.#close()
    other.#full.push(...this.takeFull())
  }

  varint(value: number): void {
    this.#reserve(10)
    this.#at = writeVarint(this.#buffer, this.#at, value)
  }

  get hasFull(): boolean {
    return this.#full.length > 0
  }

  byte(value: number): void {
    this.#reserve(1)
    this.#buffer[this.#at++] = value
  }

  /** Text of ASCII letters. */
  ascii(text: string): void {
    this.#reserve(text.length)
    // A call into the engine's C++ costs as much as some twenty letters.
    if (text.length < 24) {
      const buffer = this.#buffer
      let at = this.#at
      for (let i = 0; i < text.length; i++) buffer[at++] = text.charCodeAt(i)
      this.#at = at
    } else this.#at += this.#buffer.write(text, this.#at, 'latin1')
  }

  text(text: string): void {
    this.#reserve(text.length * 3)
    this.#at += this.#buffer.write(text, this.#at, 'utf8')
  }

  bytes(bytes: Uint8Array, from = 0, to = bytes.length): void {
    this.#reserve(to - from)
    this.#buffer.set(bytes.subarray(from, to), this.#at)
    this.#at += to - from
  }

  /** A sample's value, in text. */
  value(value: number): void {
    if (value >= 0 && value < 1e9 && value === Math.floor(value) && !Object.is(value, -0)) this.#digits(value)
    else this.ascii(valueText(value))
  }

  #digits(value: number): void {
    this.#reserve(10)
    let digits = 1
    for (let bound = 10; value >= bound; bound *= 10) digits++
    let rest = value | 0
    for (let at = this.#at + digits - 1; at >= this.#at; at--) {
      const next = (rest / 10) | 0
      this.#buffer[at] = 0x30 + rest - next * 10
      rest = next
    }
    this.#at += digits
  }

  #reserve(bytes: number): void {
    if (this.#at + bytes <= this.#buffer.length) return
    this.#close()
    if (bytes > CHUNK_BYTES) this.#buffer = Buffer.allocUnsafeSlow(bytes)
  }

  #close(): void {
    if (this.#at === 0) return
    this.#full.push(this.#buffer.subarray(0, this.#at))
    this.#buffer = Buffer.allocUnsafeSlow(CHUNK_BYTES)
    this.#at = 0
  }
}
