// One HTTP/2 connection as a server that takes requests and answers each with a body known in full (RFC 9113).
//
//   preface --"PRI * ..."--> greeting --their SETTINGS--> open --close()--> last call --PONG, lastCall()--> draining --> closed
//
// Broken rules end the stream or the connection with the code that RFC 9113 gives (5.4); header blocks are read even for
// streams that nobody wants, because they change the table. What a client may make us hold is bounded: one header block,
// the body pieces that the listener keeps, and what the writer may hold (session-writer.ts).
//
// Left to others: what headers mean, when a connection is too old, and what is a flood.

import type { Socket } from 'node:net'
import { IdTable } from '../../collections/id-table.ts'
import { LINGER_MS } from '../linger.ts'
import { ClosedStreams } from './closed-streams.ts'
import { DataIn, type DataOwner } from './data-in.ts'
import {
  FLAG,
  FRAME,
  FrameReader,
  H2_ERROR,
  H2ConnectionError,
  LARGEST_WINDOW_BYTES,
  payloadFrame,
  protocolError,
  readU32,
  SETTING,
  sizeError,
  unpad,
} from './frame.ts'
import { HeaderBlock } from './header-block.ts'
import { HpackError } from './hpack.ts'
import { HeadReader, type RequestHead } from './request-head.ts'
import { goaway, type ServerSessionOwner, type ServerSessionSettings } from './server-settings.ts'
import { ServerStream, type StreamOwner } from './server-stream.ts'
import { SessionWriter } from './session-writer.ts'
import type { Slabs } from './slabs.ts'

const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n')
const SETTINGS_ACK = payloadFrame(FRAME.SETTINGS, FLAG.ACK, 0, new Uint8Array(0))
const KEEPALIVE_PING = payloadFrame(FRAME.PING, 0, 0, Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 1))
const LAST_CALL_PING = payloadFrame(FRAME.PING, 0, 0, Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 2))
const ANY_STREAM_ID = 2 ** 31 - 1

const NOT_IN_BLOCK = 0
const REQUEST = 1
const TRAILERS = 2
const UNWANTED = 3

export class ServerSession implements StreamOwner, DataOwner {
  readonly #socket: Socket
  readonly #settings: ServerSessionSettings
  readonly #owner: ServerSessionOwner
  readonly #reader: FrameReader
  readonly #writer: SessionWriter
  readonly #heads: HeadReader
  readonly #block = new HeaderBlock()
  readonly #streams = new IdTable<ServerStream>()
  readonly #ended = new ClosedStreams()
  #lastId = 0
  #prefaceSeen = 0
  #open = false
  #closing = false
  /** The last stream that is served, once that is said. */
  #finalId = ANY_STREAM_ID
  #closed = false
  /** The header block that is being gathered. */
  #blockKind = NOT_IN_BLOCK
  #blockId = 0
  #blockEndsStream = false

