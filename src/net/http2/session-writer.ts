// What one side of an HTTP/2 connection sends (RFC 9113): frames of its own, and streams under flow control at both levels.
//
// Small frames, bodies and parts of bodies are copied one behind the other and go to the socket once a turn; what is larger
// goes out between them as it is. What the other side may make us hold is bounded: MAX_UNSENT_BYTES in all.

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
  writeU32,
} from './frame.ts'
import { type HeaderList, HpackEncoder } from './hpack.ts'
import { SLAB_BYTES, Slabs } from './slabs.ts'

/** Above this the writing of bodies waits for the socket. */
export const WRITE_AHEAD_BYTES = 512 * 1024
/** A peer that makes us send more than it reads is cut off here. */
export const MAX_UNSENT_BYTES = 4 * 1024 * 1024
/** Bodies and parts up to this size are copied: a write of its own costs more. */
const COPY_BYTES = 8 * 1024
/** Frames of a body are no larger than this, whatever the other side would take, so that streams share the connection. */
const MAX_SENT_FRAME_BYTES = 1024 * 1024

/** One side of a stream on its way out: headers, a body known in full, perhaps trailers. */
export interface Outgoing {
  readonly id: number
  readonly headers: HeaderList
  /** The headers do not come again: they are not put into the other side's table. */
  readonly headersOnce: boolean
  /** The headers are all; there is no body and no trailer. */
  readonly headersOnly: boolean
  readonly parts: readonly Uint8Array[]
  readonly trailers: HeaderList | undefined
  part: number
  offset: number
  left: number
  window: number
  headersSent: boolean
  /** All of it was handed to the socket. */
  written(): void
}

export class SessionWriter {
  readonly #socket: Socket
  readonly #slabs: Slabs
  readonly #isTls: boolean
  /** TLS puts all that it is given together by itself. */
  readonly #copyPartBytes: number
  #encoder: HpackEncoder | undefined
  /** Streams with something left to write, oldest first. */
  #writing: Outgoing[] = []
  #window = DEFAULT_WINDOW_BYTES
  #initialWindow = DEFAULT_WINDOW_BYTES
  #maxFrameBytes = DEFAULT_MAX_FRAME_BYTES
  /** What was written in this turn and is not with the socket yet: from `#start` to `#filled`. */
  #slab: Buffer | undefined
  #start = 0
  #filled = 0
  #flushDue = false
  #corked = false
  #closed = false

  /** `slabs` may be shared by the connections of one server. */
  constructor(socket: Socket, slabs = new Slabs()) {
    this.#socket = socket
    this.#slabs = slabs
    this.#isTls = 'encrypted' in socket
    this.#copyPartBytes = this.#isTls ? 0 : COPY_BYTES
  }

  /** What a new stream may send before it is allowed more. */
  get initialWindow(): number {
    return this.#initialWindow
  }

