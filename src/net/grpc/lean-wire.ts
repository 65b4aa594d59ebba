// A stream of our own HTTP/2 as a call sees it.

import { H2_ERROR } from '../http2/frame.ts'
import type { HeaderList } from '../http2/hpack.ts'
import type { ServerStream } from '../http2/server-stream.ts'
import type { Wire } from './wire.ts'

const PLAIN_HEAD: HeaderList = [
  [':status', '200'],
  ['content-type', 'application/grpc'],
]
const OK_TRAILERS: HeaderList = [
  ['grpc-status', '0'],
  ['grpc-message', ''],
]

/** The heads of packed answers: constants too, made once. */
export class PackedHeads {
  readonly #known = new Map<string, HeaderList>()

  of(encoding: string): HeaderList {
    let head = this.#known.get(encoding)
    if (head === undefined) {
      head = [...PLAIN_HEAD, ['grpc-encoding', encoding]]
      this.#known.set(encoding, head)
    }
    return head
  }
}

export class LeanWire implements Wire {
  readonly #stream: ServerStream
  readonly #heads: PackedHeads

  constructor(stream: ServerStream, heads: PackedHeads) {
    this.#stream = stream
    this.#heads = heads
  }

  get open(): boolean {
    return !this.#stream.closed
  }

  answer(encoding: string | undefined, framed: Uint8Array): void {
    this.#stream.answer(encoding === undefined ? PLAIN_HEAD : this.#heads.of(encoding), framed, OK_TRAILERS)
  }

  refuse(headers: HeaderList): void {
    this.#stream.answerWithHeaders(headers)
  }

  stopReading(): void {
    this.close()
  }

  close(): void {
    this.#stream.reset(this.#stream.localEnded ? H2_ERROR.NO_ERROR : H2_ERROR.CANCEL)
  }
}