  /** `socket` is connected; for TLS, its handshake is over. `hello` is the greeting for these settings. */
  constructor(socket: Socket, settings: ServerSessionSettings, hello: Buffer, owner: ServerSessionOwner, slabs: Slabs) {
    this.#socket = socket
    this.#settings = settings
    this.#owner = owner
    this.#heads = new HeadReader(settings.maxHeaderListBytes, settings.maxHeaders)
    this.#reader = new FrameReader(
      (type, flags, stream, bytes, from, to) => this.#frame(type, flags, stream, bytes, from, to),
      settings.maxFrameBytes,
      new DataIn(this, settings),
    )
    this.#writer = new SessionWriter(socket, slabs)
    this.#writer.write(hello)
    socket.on('drain', () => this.#writer.pump())
    socket.on('error', () => this.#close())
    socket.on('end', () => this.#close())
    socket.on('close', () => this.#close())
  }

  get active(): number {
    return this.#streams.size
  }

  get closing(): boolean {
    return this.#closing
  }

  get closed(): boolean {
    return this.#closed
  }

  /** Takes what the socket gave. The chunk may be reused afterwards. */
  received(chunk: Uint8Array): void {
    if (this.#closed) return
    try {
      this.#reader.push(chunk, this.#prefaceSeen < PREFACE.length ? this.#preface(chunk) : 0)
      this.#writer.checkUnsent()
    } catch (error) {
      if (error instanceof H2ConnectionError) this.#fail(error.code, error)
      else if (error instanceof HpackError) this.#fail(H2_ERROR.COMPRESSION_ERROR, error)
      else throw error
    }
  }

  /** Asks for a sign of life. */
  ping(): void {
    this.#writer.write(KEEPALIVE_PING)
  }

  /**
   * Ends politely (RFC 9113 6.8): says that the end is near, takes what is already on its way, and closes when the last
   * stream has. The client's answer to a PING tells that it knows; where none comes, lastCall() goes on.
   */
  close(): void {
    if (this.#closing || this.#closed) return
    this.#closing = true
    if (!this.#open) {
      this.destroy(H2_ERROR.NO_ERROR)
      return
    }
    this.#writer.write(goaway(ANY_STREAM_ID, H2_ERROR.NO_ERROR))
    this.#writer.write(LAST_CALL_PING)
  }

  /** From here on new streams are not looked at. */
  lastCall(): void {
    if (this.#closed || this.#finalId !== ANY_STREAM_ID) return
    this.#closing = true
    this.#finalId = this.#lastId
    this.#writer.write(goaway(this.#finalId, H2_ERROR.NO_ERROR))
    this.#closeIfDrained()
  }

  /** Ends the connection at once, with a GOAWAY. */
  destroy(h2Code: number, words = ''): void {
    if (this.#closed) return
    if (!this.#socket.destroyed) {
      this.#writer.end(goaway(Math.min(this.#lastId, this.#finalId), h2Code, words))
      const timer = setTimeout(() => this.#socket.destroy(), LINGER_MS).unref()
      this.#socket.once('close', () => clearTimeout(timer))
    }
    this.#close()
  }

  // ---- what streams ask for

  send(stream: ServerStream): void {
    this.#writer.add(stream)
  }

  written(stream: ServerStream): void {
    stream.localEnded = true
    if (stream.remoteEnded) this.#end(stream, false)
  }

  reset(stream: ServerStream, h2Code: number): void {
    this.#writer.writeNumber(FRAME.RST_STREAM, stream.id, h2Code)
    this.#end(stream, !stream.remoteEnded)
  }

  // ---- reading

  #preface(chunk: Uint8Array): number {
    let at = 0
    while (at < chunk.length && this.#prefaceSeen < PREFACE.length)
      if (chunk[at++] !== PREFACE[this.#prefaceSeen++]) throw protocolError('the client does not speak HTTP/2')
    return at
  }

  #frame(type: number, flags: number, id: number, bytes: Uint8Array, from: number, to: number): void {
    if (this.#closed) return
    this.#checkOrder(type, id)
    switch (type) {
      case FRAME.HEADERS:
        this.#headers(flags, id, bytes, from, to)
        break
      case FRAME.CONTINUATION:
        if (this.#blockKind === NOT_IN_BLOCK) throw protocolError('CONTINUATION without HEADERS')
        this.#gather(bytes, from, to, (flags & FLAG.END_HEADERS) !== 0)
        break
      case FRAME.PRIORITY:
        // Deprecated (RFC 9113 5.3.2): only its form counts.
        if (id === 0) throw protocolError('PRIORITY without a stream')
        if (to - from !== 5) {
          if (!this.#streams.has(id)) throw sizeError('PRIORITY')
          this.streamError(id, H2_ERROR.FRAME_SIZE_ERROR)
        }
        this.#owner.onControlFrame('other')
        break
      case FRAME.RST_STREAM:
        this.#resetByClient(id, to - from)
        break
      case FRAME.SETTINGS:
        this.#setting(flags, id, bytes, from, to)
        break
      case FRAME.PUSH_PROMISE:
        throw protocolError('PUSH_PROMISE from a client')
      case FRAME.PING:
        this.#ping(flags, id, bytes, from, to)
        break
      case FRAME.GOAWAY:
        // The client will not take streams of ours, of which there are none.
        if (id !== 0) throw protocolError('GOAWAY on a stream')
        if (to - from < 8) throw sizeError('GOAWAY')
        this.#owner.onControlFrame('other')
        break
      case FRAME.WINDOW_UPDATE:
        this.#windowUpdate(id, bytes, from, to)
        break
      default:
        // RFC 9113 5.5: frames of unknown types are ignored.
        this.#owner.onControlFrame('other')
    }
  }

  #checkOrder(type: number, id: number): void {
    if (!this.#open && type !== FRAME.SETTINGS) throw protocolError('the first frame is not SETTINGS')
    if (this.#blockKind !== NOT_IN_BLOCK && (type !== FRAME.CONTINUATION || id !== this.#blockId))
      throw protocolError('a header block is interrupted')
  }

  // ---- what the reader of DATA asks for

  checkData(id: number): void {
    this.#checkOrder(FRAME.DATA, id)
    if (this.#isIdle(id)) throw protocolError(`DATA for stream ${id}, which is not open`)
  }

  find(id: number): ServerStream | undefined {
    return this.#streams.get(id)
  }

  /** It may have been on its way when the stream was reset, or the last stream named. */
  isLate(id: number): boolean {
    return id > this.#finalId || this.#ended.find(id) === 'reset by us'
  }

  grow(id: number, by: number): void {
    this.#writer.writeNumber(FRAME.WINDOW_UPDATE, id, by)
  }

  /** RFC 9113 5.4.2: the stream alone is over, whether it is open or not. */
  streamError(id: number, h2Code: number): void {
    const stream = this.#streams.get(id)
    if (stream !== undefined) {
      this.reset(stream, h2Code)
      return
    }
    this.#writer.writeNumber(FRAME.RST_STREAM, id, h2Code)
    this.#ended.add(id, true)
  }

  endOfRequest(stream: ServerStream): void {
    stream.remoteEnded = true
    // RFC 9113 8.1.1.
    if (stream.contentLength >= 0 && stream.contentLength !== stream.receivedBytes) {
      this.streamError(stream.id, H2_ERROR.PROTOCOL_ERROR)
      this.#owner.onMalformed(`content-length ${stream.contentLength}, and ${stream.receivedBytes} bytes came`)
      return
    }
    stream.listener!.onEnd()
    if (stream.localEnded && !stream.closed) this.#end(stream, false)
  }

  // ---- reading of everything else

  #headers(flags: number, id: number, bytes: Uint8Array, from: number, to: number): void {
    if (id === 0 || id % 2 === 0) throw protocolError(`HEADERS on stream ${id}`)
    let [start, end] = unpad(flags, bytes, from, to)
    if ((flags & FLAG.PRIORITY) !== 0) start += 5
    if (start > end) throw sizeError('HEADERS')
    this.#blockKind = this.#kindOf(id)
    this.#blockId = id
    this.#blockEndsStream = (flags & FLAG.END_STREAM) !== 0
    if ((flags & FLAG.END_HEADERS) !== 0) this.#headerBlock(bytes, start, end)
    else this.#gather(bytes, start, end, false)
  }

  #kindOf(id: number): number {
    if (this.#streams.has(id)) return TRAILERS
    if (id <= this.#lastId) {
      const how = this.#ended.find(id)
      // It was on its way when we reset the stream, or said that we take no more.
      if (how === 'reset by us' || id > this.#finalId) return UNWANTED
      // RFC 9113 5.1, 5.1.1.
      if (how === 'ended')
        throw new H2ConnectionError(H2_ERROR.STREAM_CLOSED, `HEADERS on stream ${id}, which has ended`)
      throw protocolError(`stream ${id} is not newer than ${this.#lastId}`)
    }
    this.#lastId = id
    return id > this.#finalId ? UNWANTED : REQUEST
  }

  #gather(bytes: Uint8Array, from: number, to: number, last: boolean): void {
    const block = this.#block.add(bytes, from, to, last)
    if (block !== undefined) this.#headerBlock(block, 0, block.length)
  }

  #headerBlock(bytes: Uint8Array, from: number, to: number): void {
    const kind = this.#blockKind
    const id = this.#blockId
    this.#blockKind = NOT_IN_BLOCK
    if (kind === REQUEST) this.#request(id, this.#heads.read(bytes, from, to))
    else {
      const trailers = this.#heads.readTrailers(bytes, from, to)
      // The stream may have ended while its trailers came in pieces.
      const stream = kind === TRAILERS ? this.#streams.get(id) : undefined
      if (stream !== undefined) this.#trailers(stream, trailers)
    }
  }

  #request(id: number, head: RequestHead): void {
    const { malformed, tooLarge } = head
    if (malformed !== undefined || tooLarge) {
      this.streamError(id, tooLarge ? H2_ERROR.ENHANCE_YOUR_CALM : H2_ERROR.PROTOCOL_ERROR)
      this.#owner.onMalformed(malformed ?? 'more headers than allowed')
      return
    }
    // RFC 9113 5.1.2.
    if (this.#streams.size >= this.#settings.maxStreams) {
      this.streamError(id, H2_ERROR.REFUSED_STREAM)
      return
    }
    const { streamWindowBytes } = this.#settings
    const stream = new ServerStream(id, this, streamWindowBytes, this.#writer.initialWindow, head.contentLength)
    stream.remoteEnded = this.#blockEndsStream
    this.#streams.add(stream)
    this.#owner.onRequest(stream, head)
    if (this.#blockEndsStream && !stream.closed) this.endOfRequest(stream)
  }

  #trailers(stream: ServerStream, trailers: RequestHead): void {
    if (stream.remoteEnded) this.streamError(stream.id, H2_ERROR.STREAM_CLOSED)
    // RFC 9113 8.1: a second block of headers ends the request.
    else if (!this.#blockEndsStream || trailers.malformed !== undefined) {
      this.streamError(stream.id, H2_ERROR.PROTOCOL_ERROR)
      this.#owner.onMalformed(trailers.malformed ?? 'trailers that do not end the stream')
    } else if (trailers.tooLarge) {
      this.streamError(stream.id, H2_ERROR.ENHANCE_YOUR_CALM)
      this.#owner.onMalformed('more headers than allowed')
    } else this.endOfRequest(stream)
  }

  #setting(flags: number, id: number, bytes: Uint8Array, from: number, to: number): void {
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
      if (setting === SETTING.ENABLE_PUSH && value > 1) throw protocolError('bad ENABLE_PUSH')
      this.#writer.setting(setting, value, this.#streams)
    }
    this.#writer.write(SETTINGS_ACK)
    if (!this.#open) {
      this.#open = true
      this.#owner.onOpen()
    }
    this.#owner.onControlFrame('SETTINGS')
    this.#writer.pump()
  }

  #ping(flags: number, id: number, bytes: Uint8Array, from: number, to: number): void {
    if (id !== 0) throw protocolError('PING on a stream')
    if (to - from !== 8) throw sizeError('PING')
    if ((flags & FLAG.ACK) === 0) {
      this.#writer.write(payloadFrame(FRAME.PING, FLAG.ACK, 0, bytes.subarray(from, to)))
      this.#owner.onControlFrame('PING')
    } else {
      if (this.#closing && bytes[to - 1] === LAST_CALL_PING.at(-1)) this.lastCall()
      this.#owner.onPong()
    }
  }

  #windowUpdate(id: number, bytes: Uint8Array, from: number, to: number): void {
    if (to - from !== 4) throw sizeError('WINDOW_UPDATE')
    const increment = readU32(bytes, from) & 0x7fffffff
    if (id === 0) this.#writer.growConnection(increment)
    else {
      if (this.#isIdle(id)) throw protocolError(`WINDOW_UPDATE for stream ${id}, which is not open`)
      const stream = this.#streams.get(id)
      // RFC 9113 6.9, 6.9.1: both concern the stream alone. One that has ended takes any.
      if (stream !== undefined) {
        if (increment === 0) this.streamError(id, H2_ERROR.PROTOCOL_ERROR)
        else if (stream.window + increment > LARGEST_WINDOW_BYTES) this.streamError(id, H2_ERROR.FLOW_CONTROL_ERROR)
        else stream.window += increment
      }
    }
    this.#owner.onControlFrame('other')
    this.#writer.pump()
  }

  #resetByClient(id: number, length: number): void {
    if (this.#isIdle(id)) throw protocolError(`RST_STREAM for stream ${id}, which is not open`)
    if (length !== 4) throw sizeError('RST_STREAM')
    const stream = this.#streams.get(id)
    if (stream !== undefined) this.#end(stream, false)
    this.#owner.onControlFrame('RST_STREAM')
  }

  /** RFC 9113 5.1: nothing but HEADERS opens a stream, and ours are none. */
  #isIdle(id: number): boolean {
    return id === 0 || id % 2 === 0 || id > this.#lastId
  }

  // ---- ends

  #end(stream: ServerStream, resetByUs: boolean): void {
    stream.closed = true
    this.#streams.delete(stream.id)
    this.#ended.add(stream.id, resetByUs)
    this.#writer.forget(stream)
    stream.listener?.onClosed()
    if (this.#closing) this.#closeIfDrained()
  }

  #closeIfDrained(): void {
    if (this.#finalId !== ANY_STREAM_ID && this.#streams.size === 0) this.destroy(H2_ERROR.NO_ERROR)
  }

  #fail(h2Code: number, error: Error): void {
    if (this.#closed) return
    this.#owner.onFailed(error)
    this.destroy(h2Code, error.message)
  }

  #close(): void {
    if (this.#closed) return
    this.#closed = true
    this.#writer.close()
    const streams = this.#streams.values()
    this.#streams.clear()
    for (const stream of streams) {
      stream.closed = true
      stream.listener?.onClosed()
    }
    this.#owner.onClosed()
  }
}
