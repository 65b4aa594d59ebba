// The DATA frames that one side of a connection receives (RFC 9113 6.1, 6.9): whose they are, without their padding, and
// the windows of the streams and of the connection, which are opened again when half of one is used up.

import { type DataListener, FLAG, H2_ERROR, H2ConnectionError, protocolError, sizeError } from './frame.ts'

/** A stream as far as it receives. */
export interface Incoming {
  readonly id: number
  readonly closed: boolean
  /** The other side has sent all of it. */
  readonly remoteEnded: boolean
  /** What the other side may still send, by its own account. */
  receiveWindow: number
  /** Of DATA without padding. */
  receivedBytes: number
  readonly listener: { onData(bytes: Uint8Array, from: number, to: number): void } | undefined
}

/** The session. */
export interface DataOwner<S extends Incoming> {
  readonly closed: boolean
  /** Throws where no DATA of this stream may come now. */
  checkData(id: number): void
  find(id: number): S | undefined
  /** DATA may come for the stream although it is gone. */
  isLate(id: number): boolean
  streamError(id: number, h2Code: number): void
  endOfData(stream: S): void
  /** WINDOW_UPDATE; stream 0 is the connection. */
  grow(id: number, by: number): void
}

export class DataIn<S extends Incoming> implements DataListener {
  readonly #owner: DataOwner<S>
  readonly #streamWindowBytes: number
  readonly #windowBytes: number
  /** What the other side may still send on the connection, and what was read since it was last told. */
  #window: number
  #consumedBytes = 0
  /** The frame that is being read: whose, what is left of it without its padding. */
  #stream: S | undefined
  #endsStream = false
  #left = 0
  #padLengthDue = false

  constructor(
    owner: DataOwner<S>,
    windows: { readonly streamWindowBytes: number; readonly connectionWindowBytes: number },
  ) {
    this.#owner = owner
    this.#streamWindowBytes = windows.streamWindowBytes
    this.#windowBytes = windows.connectionWindowBytes
    this.#window = windows.connectionWindowBytes
  }

  onDataHead(flags: number, id: number, length: number): void {
    const owner = this.#owner
    if (owner.closed) return
    owner.checkData(id)
    this.#window -= length
    if (this.#window < 0)
      throw new H2ConnectionError(H2_ERROR.FLOW_CONTROL_ERROR, 'more DATA than the window of the connection')
    this.#padLengthDue = (flags & FLAG.PADDED) !== 0
    if (this.#padLengthDue && length === 0) throw sizeError('padded DATA')
    this.#left = length
    this.#endsStream = (flags & FLAG.END_STREAM) !== 0
    const stream = owner.find(id)
    this.#stream = stream
    if (stream === undefined) {
      if (!owner.isLate(id)) owner.streamError(id, H2_ERROR.STREAM_CLOSED)
    } else if (stream.remoteEnded) owner.streamError(id, H2_ERROR.STREAM_CLOSED)
    else {
      stream.receiveWindow -= length
      if (stream.receiveWindow < 0) owner.streamError(id, H2_ERROR.FLOW_CONTROL_ERROR)
    }
  }

  onDataPiece(bytes: Uint8Array, start: number, to: number, last: boolean): void {
    const owner = this.#owner
    if (owner.closed) return
    let from = start
    this.#consume(to - from)
    if (this.#padLengthDue && from < to) {
      this.#padLengthDue = false
      this.#left -= 1 + bytes[from++]!
      if (this.#left < 0) throw protocolError('padding longer than its frame')
    }
    const stream = this.#stream
    if (stream === undefined || stream.closed) return
    const end = Math.min(to, from + this.#left)
    this.#left -= end - from
    if (end > from) {
      stream.receivedBytes += end - from
      stream.listener!.onData(bytes, from, end)
      if (stream.closed) return
    }
    if (!last) return
    this.#stream = undefined
    if (this.#endsStream) {
      owner.endOfData(stream)
      return
    }
    const used = this.#streamWindowBytes - stream.receiveWindow
    if (used < this.#streamWindowBytes / 2) return
    stream.receiveWindow += used
    owner.grow(stream.id, used)
  }

  /** Padding counts, and so does what comes for a stream that is gone. */
  #consume(bytes: number): void {
    this.#consumedBytes += bytes
    if (this.#consumedBytes < this.#windowBytes / 2) return
    this.#owner.grow(0, this.#consumedBytes)
    this.#window += this.#consumedBytes
    this.#consumedBytes = 0
  }
}
