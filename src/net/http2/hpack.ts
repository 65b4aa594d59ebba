// HPACK (RFC 7541): reads header blocks with the whole of it (static and dynamic table, Huffman), writes the few forms
// that a client with constant headers needs.

import { H2_ERROR, H2ConnectionError } from './frame.ts'
import { readHuffman } from './huffman.ts'

/** What we let the other side index, and its default (RFC 9113 6.5.2). */
export const HEADER_TABLE_BYTES = 4096
/** Decoded size of one block, each header counted with 32 bytes on top (RFC 9113 6.5.2). */
export const MAX_HEADER_LIST_BYTES = 64 * 1024

/** RFC 7541 4.1: what an entry counts beside its name and value. */
const ENTRY_OVERHEAD = 32

export class HpackError extends H2ConnectionError {
  override readonly name = 'HpackError'

  constructor(message: string) {
    super(H2_ERROR.COMPRESSION_ERROR, message)
  }
}

export type OnHeader = (name: string, value: string) => void

// RFC 7541 appendix A; `name` or `name=value`, index 1 first.
const STATIC_TABLE =
  `:authority|:method=GET|:method=POST|:path=/|:path=/index.html|:scheme=http|:scheme=https|:status=200|:status=204|:status=206|:status=304|:status=400|:status=404|:status=500|accept-charset|accept-encoding=gzip, deflate|accept-language|accept-ranges|accept|access-control-allow-origin|age|allow|authorization|cache-control|content-disposition|content-encoding|content-language|content-length|content-location|content-range|content-type|cookie|date|etag|expect|expires|from|host|if-match|if-modified-since|if-none-match|if-range|if-unmodified-since|last-modified|link|location|max-forwards|proxy-authenticate|proxy-authorization|range|referer|refresh|retry-after|server|set-cookie|strict-transport-security|transfer-encoding|user-agent|vary|via|www-authenticate`
    .split('|')
    .map((entry) => {
      const equals = entry.indexOf('=')
      return equals < 0 ? ([entry, ''] as const) : ([entry.slice(0, equals), entry.slice(equals + 1)] as const)
    })

const STATIC_SIZE = STATIC_TABLE.length

export class HpackDecoder {
  // The newest entry is last, so index 62 is names[length - 1].
  #names: string[] = []
  #values: string[] = []
  #size = 0
  #limit = HEADER_TABLE_BYTES
  #bytes: Uint8Array = new Uint8Array(0)
  #at = 0
  #to = 0
  #changes = 0

  /**
   * Moves whenever the table does. A block that was read without moving it means the same again, byte for byte, for as
   * long as this stays what it was.
   */
  get changes(): number {
    return this.#changes
  }

  /** Reads one complete header block. Throws HpackError, after which the connection is of no use (RFC 7541 3). */
  decode(bytes: Uint8Array, from: number, to: number, onHeader: OnHeader): void {
    if (!this.tryDecode(bytes, from, to, onHeader))
      throw new HpackError(`more than ${MAX_HEADER_LIST_BYTES} bytes of headers`)
  }

  /**
   * The same where a list that is too large concerns its own stream only: then false, and `onHeader` was not called for
   * all of it; the table is as the sender has it.
   */
  tryDecode(
    bytes: Uint8Array,
    from: number,
    to: number,
    onHeader: OnHeader,
    maxListBytes = MAX_HEADER_LIST_BYTES,
  ): boolean {
    this.#bytes = bytes
    this.#at = from
    this.#to = to
    let listBytes = 0
    let first = true
    while (this.#at < to) {
      const byte = bytes[this.#at]!
      let name: string
      let value: string
      if (byte >= 0x80) {
        const index = this.#integer(7)
        name = this.#nameAt(index)
        value = index <= STATIC_SIZE ? STATIC_TABLE[index - 1]![1] : this.#values[this.#slot(index)]!
      } else if (byte >= 0x40) {
        name = this.#literalName(6)
        value = this.#string()
        this.#insert(name, value)
      } else if (byte >= 0x20) {
        // RFC 7541 4.2: only at the beginning of a block.
        if (!first) throw new HpackError('table size update inside a header block')
        this.#resize(this.#integer(5))
        continue
      } else {
        name = this.#literalName(4)
        value = this.#string()
      }
      first = false
      listBytes += name.length + value.length + ENTRY_OVERHEAD
      if (listBytes <= maxListBytes) onHeader(name, value)
    }
    return listBytes <= maxListBytes
  }

  #literalName(prefixBits: number): string {
    const index = this.#integer(prefixBits)
    return index === 0 ? this.#string() : this.#nameAt(index)
  }

