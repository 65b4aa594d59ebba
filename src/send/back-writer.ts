// Encoded protobuf, written from its end to its start: the length of a message is known when its contents stand, so
// nothing is copied or measured twice. Fields come out in the opposite order of the calls: write the last one first.

const encoder = new TextEncoder()

export class BackWriter {
  #bytes: Uint8Array<ArrayBuffer> = new Uint8Array(4096)
  #view = new DataView(this.#bytes.buffer)
  #at = this.#bytes.length

  /** Bytes written so far. Where a field was written: `written` right after it, counted from the end. */
  get written(): number {
    return this.#bytes.length - this.#at
  }

  /** A copy of all that was written. */
  toBytes(): Uint8Array<ArrayBuffer> {
    return this.#bytes.slice(this.#at)
  }

  message(field: number, write: () => void): void {
    const before = this.written
    write()
    this.#varint(this.written - before)
    this.#tag(field, 2)
  }

  bytes(field: number, value: Uint8Array): void {
    this.#reserve(value.length)
    this.#at -= value.length
    this.#bytes.set(value, this.#at)
    this.#varint(value.length)
    this.#tag(field, 2)
  }

  text(field: number, value: string): void {
    this.bytes(field, encoder.encode(value))
  }

  /** A whole number from 0 to 2^53. */
  varint(field: number, value: number): void {
    this.#varint(value)
    this.#tag(field, 0)
  }

  double(field: number, value: number): void {
    this.#reserve(8)
    this.#at -= 8
    this.#view.setFloat64(this.#at, value, true)
    this.#tag(field, 1)
  }

  /** A 64-bit number that is written later, into the finished bytes. Returns its place, counted from the end. */
  fixed64(field: number, value = 0): number {
    this.#reserve(8)
    this.#at -= 8
    writeFixed64(this.#view, this.#at, value)
    const place = this.written
    this.#tag(field, 1)
    return place
  }

  #tag(field: number, wireType: number): void {
    this.#varint(field * 8 + wireType)
  }

  #varint(value: number): void {
    let size = 1
    for (let rest = value; rest >= 128; rest = Math.floor(rest / 128)) size++
    this.#reserve(size)
    this.#at -= size
    let rest = value
    for (let i = 0; i < size; i++) {
      this.#bytes[this.#at + i] = (rest % 128) | (i < size - 1 ? 128 : 0)
      rest = Math.floor(rest / 128)
    }
  }

  #reserve(more: number): void {
    if (more <= this.#at) return
    const written = this.written
    const grown = new Uint8Array(Math.max(this.#bytes.length * 2, written + more))
    grown.set(this.#bytes.subarray(this.#at), grown.length - written)
    this.#bytes = grown
    this.#view = new DataView(grown.buffer)
    this.#at = grown.length - written
  }
}

/** Little-endian; exact to 2^53, and beyond that to the nearest double (256 ns for the nanoseconds of this century). */
export function writeFixed64(view: DataView, at: number, value: number): void {
  view.setUint32(at, value % 2 ** 32, true)
  view.setUint32(at + 4, Math.floor(value / 2 ** 32), true)
}