  get #unsentBytes(): number {
    return this.#socket.writableLength + this.#filled - this.#start
  }

  /** Sends nothing more. */
  close(): void {
    this.#closed = true
    this.#writing = []
  }

  /** Sends what was written, then `last`, and closes our side of the socket. */
  end(last: Uint8Array): void {
    const at = this.#room(last.length)
    this.#slab!.set(last, at)
    this.#socket.end(this.#slab!.subarray(this.#start, this.#filled))
    this.#start = this.#filled
    this.#slab = undefined
    this.close()
  }

  /** Sends the stream as flow control and the socket let it. */
  add(stream: Outgoing): void {
    if (this.#closed) return
    if (this.#writing.length > 0 || this.#unsentBytes >= WRITE_AHEAD_BYTES) {
      this.#writing.push(stream)
      this.pump()
      return
    }
    this.#writeStream(stream)
    if (stream.left > 0 || !stream.headersSent) this.#writing.push(stream)
  }

  forget(stream: Outgoing): void {
    if (stream.left === 0 && stream.headersSent) return
    const at = this.#writing.indexOf(stream)
    if (at >= 0) this.#writing.splice(at, 1)
  }

  /** A setting of the other side that is about what we send. `streams`: those whose windows move with a new initial one. */
  setting(id: number, value: number, streams: Iterable<Outgoing>): void {
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

  grow(stream: Outgoing, by: number): void {
    stream.window += by
    if (stream.window > LARGEST_WINDOW_BYTES)
      throw new H2ConnectionError(H2_ERROR.FLOW_CONTROL_ERROR, 'window of a stream too large')
  }

  /** Throws where the other side reads less than it makes us send. */
  checkUnsent(): void {
    if (this.#unsentBytes > MAX_UNSENT_BYTES)
      throw new H2ConnectionError(H2_ERROR.ENHANCE_YOUR_CALM, 'the peer does not read what it asks for')
  }

  /** A frame of the connection, copied. */
  write(bytes: Uint8Array): void {
    if (this.#closed) return
    const at = this.#room(bytes.length)
    this.#slab!.set(bytes, at)
  }

  /** A frame whose payload is one 32-bit number: WINDOW_UPDATE and RST_STREAM. */
  writeNumber(type: number, stream: number, value: number): void {
    if (this.#closed) return
    const at = this.#room(FRAME_HEAD_BYTES + 4)
    writeU32(this.#slab!, writeFrameHead(this.#slab!, at, 4, type, 0, stream), value)
  }

  pump(): void {
    if (this.#closed || this.#writing.length === 0) return
    const writing = this.#writing
    let kept = 0
    for (let i = 0; i < writing.length; i++) {
      const stream = writing[i]!
      if (this.#unsentBytes < WRITE_AHEAD_BYTES) this.#writeStream(stream)
      if (stream.left > 0 || !stream.headersSent) writing[kept++] = stream
    }
    writing.length = kept
  }

  #writeStream(stream: Outgoing): void {
    if (!stream.headersSent) {
      this.#encoder ??= new HpackEncoder()
      const block = stream.headersOnce ? this.#encoder.encodeOnce(stream.headers) : this.#encoder.encode(stream.headers)
      stream.headersSent = true
      if (stream.headersOnly) {
        this.#writeHeaders(stream.id, block, FLAG.END_STREAM)
        stream.written()
        return
      }
      const { left } = stream
      if (left <= COPY_BYTES && left <= this.#window && left <= stream.window && block.length <= this.#maxFrameBytes) {
        this.#writeSmall(stream, block)
        this.#finish(stream)
        return
      }
      this.#writeHeaders(stream.id, block, 0)
    }
    while (stream.left > 0 && this.#unsentBytes < WRITE_AHEAD_BYTES) {
      const length = Math.min(stream.left, stream.window, this.#window, this.#maxFrameBytes)
      if (length <= 0) return
      stream.left -= length
      stream.window -= length
      this.#window -= length
      const end = stream.left === 0 && stream.trailers === undefined
      const at = this.#room(FRAME_HEAD_BYTES)
      writeFrameHead(this.#slab!, at, length, FRAME.DATA, end ? FLAG.END_STREAM : 0, stream.id)
      this.#writeParts(stream, length)
    }
    if (stream.left === 0) this.#finish(stream)
  }

  #finish(stream: Outgoing): void {
    if (stream.trailers !== undefined)
      this.#writeHeaders(stream.id, this.#encoder!.encode(stream.trailers), FLAG.END_STREAM)
    stream.written()
  }

  /** HEADERS, and CONTINUATION where the block is larger than a frame. */
  #writeHeaders(id: number, block: Buffer, endStream: number): void {
    let from = 0
    do {
      const to = Math.min(block.length, from + this.#maxFrameBytes)
      const at = this.#room(FRAME_HEAD_BYTES + to - from)
      const type = from === 0 ? FRAME.HEADERS : FRAME.CONTINUATION
      const flags = (to === block.length ? FLAG.END_HEADERS : 0) | (from === 0 ? endStream : 0)
      block.copy(this.#slab!, writeFrameHead(this.#slab!, at, to - from, type, flags, id), from, to)
      from = to
    } while (from < block.length)
  }

  /** HEADERS and the whole body, copied. Every peer takes frames of this size. */
  #writeSmall(stream: Outgoing, block: Buffer): void {
    const length = stream.left
    let at = this.#room(2 * FRAME_HEAD_BYTES + block.length + length)
    const out = this.#slab!
    at = writeFrameHead(out, at, block.length, FRAME.HEADERS, FLAG.END_HEADERS, stream.id)
    at += block.copy(out, at)
    at = writeFrameHead(out, at, length, FRAME.DATA, stream.trailers === undefined ? FLAG.END_STREAM : 0, stream.id)
    for (const part of stream.parts) {
      out.set(part, at)
      at += part.length
    }
    stream.left = 0
    stream.window -= length
    this.#window -= length
  }

  #writeParts(stream: Outgoing, length: number): void {
    let left = length
    while (left > 0) {
      const part = stream.parts[stream.part]!
      const take = Math.min(left, part.length - stream.offset)
      if (take > this.#copyPartBytes) {
        this.#handOver()
        this.#socket.write(take === part.length ? part : part.subarray(stream.offset, stream.offset + take))
      } else if (take > 0) {
        const at = this.#room(take)
        copy(part, this.#slab!, at, stream.offset, stream.offset + take)
      }
      stream.offset += take
      left -= take
      if (stream.offset === part.length) {
        stream.part++
        stream.offset = 0
      }
    }
  }

  /** Where the next `bytes` bytes go in `#slab`; the caller writes all of them. */
  #room(bytes: number): number {
    if (this.#slab === undefined || this.#filled + bytes > this.#slab.length) {
      const free = this.#slab === undefined ? undefined : this.#handOverFull(this.#slab)
      if (bytes > SLAB_BYTES) this.#slab = Buffer.allocUnsafeSlow(bytes)
      else this.#slab = free ?? this.#slabs.take()
      this.#start = 0
      this.#filled = 0
      if (!this.#flushDue) {
        this.#flushDue = true
        setImmediate(this.#flush)
      }
    }
    const at = this.#filled
    this.#filled += bytes
    return at
  }

  /** The same with a slab that is full; returns it where it is free again, which costs a system call and saves a slab. */
  #handOverFull(slab: Buffer): Buffer | undefined {
    if (this.#corked || this.#socket.writableLength > 0) {
      this.#handOver()
      return undefined
    }
    this.#socket.write(slab.subarray(this.#start, this.#filled))
    this.#start = this.#filled
    return slab.length === SLAB_BYTES && this.#socket.writableLength === 0 ? slab : undefined
  }

  /** The socket gets what was gathered, and holds it until the turn is over. */
  #handOver(): void {
    if (!this.#corked) {
      this.#corked = true
      this.#socket.cork()
    }
    if (this.#start === this.#filled) return
    this.#socket.write(this.#slab!.subarray(this.#start, this.#filled))
    this.#start = this.#filled
  }

  /** The round of callbacks is over: everything goes out in one system call. */
  readonly #flush = (): void => {
    this.#flushDue = false
    const socket = this.#socket
    const slab = this.#slab
    const [start, filled] = [this.#start, this.#filled]
    this.#slab = undefined
    this.#start = 0
    this.#filled = 0
    if (socket.destroyed || socket.writableEnded) return
    const rest = slab !== undefined && start < filled
    // TLS has its own copy when write() returns, and says so later.
    const isTold = rest && this.#isTls
    if (isTold)
      socket.write(slab.subarray(start, filled), (error) => {
        if (!error) this.#slabs.give(slab)
      })
    else if (rest) socket.write(slab.subarray(start, filled))
    if (this.#corked) {
      this.#corked = false
      socket.uncork()
    }
    // The kernel has it all.
    if (slab !== undefined && !isTold && socket.writableLength === 0) this.#slabs.give(slab)
  }
}

const copy = (part: Uint8Array, slab: Buffer, at: number, from: number, to: number): void => {
  Buffer.prototype.copy.call(part, slab, at, from, to)
}
