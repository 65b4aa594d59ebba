// What one side of an HTTP/2 connection sends (RFC 9113): frames of its own, and streams under flow control at both levels.
//
// Bodies are ropes: frame headers and slices of the caller's bytes go to the socket one after the other, so nothing is
// copied, except small bodies, where one copy costs less than several writes. What the other side may make us hold is
// bounded: MAX_UNSENT_REPLIES to its control frames, MAX_UNSENT_BYTES in all.

import type { Socket } from 'node:net'
import {
  DEFAULT_MAX_FRAME_BYTES,
  DEFAULT_WINDOW_BYTES,
  FLAG,
  FRAME,
  FRAME_HEAD_BYTES,
  H2_ERROR,
  H2ConnectionError,
  LARGEST_MAX_FRAME_BYTES,
  LARGEST_WINDOW_BYTES,
  protocolError,
  SETTING,
  writeFrameHead,
} from './frame.ts'
import { HpackEncoder } from './hpack.ts'
import type { OutStream } from './stream.ts'

/** Above this the writing of bodies waits for the socket. */
export const WRITE_AHEAD_BYTES = 512 * 1024
/** A server that asks for more replies than it reads is cut off. Each takes some 300 bytes of memory until sent. */
export const MAX_UNSENT_REPLIES = 10_000
/** The same for all that waits for the socket. */
export const MAX_UNSENT_BYTES = 4 * 1024 * 1024
/** Bodies up to this size are copied behind their frame headers. */
const COPY_BODY_BYTES = 8 * 1024
/** Frames of a body are no larger than this, whatever the server would take, so that streams share the connection. */
const MAX_SENT_FRAME_BYTES = 1024 * 1024

export class SessionWriter {
  readonly #socket: Socket
  #encoder: HpackEncoder | undefined
  /** Streams with something left to write, oldest first. */
  #writing: OutStream[] = []
  #window = DEFAULT_WINDOW_BYTES
  #initialWindow = DEFAULT_WINDOW_BYTES
  #maxFrameBytes = DEFAULT_MAX_FRAME_BYTES
  #unsentReplies = 0
  #corked = false
  #closed = false

  constructor(socket: Socket) {
    this.#socket = socket
  }

  /** What a new stream may send before it is allowed more. */
  get initialWindow(): number {
    return this.#initialWindow
  }

  /** Sends nothing more. */
  close(): void {
    this.#closed = true
    this.#writing = []
  }

  /** Sends the stream as flow control and the socket let it. */
  add(stream: OutStream): void {
    this.#writing.push(stream)
    this.pump()
  }

  forget(stream: OutStream): void {
    if (stream.left === 0 && stream.headersSent) return
    const at = this.#writing.indexOf(stream)
    if (at >= 0) this.#writing.splice(at, 1)
  }

