// Header blocks as one side of a connection reads them: HPACK, and then what they say.
//
// Peers send the same block again and again. One that was read without changing the table means the same for as long as
// the table stays what it was, so its head is kept and not read again.

import type { Fields } from './fields.ts'
import { HpackDecoder } from './hpack.ts'

interface Known<H> {
  readonly block: Buffer
  readonly changes: number
  readonly head: H
}

/** Blocks of one peer that are kept: signals, mostly; of a server, headers and trailers. */
const MAX_KNOWN = 4
const MAX_KNOWN_BYTES = 1024

export class HeadReader<H extends Fields> {
  readonly #make: () => H
  readonly #decoder = new HpackDecoder()
  readonly #maxListBytes: number
  readonly #maxHeaders: number
  #left = 0
  readonly #known: Known<H>[] = []
  #next = 0
  #head: H

  constructor(make: () => H, maxListBytes: number, maxHeaders: number) {
    this.#make = make
    this.#head = make()
    this.#maxListBytes = maxListBytes
    this.#maxHeaders = maxHeaders
  }

  /** What a block says, complete; it may be shared with other streams of the connection. Throws HpackError. */
  read(bytes: Uint8Array, from: number, to: number): H {
    const { changes } = this.#decoder
    for (const known of this.#known)
      if (known.changes === changes && known.block.length === to - from && known.block.compare(bytes, from, to) === 0)
        return known.head
    const head = this.readOnce(bytes, from, to)
    head.complete()
    if (this.#decoder.changes === changes && to - from <= MAX_KNOWN_BYTES) {
      this.#known[this.#next] = { block: Buffer.from(bytes.subarray(from, to)), changes, head }
      this.#next = (this.#next + 1) % MAX_KNOWN
    }
    return head
  }

  /** The same for a block that hardly comes again; its owner completes it. It may change the table. Throws HpackError. */
  readOnce(bytes: Uint8Array, from: number, to: number): H {
    const head = this.#make()
    this.#head = head
    this.#left = this.#maxHeaders
    head.tooLarge = !this.#decoder.tryDecode(bytes, from, to, this.#onHeader, this.#maxListBytes)
    if (this.#left < 0) head.tooLarge = true
    return head
  }

  readonly #onHeader = (name: string, value: string): void => {
    if (--this.#left >= 0) this.#head.add(name, value)
  }
}