  #nameAt(index: number): string {
    if (index === 0) throw new HpackError('index 0')
    return index <= STATIC_SIZE ? STATIC_TABLE[index - 1]![0] : this.#names[this.#slot(index)]!
  }

  #slot(index: number): number {
    const slot = this.#names.length - (index - STATIC_SIZE)
    if (slot < 0) throw new HpackError(`index ${index} is not in the table`)
    return slot
  }

  #integer(prefixBits: number): number {
    const mask = (1 << prefixBits) - 1
    let value = this.#bytes[this.#at++]! & mask
    if (value < mask) return value
    for (let shift = 0; ; shift += 7) {
      if (this.#at >= this.#to) throw new HpackError('integer cut short')
      // Nothing in a block that is bounded needs more than 28 bits.
      if (shift > 21) throw new HpackError('integer too large')
      const byte = this.#bytes[this.#at++]!
      value += (byte & 0x7f) << shift
      if (byte < 0x80) return value
    }
  }

  #string(): string {
    if (this.#at >= this.#to) throw new HpackError('string cut short')
    const huffman = this.#bytes[this.#at]! >= 0x80
    const length = this.#integer(7)
    const from = this.#at
    this.#at += length
    if (this.#at > this.#to) throw new HpackError('string cut short')
    if (!huffman) return latin1Slice.call(this.#bytes, from, this.#at)
    try {
      return readHuffman(this.#bytes, from, this.#at)
    } catch (error) {
      throw new HpackError((error as Error).message)
    }
  }

  #insert(name: string, value: string): void {
    const size = name.length + value.length + ENTRY_OVERHEAD
    this.#changes++
    this.#evict(this.#limit - size)
    // RFC 7541 4.4: an entry larger than the table empties it and is not an error.
    if (size > this.#limit) return
    this.#names.push(name)
    this.#values.push(value)
    this.#size += size
  }

  #resize(limit: number): void {
    if (limit > HEADER_TABLE_BYTES) throw new HpackError(`table size ${limit} is more than we allow`)
    this.#changes++
    this.#limit = limit
    this.#evict(limit)
  }

  #evict(limit: number): void {
    let count = 0
    while (this.#size > limit && count < this.#names.length) {
      this.#size -= this.#names[count]!.length + this.#values[count]!.length + ENTRY_OVERHEAD
      count++
    }
    if (count === 0) return
    this.#names.splice(0, count)
    this.#values.splice(0, count)
  }
}

const { latin1Slice } = Buffer.prototype

/** Headers that are the same for many requests. Its identity is what the encoder remembers. */
export type HeaderList = readonly (readonly [name: string, value: string])[]

/**
 * Writes header blocks for lists that come again and again: each header goes into the other side's table once and is
 * one byte from then on. What does not fit into the table any more travels as a literal, and now and then the table is
 * begun anew: credentials change, and those of yesterday would fill it for ever.
 */
export class HpackEncoder {
  readonly #inserted = new Map<string, number>()
  readonly #blocks = new Map<HeaderList, { readonly block: Buffer; readonly insertions: number }>()
  #tableBytes = 0
  #limit: number
  #update: number | undefined
  /** Since the table was empty. */
  #encoded = 0
  #isFull = false

  /** `peerTableBytes` is the other side's SETTINGS_HEADER_TABLE_SIZE. */
  constructor(peerTableBytes = HEADER_TABLE_BYTES) {
    this.#limit = Math.min(peerTableBytes, HEADER_TABLE_BYTES)
    if (peerTableBytes < HEADER_TABLE_BYTES) this.#update = peerTableBytes
  }

