// Ends a connection that announces a packet larger than it may be, before the parser, which would collect up to 256 MB of
// it, has seen the packet's first byte of content. Looks at fixed headers alone (MQTT 3.1.1, 2.2):
//
//   type and flags (1 byte)   remaining length (1 to 4 bytes, 7 bits each, the highest says that more follow)   content

import type { Duplex } from 'node:stream'

export class PacketGuard {
  readonly #maxBytes: number
  /** Bytes of content that are still to come. */
  #left = 0
  /** Of the fixed header that is being read: -1 before its first byte. */
  #at = -1
  #length = 0

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes
  }

  /** False from the first header on that says too much. */
  take(bytes: Uint8Array): boolean {
    for (let at = 0; at < bytes.length; ) {
      if (this.#left > 0) {
        const skipped = Math.min(this.#left, bytes.length - at)
        this.#left -= skipped
        at += skipped
        continue
      }
      const byte = bytes[at++]!
      if (this.#at === -1) {
        this.#at = 0
        this.#length = 0
        continue
      }
      this.#length += (byte & 0x7f) * 128 ** this.#at
      this.#at++
      if (this.#length > this.#maxBytes || this.#at > 4) return false
      if (byte >= 0x80) continue
      this.#left = this.#length
      this.#at = -1
    }
    return true
  }
}

/**
 * The broker reads with `read()`: what it gets passes the guard first. `onTooLarge` comes once.
 *
 * It also gets all that is there. From Node 26 on `read()` returns one buffer at a time, and the broker asks for the next
 * one when a packet is complete: where a packet comes in several buffers it would wait for ever.
 */
export function guardPackets(stream: Duplex, maxBytes: number, onTooLarge: () => void): void {
  const guard = new PacketGuard(maxBytes)
  const read = stream.read.bind(stream)
  let refused = false
  stream.read = (size?: number): Buffer | null => {
    // So streams ask themselves for more, and throw away what they would get.
    if (size === 0) return read(0)
    if (refused) return null
    const bytes = readAll(read)
    if (bytes === null || guard.take(bytes)) return bytes
    refused = true
    onTooLarge()
    return null
  }
}

function readAll(read: () => Buffer | null): Buffer | null {
  const first = read()
  let next = first === null ? null : read()
  if (next === null) return first
  const all = [first!]
  for (; next !== null; next = read()) all.push(next)
  return Buffer.concat(all)
}
