// One HTTP/2 connection as a client that sends requests with bodies known in full, and gets small answers (RFC 9113).
//
//   connecting --preface, our SETTINGS--> greeting --their SETTINGS--> open --GOAWAY / close()--> draining --> closed
//
// Outgoing bodies are ropes: frame headers and slices of the caller's bytes go to the socket one after the other, so
// nothing is copied, except small bodies, where one copy costs less than several writes. Flow control is kept at both
// levels. What a server may make us hold is bounded: one frame, one header block, STREAM_WINDOW_BYTES for each answer,
// SESSION_WINDOW_BYTES together, and MAX_UNSENT_REPLIES to its control frames.
//
// Left to others: choosing a connection, retrying, and what headers mean.

import type { Socket } from 'node:net'
import {
  DEFAULT_MAX_FRAME_BYTES,
  DEFAULT_WINDOW_BYTES,
  FLAG,
  FRAME,
  FRAME_HEAD_BYTES,
  FrameReader,
  H2_ERROR,
  H2ConnectionError,
  LARGEST_MAX_FRAME_BYTES,
  LARGEST_WINDOW_BYTES,
  numberFrame,
  payloadFrame,
  readU32,
  SETTING,
  settingsFrame,
  writeFrameHead,
} from './frame.ts'
import { type HeaderList, HpackDecoder, HpackEncoder, HpackError, MAX_HEADER_LIST_BYTES } from './hpack.ts'
import { OutStream, type StreamListener } from './stream.ts'

/** What one answer may take before its reader must have refused it: a message of 4 MiB and its frame. */
export const STREAM_WINDOW_BYTES = 4 * 1024 * 1024 + 64
export const SESSION_WINDOW_BYTES = 16 * 1024 * 1024
/** A header block before it is decoded, in all its frames. */
export const MAX_HEADER_BLOCK_BYTES = 64 * 1024
export const MAX_CONTINUATIONS = 64
/** Above this the writing of bodies waits for the socket. */
export const WRITE_AHEAD_BYTES = 512 * 1024
/** A server that asks for more replies than it reads is cut off. Each takes some 300 bytes of memory until sent. */
export const MAX_UNSENT_REPLIES = 10_000
/** The same for all that waits for the socket. */
export const MAX_UNSENT_BYTES = 4 * 1024 * 1024
/** How long a connection that we end may take for what is still to be written. */
const LINGER_MS = 1_000
/** Bodies up to this size are copied behind their frame headers. */
const COPY_BODY_BYTES = 8 * 1024
/** Frames of a body are no larger than this, whatever the server would take, so that streams share the connection. */
const MAX_SENT_FRAME_BYTES = 1024 * 1024

const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n')
const SETTINGS_ACK = payloadFrame(FRAME.SETTINGS, FLAG.ACK, 0, new Uint8Array(0))
const FIRST_BYTES = Buffer.concat([
  PREFACE,
  settingsFrame([
    [SETTING.ENABLE_PUSH, 0],
    [SETTING.INITIAL_WINDOW_SIZE, STREAM_WINDOW_BYTES],
    [SETTING.MAX_HEADER_LIST_SIZE, MAX_HEADER_LIST_BYTES],
  ]),
  numberFrame(FRAME.WINDOW_UPDATE, 0, SESSION_WINDOW_BYTES - DEFAULT_WINDOW_BYTES),
])
/** RFC 9113 5.1.1: stream ids are used up; a new connection is needed. */
const LAST_STREAM_ID = 2 ** 31 - 3

/** What the owner of a connection wants to know. */
export interface SessionListener {
  /** The server's SETTINGS have come: streams may be opened. */
  onOpen(): void
  /** A stream ended, or the server allows more of them. */
  onRoom(): void
  /** The server takes no new streams (GOAWAY); those that run go on. */
  onDraining(): void
  /** A stream was cancelled that had no answer, or could not even be sent: the other side may be dead. */
  onCancelled(): void
  /** The last call; every stream has failed before it. */
  onClosed(reason: Error): void
}

