// A request on its way in, and its answer on its way out (RFC 9113 5.1).
//
//   open ---- END_STREAM of the client ----> half-closed (remote) ---- answer written ----> closed
//     \------ answer written ----> half-closed (local) ---- END_STREAM of the client ------/
//      \----- RST_STREAM from either side, the connection ends --------------------------/

import type { Incoming } from './data-in.ts'
import { DEFAULT_WINDOW_BYTES } from './frame.ts'
import type { HeaderList } from './hpack.ts'
import type { Outgoing } from './session-writer.ts'

/** Who takes a request. */
export interface RequestListener {
  /** Bytes are valid during the call only. */
  onData(bytes: Uint8Array, from: number, to: number): void
  /** The request is whole. */
  onEnd(): void
  /** The stream is gone, in whatever way. The last call. */
  onClosed(): void
}

/** What a stream asks of its connection. */
export interface StreamOwner {
  send(stream: ServerStream): void
  written(stream: ServerStream): void
  reset(stream: ServerStream, h2Code: number): void
}

const NO_HEADERS: HeaderList = []
const NO_PARTS: readonly Uint8Array[] = []

export class ServerStream implements Incoming, Outgoing {
  readonly id: number
  readonly #owner: StreamOwner
  listener: RequestListener | undefined
  /** The client has sent all of the request. */
  remoteEnded = false
  /** Our answer has been written. */
  localEnded = false
  closed = false
  /** What the client may still send, by its own account. */
  receiveWindow: number
  /** Of DATA without padding, and what was promised of it. */
  receivedBytes = 0
  contentLength: number
  // The answer.
  headers: HeaderList = NO_HEADERS
  headersOnce = false
  headersOnly = false
  parts: readonly Uint8Array[] = NO_PARTS
  trailers: HeaderList | undefined
  part = 0
  offset = 0
  left = 0
  window: number = DEFAULT_WINDOW_BYTES
  headersSent = false

  constructor(id: number, owner: StreamOwner, receiveWindow: number, window: number, contentLength: number) {
    this.id = id
    this.#owner = owner
    this.receiveWindow = receiveWindow
    this.window = window
    this.contentLength = contentLength
  }

  /** Headers, one part of a body, trailers. The lists are constants: the client's table remembers them. */
  answer(headers: HeaderList, body: Uint8Array, trailers: HeaderList): void {
    this.headers = headers
    this.trailers = trailers
    this.parts = [body]
    this.left = body.length
    this.#owner.send(this)
  }

  /** Headers and nothing else. */
  answerWithHeaders(headers: HeaderList): void {
    this.headers = headers
    this.headersOnce = true
    this.headersOnly = true
    this.#owner.send(this)
  }

  /** RST_STREAM. */
  reset(h2Code: number): void {
    if (!this.closed) this.#owner.reset(this, h2Code)
  }

  written(): void {
    this.#owner.written(this)
  }
}