  /** A smaller table than ours is emptied, and what we inserted forgotten (RFC 7541 4.2, 4.3). */
  resize(peerTableBytes: number): void {
    const limit = Math.min(peerTableBytes, HEADER_TABLE_BYTES)
    if (limit === this.#limit) return
    this.#limit = limit
    this.#beginAnew()
  }

  #beginAnew(): void {
    this.#update = this.#limit
    this.#inserted.clear()
    this.#blocks.clear()
    this.#tableBytes = 0
    this.#encoded = 0
    this.#isFull = false
  }

  /** The block for this list, owned by the encoder: write it or copy it before the next call. */
  encode(headers: HeaderList): Buffer {
    if (++this.#encoded > TABLE_BLOCKS && this.#isFull) this.#beginAnew()
    const known = this.#blocks.get(headers)
    if (known !== undefined && known.insertions === this.#inserted.size && this.#update === undefined)
      return known.block
    const out = this.#begin()
    const before = this.#inserted.size
    const dirty = out.length > 0
    for (const [name, value] of headers) this.#write(out, name, value)
    const block = Buffer.from(out)
    // A block that inserts must not be sent twice.
    if (!dirty && this.#inserted.size === before) {
      if (this.#blocks.size >= MAX_REMEMBERED_BLOCKS) this.#blocks.clear()
      this.#blocks.set(headers, { block, insertions: before })
    }
    return block
  }

  /** The block for a list that does not come again: nothing of it goes into the table. */
  encodeOnce(headers: HeaderList): Buffer {
    const out = this.#begin()
    for (const [name, value] of headers) this.#write(out, name, value, true)
    return Buffer.from(out)
  }

  #begin(): number[] {
    const out: number[] = []
    if (this.#update === undefined) return out
    // The way to empty a table is a size of 0 first.
    writeInteger(out, 0x20, 5, 0)
    writeInteger(out, 0x20, 5, this.#update)
    this.#update = undefined
    return out
  }

  #write(out: number[], name: string, value: string, once = false): void {
    const whole = STATIC_TABLE.findIndex((entry) => entry[0] === name && entry[1] === value)
    if (whole >= 0) {
      writeInteger(out, 0x80, 7, whole + 1)
      return
    }
    const key = `${name}\n${value}`
    const place = this.#inserted.get(key)
    if (place !== undefined) {
      writeInteger(out, 0x80, 7, STATIC_SIZE + this.#inserted.size - place)
      return
    }
    const nameIndex = STATIC_TABLE.findIndex((entry) => entry[0] === name) + 1
    const size = Buffer.byteLength(name) + Buffer.byteLength(value) + ENTRY_OVERHEAD
    if (!once && this.#tableBytes + size <= this.#limit) {
      this.#tableBytes += size
      this.#inserted.set(key, this.#inserted.size)
      writeInteger(out, 0x40, 6, nameIndex)
    } else {
      writeInteger(out, 0x00, 4, nameIndex)
      if (!once && size <= this.#limit) this.#isFull = true
    }
    if (nameIndex === 0) writeString(out, name)
    writeString(out, value)
  }
}

/** Paths times header sets of one client are few. */
const MAX_REMEMBERED_BLOCKS = 64
/** A table that is full serves so many blocks at least. */
export const TABLE_BLOCKS = 10_000

function writeInteger(out: number[], pattern: number, prefixBits: number, value: number): void {
  const mask = (1 << prefixBits) - 1
  if (value < mask) {
    out.push(pattern | value)
    return
  }
  out.push(pattern | mask)
  let rest = value - mask
  while (rest >= 0x80) {
    out.push((rest & 0x7f) | 0x80)
    rest >>>= 7
  }
  out.push(rest)
}

function writeString(out: number[], text: string): void {
  const bytes = Buffer.from(text)
  writeInteger(out, 0x00, 7, bytes.length)
  for (const byte of bytes) out.push(byte)
}