export class ClientSession {
  readonly #socket: Socket
  readonly #listener: SessionListener
  readonly #reader = new FrameReader((type, flags, stream, bytes, from, to) =>
    this.#frame(type, flags, stream, bytes, from, to),
  )
  readonly #decoder = new HpackDecoder()
  #encoder = new HpackEncoder()
  readonly #streams = new Map<number, OutStream>()
  /** Streams with something left to write, oldest first. */
  #writing: OutStream[] = []
  #nextId: number
  #window = DEFAULT_WINDOW_BYTES
  #initialWindow = DEFAULT_WINDOW_BYTES
  #maxFrameBytes = DEFAULT_MAX_FRAME_BYTES
  #maxStreams = Number.POSITIVE_INFINITY
  #consumedBytes = 0
  #unsentReplies = 0
  #open = false
  #draining = false
  #closed = false
  #corked = false
  // The header block that is being gathered; 0: none.
  #blockStream = 0
  #blockEndsStream = false
  #block: Uint8Array[] = []
  #blockBytes = 0
  #onPong: (() => void) | undefined

  /** `socket` is connected; for TLS, its handshake is over. `firstId` is for tests: ids are used up after 2^30 streams. */
  constructor(socket: Socket, listener: SessionListener, firstId = 1) {
    this.#nextId = firstId
    this.#socket = socket
    this.#listener = listener
    socket.on('drain', () => this.#pump())
    socket.on('error', (error) => this.#close(error))
    socket.on('end', () => this.#close(new Error('the server closed the connection')))
    socket.on('close', () => this.#close(new Error('connection lost')))
    socket.write(FIRST_BYTES)
  }

  /** Streams that can be opened now. */
  get room(): number {
    if (!this.#open || this.#draining || this.#closed) return 0
    return Math.max(0, this.#maxStreams - this.#streams.size)
  }

  get active(): number {
    return this.#streams.size
  }

  get draining(): boolean {
    return this.#draining
  }

  /** Sends a request. Needs `room`. The parts must not change until the stream has ended. */
  request(headers: HeaderList, parts: readonly Uint8Array[], byteLength: number, listener: StreamListener): OutStream {
    const stream = new OutStream(this.#nextId, headers, parts, byteLength, this.#initialWindow, listener)
    this.#nextId += 2
    this.#streams.set(stream.id, stream)
    this.#writing.push(stream)
    this.#pump()
    if (this.#nextId > LAST_STREAM_ID) this.drain()
    return stream
  }

  /** Ends a stream without telling its listener. */
  cancel(stream: OutStream): void {
    if (this.#streams.get(stream.id) !== stream) return
    this.#forget(stream)
    if (stream.headersSent) this.#write(numberFrame(FRAME.RST_STREAM, stream.id, H2_ERROR.CANCEL))
    this.#listener.onCancelled()
    this.#settled()
  }

  /** Asks for a sign of life; a second one replaces the first. */
  ping(onPong: () => void): void {
    this.#onPong = onPong
    this.#write(payloadFrame(FRAME.PING, 0, 0, new Uint8Array(8)))
  }

  /** Takes no new streams; closes when the last one has ended. */
  drain(): void {
    if (this.#draining || this.#closed) return
    this.#draining = true
    this.#listener.onDraining()
    this.#closeIfDrained()
  }

  /** Ends the connection; streams that run fail with `reason`. */
  destroy(reason: Error, h2Code: number = H2_ERROR.NO_ERROR): void {
    if (this.#closed) return
    if (!this.#socket.destroyed) {
      const payload = new Uint8Array(8)
      payload[7] = h2Code
      this.#socket.end(payloadFrame(FRAME.GOAWAY, 0, 0, payload))
      this.#socket.setTimeout(LINGER_MS, () => this.#socket.destroy())
    }
    this.#close(reason)
  }

  /** Takes what the socket gave. The chunk may be reused afterwards. */
  received(chunk: Uint8Array): void {
    if (this.#closed) return
    this.#cork()
    try {
      this.#reader.push(chunk)
      if (this.#socket.writableLength > MAX_UNSENT_BYTES) throw unread()
    } catch (error) {
      if (error instanceof H2ConnectionError) this.destroy(error, error.code)
      else if (error instanceof HpackError) this.destroy(error, H2_ERROR.COMPRESSION_ERROR)
      else throw error
    }
  }

  // ---- writing

  /** Gathers all writes until the current round of callbacks is over into one system call. */
  #cork(): void {
    if (this.#corked) return
    this.#corked = true
    this.#socket.cork()
    setImmediate(this.#uncork)
  }

  readonly #uncork = (): void => {
    this.#corked = false
    this.#socket.uncork()
  }

  #write(bytes: Uint8Array): void {
    if (this.#closed) return
    this.#cork()
    this.#socket.write(bytes)
  }

  /** An acknowledgement that a frame of the server asked for. */
  #reply(bytes: Uint8Array): void {
    if (this.#closed) return
    if (++this.#unsentReplies > MAX_UNSENT_REPLIES) throw unread()
    this.#cork()
    this.#socket.write(bytes, this.#replySent)
  }

  readonly #replySent = (): void => {
    this.#unsentReplies--
  }

  #pump(): void {
    if (this.#closed || this.#writing.length === 0) return
    this.#cork()
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

  // ---- reading

  #frame(type: number, flags: number, id: number, bytes: Uint8Array, from: number, to: number): void {
    if (this.#closed) return
    if (!this.#open && type !== FRAME.SETTINGS) throw protocolError('the first frame is not SETTINGS')
    if (this.#blockStream !== 0 && (type !== FRAME.CONTINUATION || id !== this.#blockStream))
      throw protocolError('a header block is interrupted')
    switch (type) {
      case FRAME.DATA:
        this.#data(flags, id, bytes, from, to)
        break
      case FRAME.HEADERS:
        this.#headers(flags, id, bytes, from, to)
        break
      case FRAME.CONTINUATION:
        if (this.#blockStream === 0) throw protocolError('CONTINUATION without HEADERS')
        this.#gather(bytes, from, to, (flags & FLAG.END_HEADERS) !== 0)
        break
      case FRAME.RST_STREAM:
        this.#reset(id, bytes, from, to)
        break
      case FRAME.SETTINGS:
        this.#settings(flags, id, bytes, from, to)
        break
      case FRAME.PUSH_PROMISE:
        throw protocolError('PUSH_PROMISE although push is off')
      case FRAME.PING:
        if (id !== 0) throw protocolError('PING on a stream')
        if (to - from !== 8) throw sizeError('PING')
        if ((flags & FLAG.ACK) === 0) this.#reply(payloadFrame(FRAME.PING, FLAG.ACK, 0, bytes.subarray(from, to)))
        else {
          const onPong = this.#onPong
          this.#onPong = undefined
          onPong?.()
        }
        break
      case FRAME.GOAWAY:
        this.#goaway(id, bytes, from, to)
        break
      case FRAME.WINDOW_UPDATE:
        this.#windowUpdate(id, bytes, from, to)
        break
      // RFC 9113 4.1: frames of unknown types are ignored; PRIORITY is deprecated (5.3.2).
    }
  }

  #data(flags: number, id: number, bytes: Uint8Array, from: number, to: number): void {
    const length = to - from
    const stream = this.#streamOf(id)
    // RFC 9113 6.9.1: padding counts, and so does what comes for a stream that is gone.
    this.#consumedBytes += length
    if (this.#consumedBytes >= SESSION_WINDOW_BYTES / 2) {
      this.#write(numberFrame(FRAME.WINDOW_UPDATE, 0, this.#consumedBytes))
      this.#consumedBytes = 0
    }
    const [start, end] = unpad(flags, bytes, from, to)
    if (stream === undefined) return
    stream.receivedBytes += length
    if (stream.receivedBytes > STREAM_WINDOW_BYTES) {
      this.#abandon(stream, H2_ERROR.FLOW_CONTROL_ERROR, 'the server sent more than its window')
      return
    }
    if (end > start) stream.listener.onData(bytes, start, end)
    if ((flags & FLAG.END_STREAM) !== 0) this.#end(stream)
  }

  #headers(flags: number, id: number, bytes: Uint8Array, from: number, to: number): void {
    this.#streamOf(id)
    let [start, end] = unpad(flags, bytes, from, to)
    if ((flags & FLAG.PRIORITY) !== 0) start += 5
    if (start > end) throw sizeError('HEADERS')
    this.#blockStream = id
    this.#blockEndsStream = (flags & FLAG.END_STREAM) !== 0
    if ((flags & FLAG.END_HEADERS) !== 0) this.#headerBlock(bytes, start, end)
    else this.#gather(bytes, start, end, false)
  }

  #gather(bytes: Uint8Array, from: number, to: number, last: boolean): void {
    this.#block.push(new Uint8Array(bytes.subarray(from, to)))
    this.#blockBytes += to - from
    if (this.#blockBytes > MAX_HEADER_BLOCK_BYTES || this.#block.length > MAX_CONTINUATIONS)
      throw new H2ConnectionError(H2_ERROR.ENHANCE_YOUR_CALM, 'header block too large')
    if (!last) return
    const block = Buffer.concat(this.#block)
    this.#block = []
    this.#blockBytes = 0
    this.#headerBlock(block, 0, block.length)
  }

  #headerBlock(bytes: Uint8Array, from: number, to: number): void {
    const stream = this.#streams.get(this.#blockStream)
    this.#blockStream = 0
    // The block of a stream that is gone is read all the same: it may change the table.
    this.#decoder.decode(
      bytes,
      from,
      to,
      stream === undefined ? ignoreHeader : (n, v) => stream.listener.onHeader(n, v),
    )
    if (stream === undefined) return
    stream.listener.onHeadersEnd()
    if (this.#blockEndsStream) this.#end(stream)
  }

  #settings(flags: number, id: number, bytes: Uint8Array, from: number, to: number): void {
    if (id !== 0) throw protocolError('SETTINGS on a stream')
    if ((flags & FLAG.ACK) !== 0) {
      if (!this.#open) throw protocolError('the first frame is not SETTINGS')
      if (to !== from) throw sizeError('SETTINGS')
      return
    }
    if ((to - from) % 6 !== 0) throw sizeError('SETTINGS')
    for (let at = from; at < to; at += 6) this.#setting((bytes[at]! << 8) | bytes[at + 1]!, readU32(bytes, at + 2))
    this.#reply(SETTINGS_ACK)
    if (!this.#open) {
      this.#open = true
      this.#listener.onOpen()
    } else {
      this.#pump()
      this.#listener.onRoom()
    }
  }

  #setting(id: number, value: number): void {
    if (id === SETTING.HEADER_TABLE_SIZE) {
      if (this.#open) this.#encoder.resize(value)
      else this.#encoder = new HpackEncoder(value)
    } else if (id === SETTING.MAX_CONCURRENT_STREAMS) this.#maxStreams = value
    else if (id === SETTING.INITIAL_WINDOW_SIZE) {
      if (value > LARGEST_WINDOW_BYTES)
        throw new H2ConnectionError(H2_ERROR.FLOW_CONTROL_ERROR, 'initial window too large')
      for (const stream of this.#streams.values()) this.#grow(stream, value - this.#initialWindow)
      this.#initialWindow = value
    } else if (id === SETTING.MAX_FRAME_SIZE) {
      if (value < DEFAULT_MAX_FRAME_BYTES || value > LARGEST_MAX_FRAME_BYTES) throw protocolError('bad MAX_FRAME_SIZE')
      this.#maxFrameBytes = Math.min(value, MAX_SENT_FRAME_BYTES)
    }
  }

  #windowUpdate(id: number, bytes: Uint8Array, from: number, to: number): void {
    if (to - from !== 4) throw sizeError('WINDOW_UPDATE')
    const increment = readU32(bytes, from) & 0x7fffffff
    if (id === 0) {
      if (increment === 0) throw protocolError('WINDOW_UPDATE of 0')
      this.#window += increment
      if (this.#window > LARGEST_WINDOW_BYTES)
        throw new H2ConnectionError(H2_ERROR.FLOW_CONTROL_ERROR, 'window too large')
    } else {
      const stream = this.#streamOf(id)
      if (stream === undefined) return
      if (increment === 0) {
        this.#abandon(stream, H2_ERROR.PROTOCOL_ERROR, 'WINDOW_UPDATE of 0')
        return
      }
      this.#grow(stream, increment)
    }
    this.#pump()
  }

  #grow(stream: OutStream, by: number): void {
    stream.window += by
    if (stream.window > LARGEST_WINDOW_BYTES)
      throw new H2ConnectionError(H2_ERROR.FLOW_CONTROL_ERROR, 'window of a stream too large')
  }

  #reset(id: number, bytes: Uint8Array, from: number, to: number): void {
    if (to - from !== 4) throw sizeError('RST_STREAM')
    const stream = this.#streamOf(id)
    if (stream === undefined) return
    const h2Code = readU32(bytes, from)
    this.#forget(stream)
    stream.listener.onFail({
      message: `the server reset the stream (HTTP/2 error ${h2Code})`,
      h2Code,
      unprocessed: h2Code === H2_ERROR.REFUSED_STREAM,
    })
    this.#settled()
  }

  #goaway(id: number, bytes: Uint8Array, from: number, to: number): void {
    if (id !== 0) throw protocolError('GOAWAY on a stream')
    if (to - from < 8) throw sizeError('GOAWAY')
    const last = readU32(bytes, from) & 0x7fffffff
    const h2Code = readU32(bytes, from + 4)
    this.#draining = true
    const unprocessed = [...this.#streams.values()].filter((stream) => stream.id > last)
    for (const stream of unprocessed) this.#forget(stream)
    this.#listener.onDraining()
    const message = `the server is going away (HTTP/2 error ${h2Code})`
    for (const stream of unprocessed) stream.listener.onFail({ message, h2Code: undefined, unprocessed: true })
    this.#closeIfDrained()
  }

  /** The stream, or undefined for one that has ended; a stream that never was is an error (RFC 9113 5.1). */
  #streamOf(id: number): OutStream | undefined {
    if (id === 0 || id % 2 === 0 || id >= this.#nextId) throw protocolError(`frame for stream ${id}`)
    return this.#streams.get(id)
  }

  #end(stream: OutStream): void {
    const unsent = stream.left > 0
    this.#forget(stream)
    // RFC 9113 8.1: an answer may come before the request is complete; the rest of it is not wanted.
    if (unsent) this.#write(numberFrame(FRAME.RST_STREAM, stream.id, H2_ERROR.NO_ERROR))
    stream.listener.onEnd()
    this.#settled()
  }

  #abandon(stream: OutStream, h2Code: number, message: string): void {
    this.#forget(stream)
    this.#write(numberFrame(FRAME.RST_STREAM, stream.id, h2Code))
    stream.listener.onFail({ message, h2Code: H2_ERROR.INTERNAL_ERROR, unprocessed: false })
    this.#settled()
  }

  #forget(stream: OutStream): void {
    this.#streams.delete(stream.id)
    if (stream.left === 0 && stream.headersSent) return
    const at = this.#writing.indexOf(stream)
    if (at >= 0) this.#writing.splice(at, 1)
  }

  #settled(): void {
    if (this.#draining) this.#closeIfDrained()
    else this.#listener.onRoom()
  }

  #closeIfDrained(): void {
    if (this.#draining && this.#streams.size === 0) this.destroy(new Error('connection drained'))
  }

  #close(reason: Error): void {
    if (this.#closed) return
    this.#closed = true
    this.#socket.destroySoon()
    const streams = [...this.#streams.values()]
    this.#streams.clear()
    this.#writing = []
    for (const stream of streams)
      stream.listener.onFail({ message: reason.message, h2Code: undefined, unprocessed: !stream.headersSent })
    this.#listener.onClosed(reason)
  }
}

/** The payload without its padding (RFC 9113 6.1). */
function unpad(flags: number, bytes: Uint8Array, from: number, to: number): [from: number, to: number] {
  if ((flags & FLAG.PADDED) === 0) return [from, to]
  if (from === to) throw sizeError('padded frame')
  const end = to - bytes[from]!
  if (end < from + 1) throw protocolError('padding longer than its frame')
  return [from + 1, end]
}

const ignoreHeader = (): void => {}
const protocolError = (message: string): H2ConnectionError => new H2ConnectionError(H2_ERROR.PROTOCOL_ERROR, message)
const sizeError = (frame: string): H2ConnectionError =>
  new H2ConnectionError(H2_ERROR.FRAME_SIZE_ERROR, `${frame} of a wrong size`)
const unread = (): H2ConnectionError =>
  new H2ConnectionError(H2_ERROR.ENHANCE_YOUR_CALM, 'the server does not read what it asks for')
