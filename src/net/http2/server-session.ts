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
import { lingerThenDestroy } from '../linger.ts'
import { ClosedStreams } from './closed-streams.ts'
import { DataIn, type DataOwner } from './data-in.ts'
import {
  FRAME,
  goawayFrame,
  H2_ERROR,
  H2ConnectionError,
  PREFACE,
  payloadFrame,
  protocolError,
  SETTING,
  sizeError,
} from './frame.ts'
import { FramesIn, type FramesOwner } from './frames-in.ts'
import { HeadReader } from './head-reader.ts'
import { RequestHead } from './request-head.ts'
import type { ServerSessionOwner, ServerSessionSettings } from './server-settings.ts'
import { ServerStream, type StreamOwner } from './server-stream.ts'
import { SessionWriter } from './session-writer.ts'
import type { Slabs } from './slabs.ts'

const KEEPALIVE_PING = payloadFrame(FRAME.PING, 0, 0, Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 1))
const LAST_CALL_PING = payloadFrame(FRAME.PING, 0, 0, Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 2))
const ANY_STREAM_ID = 2 ** 31 - 1

/** Whose header block it is. */
const REQUEST = 1
const TRAILERS = 2
const UNWANTED = 3

export class ServerSession implements StreamOwner, FramesOwner, DataOwner<ServerStream> {
  readonly #socket: Socket
  readonly #settings: ServerSessionSettings
  readonly #owner: ServerSessionOwner
  readonly #writer: SessionWriter
  readonly #frames: FramesIn
  readonly #heads: HeadReader<RequestHead>
  readonly #streams = new IdTable<ServerStream>()
  readonly #ended = new ClosedStreams()
  #lastId = 0
  #prefaceSeen = 0
  #closing = false
  /** The last stream that is served, once that is said. */
  #finalId = ANY_STREAM_ID
  #closed = false
  /** Of the header block that is coming in. */
  #blockKind = UNWANTED

  /** `socket` is connected; for TLS, its handshake is over. `hello` is the greeting for these settings. */
  constructor(socket: Socket, settings: ServerSessionSettings, hello: Buffer, owner: ServerSessionOwner, slabs: Slabs) {
    this.#socket = socket
    this.#settings = settings
    this.#owner = owner
    this.#heads = new HeadReader(() => new RequestHead(), settings.maxHeaderListBytes, settings.maxHeaders)
    this.#writer = new SessionWriter(socket, slabs)
    this.#frames = new FramesIn(this, this.#writer, new DataIn(this, settings), settings.maxFrameBytes)
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
      this.#frames.push(chunk, this.#prefaceSeen < PREFACE.length ? this.#preface(chunk) : 0)
      this.#writer.checkUnsent()
    } catch (error) {
      if (!(error instanceof H2ConnectionError)) throw error
      this.#fail(error)
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
    if (!this.#frames.greeted) {
      this.destroy(H2_ERROR.NO_ERROR)
      return
    }
    this.#writer.write(goawayFrame(ANY_STREAM_ID, H2_ERROR.NO_ERROR))
    this.#writer.write(LAST_CALL_PING)
  }

