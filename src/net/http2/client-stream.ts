// A request on its way over an HTTP/2 connection, and who hears of its answer.

import type { Incoming } from './data-in.ts'
import type { HeaderList } from './hpack.ts'
import type { ResponseHead } from './response-head.ts'
import type { Outgoing } from './session-writer.ts'

/** Why a stream ended without a whole answer. */
export interface StreamFailure {
  readonly message: string
  /** The RST_STREAM code, or undefined when the connection itself ended. */
  readonly h2Code: number | undefined
  /** The server promises not to have looked at it: sending it again elsewhere is safe (RFC 9113 8.7). */
  readonly unprocessed: boolean
}

/** Called until onEnd or onFail, one of which is the last call. */
export interface StreamListener {
  /** The headers of the answer, or its trailers. */
  onHead(head: ResponseHead): void
  /** Bytes are valid during the call only. */
  onData(bytes: Uint8Array, from: number, to: number): void
  onEnd(): void
  onFail(failure: StreamFailure): void
}

/** What the session knows of a stream: how much of the body has gone out, and how much more may. */
export class ClientStream implements Incoming, Outgoing {
  readonly id: number
  readonly headers: HeaderList
  readonly parts: readonly Uint8Array[]
  readonly listener: StreamListener
  readonly headersOnce = false
  readonly headersOnly = false
  readonly trailers = undefined
  part = 0
  offset = 0
  left: number
  window: number
  headersSent = false
  /** The headers of the answer have come. */
  headed = false
  /** Of DATA without padding, as the answer promises it; -1: it does not. */
  contentLength = -1
  /** The answer is whole, or nobody waits for it any more. */
  closed = false
  remoteEnded = false
  receiveWindow: number
  receivedBytes = 0

  constructor(
    id: number,
    headers: HeaderList,
    parts: readonly Uint8Array[],
    left: number,
    window: number,
    receiveWindow: number,
    listener: StreamListener,
  ) {
    this.id = id
    this.headers = headers
    this.parts = parts
    this.left = left
    this.window = window
    this.receiveWindow = receiveWindow
    this.listener = listener
  }

  /**
   * Why a block may not come now, if it may not. RFC 9113 8.1: informational headers, those of the answer, and trailers,
   * which end it.
   */
  findMisplaced(head: ResponseHead): string | undefined {
    if (this.headed) {
      if (head.status !== 0) return 'a second :status'
      return this.remoteEnded ? undefined : 'trailers that do not end it'
    }
    if (head.status === 0) return 'no :status'
    return this.remoteEnded && head.isInformational ? `:status ${head.status} alone` : undefined
  }

  /** The answer tells when it is over. */
  written(): void {}
}