  /** A setting of the other side that is about what we send. `streams`: those whose windows move with a new initial one. */
  setting(id: number, value: number, streams: Iterable<OutStream>): void {
    if (id === SETTING.HEADER_TABLE_SIZE) {
      if (this.#encoder === undefined) this.#encoder = new HpackEncoder(value)
      else this.#encoder.resize(value)
    } else if (id === SETTING.INITIAL_WINDOW_SIZE) {
      if (value > LARGEST_WINDOW_BYTES)
        throw new H2ConnectionError(H2_ERROR.FLOW_CONTROL_ERROR, 'initial window too large')
      for (const stream of streams) this.grow(stream, value - this.#initialWindow)
      this.#initialWindow = value
    } else if (id === SETTING.MAX_FRAME_SIZE) {
      if (value < DEFAULT_MAX_FRAME_BYTES || value > LARGEST_MAX_FRAME_BYTES) throw protocolError('bad MAX_FRAME_SIZE')
      this.#maxFrameBytes = Math.min(value, MAX_SENT_FRAME_BYTES)
    }
  }

  /** WINDOW_UPDATE for the connection. */
  growConnection(by: number): void {
    if (by === 0) throw protocolError('WINDOW_UPDATE of 0')
    this.#window += by
    if (this.#window > LARGEST_WINDOW_BYTES)
      throw new H2ConnectionError(H2_ERROR.FLOW_CONTROL_ERROR, 'window too large')
  }

  grow(stream: OutStream, by: number): void {
    stream.window += by
    if (stream.window > LARGEST_WINDOW_BYTES)
      throw new H2ConnectionError(H2_ERROR.FLOW_CONTROL_ERROR, 'window of a stream too large')
  }

  /** Throws where the other side reads less than it makes us send. */
  checkUnsent(): void {
    if (this.#socket.writableLength > MAX_UNSENT_BYTES) throw unread()
  }

  /** Gathers all writes until the current round of callbacks is over into one system call. */
  cork(): void {
    if (this.#corked) return
    this.#corked = true
    this.#socket.cork()
    setImmediate(this.#uncork)
  }

  readonly #uncork = (): void => {
    this.#corked = false
    this.#socket.uncork()
  }

  write(bytes: Uint8Array): void {
    if (this.#closed) return
    this.cork()
    this.#socket.write(bytes)
  }

  /** An acknowledgement that a frame of the server asked for. */
  reply(bytes: Uint8Array): void {
    if (this.#closed) return
    if (++this.#unsentReplies > MAX_UNSENT_REPLIES) throw unread()
    this.cork()
    this.#socket.write(bytes, this.#replySent)
  }

  readonly #replySent = (): void => {
    this.#unsentReplies--
  }

  pump(): void {
    if (this.#closed || this.#writing.length === 0) return
    this.cork()
    const writing = this.#writing
    let kept = 0
    for (let i = 0; i < writing.length; i++) {
      const stream = writing[i]!
      if (this.#socket.writableLength < WRITE_AHEAD_BYTES) this.#writeStream(stream)
      if (stream.left > 0 || !stream.headersSent) writing[kept++] = stream
    }
    writing.length = kept
  }

  #writeStream(stream: OutStream): void {
    const whole = stream.left
    if (!stream.headersSent) {
      this.#encoder ??= new HpackEncoder()
      const block = this.#encoder.encode(stream.headers)
      const fits = whole <= COPY_BODY_BYTES && whole <= this.#window && whole <= stream.window
      stream.headersSent = true
      if (fits && block.length <= this.#maxFrameBytes) {
        this.#writeSmall(stream, block)
        return
      }
      this.#writeHeaders(stream.id, block)
    }
    while (stream.left > 0 && this.#socket.writableLength < WRITE_AHEAD_BYTES) {
      const length = Math.min(stream.left, stream.window, this.#window, this.#maxFrameBytes)
      if (length <= 0) return
      stream.left -= length
      stream.window -= length
      this.#window -= length
      const head = Buffer.allocUnsafe(FRAME_HEAD_BYTES)
      writeFrameHead(head, 0, length, FRAME.DATA, stream.left === 0 ? FLAG.END_STREAM : 0, stream.id)
      this.#socket.write(head)
      this.#writeParts(stream, length)
    }
  }

  /** HEADERS, and CONTINUATION where the block is larger than a frame. The block is copied. */
  #writeHeaders(id: number, block: Buffer): void {
    let from = 0
    do {
      const to = Math.min(block.length, from + this.#maxFrameBytes)
      const out = Buffer.allocUnsafe(FRAME_HEAD_BYTES + to - from)
      const type = from === 0 ? FRAME.HEADERS : FRAME.CONTINUATION
      const flags = to === block.length ? FLAG.END_HEADERS : 0
      block.copy(out, writeFrameHead(out, 0, to - from, type, flags, id), from, to)
      this.#socket.write(out)
      from = to
    } while (from < block.length)
  }

  /** HEADERS and the whole body in one buffer. Every peer takes frames of this size. */
  #writeSmall(stream: OutStream, block: Buffer): void {
    const length = stream.left
    const out = Buffer.allocUnsafe(2 * FRAME_HEAD_BYTES + block.length + length)
    let at = writeFrameHead(out, 0, block.length, FRAME.HEADERS, FLAG.END_HEADERS, stream.id)
    at += block.copy(out, at)
    at = writeFrameHead(out, at, length, FRAME.DATA, FLAG.END_STREAM, stream.id)
    for (const part of stream.parts) {
      out.set(part, at)
      at += part.length
    }
    stream.left = 0
    stream.window -= length
    this.#window -= length
    this.#socket.write(out)
  }

  #writeParts(stream: OutStream, length: number): void {
    let left = length
    while (left > 0) {
      const part = stream.parts[stream.part]!
      const take = Math.min(left, part.length - stream.offset)
      if (take > 0) this.#socket.write(take === part.length ? part : part.subarray(stream.offset, stream.offset + take))
      stream.offset += take
      left -= take
      if (stream.offset === part.length) {
        stream.part++
        stream.offset = 0
      }
    }
  }
}

const unread = (): H2ConnectionError =>
  new H2ConnectionError(H2_ERROR.ENHANCE_YOUR_CALM, 'the server does not read what it asks for')
