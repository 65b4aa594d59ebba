// How messages are packed, by the names that gRPC has for it, and the answers that go out so.

import { compress, type Encoding } from '../compression.ts'
import { frameMessage } from './framing.ts'

/** gRPC's names; its snappy is the framed form. */
export const ENCODINGS: Readonly<Record<string, Encoding>> = { gzip: 'gzip', zstd: 'zstd', snappy: 'x-snappy-framed' }
export const ACCEPT_ENCODING = 'gzip,snappy,zstd'

/** Answers as they go out. Nearly all are the same few bytes, and packing them anew costs as much as the call. */
export class PackedAnswers {
  readonly #known = new Map<string | undefined, WeakMap<Uint8Array, Buffer>>()

  /** `encoding` undefined: not packed. */
  framed(encoding: string | undefined, message: Uint8Array): Buffer {
    let known = this.#known.get(encoding)
    if (known === undefined) {
      known = new WeakMap()
      this.#known.set(encoding, known)
    }
    let answer = known.get(message)
    if (answer === undefined) {
      answer =
        encoding === undefined
          ? frameMessage(message, false)
          : frameMessage(compress(ENCODINGS[encoding]!, [message]), true)
      known.set(message, answer)
    }
    return answer
  }
}
