// One HTTP/2 connection as a client that sends requests with bodies known in full, and gets small answers (RFC 9113).
//
//   connecting --preface, our SETTINGS--> greeting --their SETTINGS--> open --GOAWAY / close()--> draining --> closed
//
// What a server may make us hold is bounded: one frame, one header block, STREAM_WINDOW_BYTES for each answer,
// SESSION_WINDOW_BYTES together, and what the writer may hold (session-writer.ts).
//
// Left to others: choosing a connection, retrying, and what headers mean.

import type { Socket } from 'node:net'
import { IdTable } from '../../collections/id-table.ts'
import {
  DEFAULT_WINDOW_BYTES,
  FLAG,
  FRAME,
  FrameReader,
  H2_ERROR,
  H2ConnectionError,
  numberFrame,
  payloadFrame,
  protocolError,
  readU32,
  SETTING,
  settingsFrame,
  sizeError,
  unpad,
} from './frame.ts'
import { HeaderBlock } from './header-block.ts'
import { type HeaderList, HpackDecoder, HpackError, MAX_HEADER_LIST_BYTES } from './hpack.ts'
import { SessionWriter } from './session-writer.ts'
import { OutStream, type StreamListener } from './stream.ts'

/** What one answer may take before its reader must have refused it: a message of 4 MiB and its frame. */
export const STREAM_WINDOW_BYTES = 4 * 1024 * 1024 + 64
export const SESSION_WINDOW_BYTES = 16 * 1024 * 1024
/** How long a connection that we end may take for what is still to be written. */
const LINGER_MS = 1_000

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
  readonly #writer: SessionWriter
  readonly #block = new HeaderBlock()
  readonly #streams = new IdTable<OutStream>()
  #nextId: number
  #maxStreams = Number.POSITIVE_INFINITY
  #consumedBytes = 0
  #open = false
  #draining = false
  #closed = false
  /** Whose header block is being gathered; 0: nobody's. */
  #blockStream = 0
  #blockEndsStream = false
  #onPong: (() => void) | undefined

  /** `socket` is connected; for TLS, its handshake is over. `firstId` is for tests: ids are used up after 2^30 streams. */
  constructor(socket: Socket, listener: SessionListener, firstId = 1) {
    this.#nextId = firstId
    this.#socket = socket
    this.#writer = new SessionWriter(socket)
    this.#listener = listener
    socket.on('drain', () => this.#writer.pump())
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
    const stream = new OutStream(this.#nextId, headers, parts, byteLength, this.#writer.initialWindow, listener)
    this.#nextId += 2
    this.#streams.add(stream)
    this.#writer.add(stream)
    if (this.#nextId > LAST_STREAM_ID) this.drain()
    return stream
  }

  /** Ends a stream without telling its listener. */
  cancel(stream: OutStream): void {
    if (this.#streams.get(stream.id) !== stream) return
    this.#forget(stream)
    if (stream.headersSent) this.#writer.writeNumber(FRAME.RST_STREAM, stream.id, H2_ERROR.CANCEL)
    this.#listener.onCancelled()
    this.#settled()
  }

  /** Asks for a sign of life; a second one replaces the first. */
  ping(onPong: () => void): void {
    this.#onPong = onPong
    this.#writer.write(payloadFrame(FRAME.PING, 0, 0, new Uint8Array(8)))
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
      this.#writer.end(payloadFrame(FRAME.GOAWAY, 0, 0, payload))
      this.#socket.setTimeout(LINGER_MS, () => this.#socket.destroy())
    }
    this.#close(reason)
  }

  /** Takes what the socket gave. The chunk may be reused afterwards. */
  received(chunk: Uint8Array): void {
    if (this.#closed) return
    try {
      this.#reader.push(chunk)
      this.#writer.checkUnsent()
    } catch (error) {
      if (error instanceof H2ConnectionError) this.destroy(error, error.code)
      else if (error instanceof HpackError) this.destroy(error, H2_ERROR.COMPRESSION_ERROR)
      else throw error
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
        if ((flags & FLAG.ACK) === 0)
          this.#writer.write(payloadFrame(FRAME.PING, FLAG.ACK, 0, bytes.subarray(from, to)))
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
      this.#writer.writeNumber(FRAME.WINDOW_UPDATE, 0, this.#consumedBytes)
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
    const block = this.#block.add(bytes, from, to, last)
    if (block !== undefined) this.#headerBlock(block, 0, block.length)
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
    for (let at = from; at < to; at += 6) {
      const setting = (bytes[at]! << 8) | bytes[at + 1]!
      const value = readU32(bytes, at + 2)
      if (setting === SETTING.MAX_CONCURRENT_STREAMS) this.#maxStreams = value
      else this.#writer.setting(setting, value, this.#streams)
    }
    this.#writer.write(SETTINGS_ACK)
    if (!this.#open) {
      this.#open = true
      this.#listener.onOpen()
    } else {
      this.#writer.pump()
      this.#listener.onRoom()
    }
  }

  #windowUpdate(id: number, bytes: Uint8Array, from: number, to: number): void {
    if (to - from !== 4) throw sizeError('WINDOW_UPDATE')
    const increment = readU32(bytes, from) & 0x7fffffff
    if (id === 0) {
      this.#writer.growConnection(increment)
    } else {
      const stream = this.#streamOf(id)
      if (stream === undefined) return
      if (increment === 0) {
        this.#abandon(stream, H2_ERROR.PROTOCOL_ERROR, 'WINDOW_UPDATE of 0')
        return
      }
      this.#writer.grow(stream, increment)
    }
    this.#writer.pump()
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
    const unprocessed = this.#streams.values().filter((stream) => stream.id > last)
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
    if (unsent) this.#writer.writeNumber(FRAME.RST_STREAM, stream.id, H2_ERROR.NO_ERROR)
    stream.listener.onEnd()
    this.#settled()
  }

  #abandon(stream: OutStream, h2Code: number, message: string): void {
    this.#forget(stream)
    this.#writer.writeNumber(FRAME.RST_STREAM, stream.id, h2Code)
    stream.listener.onFail({ message, h2Code: H2_ERROR.INTERNAL_ERROR, unprocessed: false })
    this.#settled()
  }

  #forget(stream: OutStream): void {
    this.#streams.delete(stream.id)
    this.#writer.forget(stream)
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
    const streams = this.#streams.values()
    this.#streams.clear()
    this.#writer.close()
    for (const stream of streams)
      stream.listener.onFail({ message: reason.message, h2Code: undefined, unprocessed: !stream.headersSent })
    this.#listener.onClosed(reason)
  }
}

const ignoreHeader = (): void => {}