  /** From here on new streams are not looked at. */
  lastCall(): void {
    if (this.#closed || this.#finalId !== ANY_STREAM_ID) return
    this.#closing = true
    this.#finalId = this.#lastId
    this.#writer.write(goawayFrame(this.#finalId, H2_ERROR.NO_ERROR))
    this.#closeIfDrained()
  }

  /** Ends the connection at once, with a GOAWAY. */
  destroy(h2Code: number, words = ''): void {
    if (this.#closed) return
    if (!this.#socket.destroyed) {
      this.#writer.end(goawayFrame(Math.min(this.#lastId, this.#finalId), h2Code, words))
      lingerThenDestroy(this.#socket)
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

  // ---- DATA (data-in.ts)

  checkData(id: number): void {
    this.#frames.checkOrder(FRAME.DATA, id)
    this.checkOpened(id)
  }

  /** RFC 9113 5.1: nothing but HEADERS opens a stream, and ours are none. */
  checkOpened(id: number): void {
    if (id === 0 || id % 2 === 0 || id > this.#lastId)
      throw protocolError(`a frame for stream ${id}, which is not open`)
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

  endOfData(stream: ServerStream): void {
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

  // ---- other frames (frames-in.ts)

  onHeaders(id: number): void {
    if (id === 0 || id % 2 === 0) throw protocolError(`HEADERS on stream ${id}`)
    this.#blockKind = this.#kindOf(id)
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

  onHeaderBlock(id: number, endsStream: boolean, bytes: Uint8Array, from: number, to: number): void {
    if (this.#blockKind === REQUEST) {
      this.#request(id, endsStream, this.#heads.read(bytes, from, to))
      return
    }
    const trailers = this.#heads.readOnce(bytes, from, to)
    trailers.completeTrailers()
    // The stream may have ended while its trailers came in pieces.
    const stream = this.#blockKind === TRAILERS ? this.#streams.get(id) : undefined
    if (stream !== undefined) this.#trailers(stream, endsStream, trailers)
  }

  #request(id: number, endsStream: boolean, head: RequestHead): void {
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
    stream.remoteEnded = endsStream
    this.#streams.add(stream)
    this.#owner.onRequest(stream, head)
    if (endsStream && !stream.closed) this.endOfData(stream)
  }

  #trailers(stream: ServerStream, endsStream: boolean, trailers: RequestHead): void {
    if (stream.remoteEnded) this.streamError(stream.id, H2_ERROR.STREAM_CLOSED)
    // RFC 9113 8.1: a second block of headers ends the request.
    else if (!endsStream || trailers.malformed !== undefined) {
      this.streamError(stream.id, H2_ERROR.PROTOCOL_ERROR)
      this.#owner.onMalformed(trailers.malformed ?? 'trailers that do not end the stream')
    } else if (trailers.tooLarge) {
      this.streamError(stream.id, H2_ERROR.ENHANCE_YOUR_CALM)
      this.#owner.onMalformed('more headers than allowed')
    } else this.endOfData(stream)
  }

  onPriority(id: number, wellFormed: boolean): void {
    if (!wellFormed) {
      if (!this.#streams.has(id)) throw sizeError('PRIORITY')
      this.streamError(id, H2_ERROR.FRAME_SIZE_ERROR)
    }
    this.#owner.onControlFrame('other')
  }

  onReset(id: number): void {
    const stream = this.#streams.get(id)
    if (stream !== undefined) this.#end(stream, false)
    this.#owner.onControlFrame('RST_STREAM')
  }

  onPushPromise(): never {
    throw protocolError('PUSH_PROMISE from a client')
  }

  onSetting(setting: number, value: number): void {
    if (setting === SETTING.ENABLE_PUSH && value > 1) throw protocolError('bad ENABLE_PUSH')
    this.#writer.setting(setting, value, this.#streams)
  }

  onSettingsEnd(first: boolean): void {
    if (first) this.#owner.onOpen()
    this.#owner.onControlFrame('SETTINGS')
    this.#writer.pump()
  }

  onPing(): void {
    this.#owner.onControlFrame('PING')
  }

  onPong(last: number): void {
    if (this.#closing && last === LAST_CALL_PING.at(-1)) this.lastCall()
    this.#owner.onPong()
  }

  /** The client will not take streams of ours, of which there are none. */
  onGoaway(): void {
    this.#owner.onControlFrame('other')
  }

  onWindowUpdate(): void {
    this.#owner.onControlFrame('other')
  }

  onUnknown(): void {
    this.#owner.onControlFrame('other')
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

  #fail(error: H2ConnectionError): void {
    if (this.#closed) return
    this.#owner.onFailed(error)
    this.destroy(error.code, error.message)
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
