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
import { lingerThenDestroy } from '../linger.ts'
import { ClientStream, type StreamListener } from './client-stream.ts'
import { DataIn, type DataOwner } from './data-in.ts'
import {
  DEFAULT_WINDOW_BYTES,
  FRAME,
  goawayFrame,
  H2_ERROR,
  H2ConnectionError,
  numberFrame,
  PREFACE,
  payloadFrame,
  protocolError,
  SETTING,
  settingsFrame,
} from './frame.ts'
import { FramesIn, type FramesOwner } from './frames-in.ts'
import { HeadReader } from './head-reader.ts'
import { type HeaderList, MAX_HEADER_LIST_BYTES } from './hpack.ts'
import { ResponseHead } from './response-head.ts'
import { SessionWriter } from './session-writer.ts'

/** What one answer may take before its reader must have refused it: a message of 4 MiB and its frame. */
export const STREAM_WINDOW_BYTES = 4 * 1024 * 1024 + 64
export const SESSION_WINDOW_BYTES = 16 * 1024 * 1024
/** As many as a list can hold at all. */
const MAX_HEADERS = MAX_HEADER_LIST_BYTES / 32
const WINDOWS = { streamWindowBytes: STREAM_WINDOW_BYTES, connectionWindowBytes: SESSION_WINDOW_BYTES }

const PING = payloadFrame(FRAME.PING, 0, 0, new Uint8Array(8))
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
  /** The server takes no new streams; those that run go on. `words`: what its GOAWAY said. */
  onDraining(words: string): void
  /** A stream was cancelled that had no answer, or could not even be sent: the other side may be dead. */
  onCancelled(): void
  /** The last call; every stream has failed before it. */
  onClosed(reason: Error): void
}

export class ClientSession implements FramesOwner, DataOwner<ClientStream> {
  readonly #socket: Socket
  readonly #listener: SessionListener
  readonly #writer: SessionWriter
  readonly #frames: FramesIn
  readonly #heads = new HeadReader(() => new ResponseHead(), MAX_HEADER_LIST_BYTES, MAX_HEADERS)
  readonly #streams = new IdTable<ClientStream>()
  #nextId: number
  #maxStreams = Number.POSITIVE_INFINITY
  #draining = false
  #closed = false
  #answered = false
  #onPong: (() => void) | undefined

  /** `socket` is connected; for TLS, its handshake is over. `firstId` is for tests: ids are used up after 2^30 streams. */
  constructor(socket: Socket, listener: SessionListener, firstId = 1) {
    this.#nextId = firstId
    this.#socket = socket
    this.#writer = new SessionWriter(socket)
    this.#frames = new FramesIn(this, this.#writer, new DataIn(this, WINDOWS))
    this.#listener = listener
    socket.on('drain', () => this.#writer.pump())
    socket.on('error', (error) => this.#close(error))
    socket.on('end', () => this.#close(new Error('the server closed the connection')))
    socket.on('close', () => this.#close(new Error('connection lost')))
    socket.write(FIRST_BYTES)
  }

  /** Streams that can be opened now. */
  get room(): number {
    if (!this.#frames.greeted || this.#draining || this.#closed) return 0
    return Math.max(0, this.#maxStreams - this.#streams.size)
  }

  get active(): number {
    return this.#streams.size
  }

  get draining(): boolean {
    return this.#draining
  }

  /** An answer has come, whatever it says. */
  get answered(): boolean {
    return this.#answered
  }

  get closed(): boolean {
    return this.#closed
  }

  /** Sends a request. Needs `room`. The parts must not change until the stream has ended. */
  request(
    headers: HeaderList,
    parts: readonly Uint8Array[],
    byteLength: number,
    listener: StreamListener,
  ): ClientStream {
    const { initialWindow } = this.#writer
    const stream = new ClientStream(
      this.#nextId,
      headers,
      parts,
      byteLength,
      initialWindow,
      STREAM_WINDOW_BYTES,
      listener,
    )
    this.#nextId += 2
    this.#streams.add(stream)
    this.#writer.add(stream)
    if (this.#nextId > LAST_STREAM_ID) this.drain()
    return stream
  }

  /** Ends a stream without telling its listener. */
  cancel(stream: ClientStream): void {
    if (this.#streams.get(stream.id) !== stream) return
    this.#forget(stream)
    if (stream.headersSent) this.#writer.writeNumber(FRAME.RST_STREAM, stream.id, H2_ERROR.CANCEL)
    this.#listener.onCancelled()
    this.#settled()
  }

  /** Asks for a sign of life; a second one replaces the first. */
  ping(onPong: () => void): void {
    this.#onPong = onPong
    this.#writer.write(PING)
  }

  /** Takes no new streams; closes when the last one has ended. */
  drain(): void {
    if (this.#draining || this.#closed) return
    this.#draining = true
    this.#listener.onDraining('')
    this.#closeIfDrained()
  }

  /** Ends the connection; streams that run fail with `reason`. */
  destroy(reason: Error, h2Code: number = H2_ERROR.NO_ERROR): void {
    if (this.#closed) return
    if (!this.#socket.destroyed) {
      this.#writer.end(goawayFrame(0, h2Code))
      lingerThenDestroy(this.#socket)
    }
    this.#close(reason)
  }

  /** Takes what the socket gave. The chunk may be reused afterwards. */
  received(chunk: Uint8Array): void {
    if (this.#closed) return
    try {
      this.#frames.push(chunk)
      this.#writer.checkUnsent()
    } catch (error) {
      if (!(error instanceof H2ConnectionError)) throw error
      this.destroy(error, error.code)
    }
  }

  // ---- DATA (data-in.ts)

  checkData(id: number): void {
    this.#frames.checkOrder(FRAME.DATA, id)
    this.checkOpened(id)
    const stream = this.#streams.get(id)
    if (stream !== undefined && !stream.headed) this.#malformed(stream, 'DATA ahead of the headers')
  }

  checkOpened(id: number): void {
    if (id === 0 || id % 2 === 0 || id >= this.#nextId)
      throw protocolError(`a frame for stream ${id}, which is not open`)
  }

  find(id: number): ClientStream | undefined {
    return this.#streams.get(id)
  }

  /** The server need not have heard yet that we gave the stream up. */
  isLate(): boolean {
    return true
  }

  grow(id: number, by: number): void {
    this.#writer.writeNumber(FRAME.WINDOW_UPDATE, id, by)
  }

  streamError(id: number, h2Code: number): void {
    const stream = this.#streams.get(id)
    if (stream !== undefined) this.#abandon(stream, h2Code, `the server broke the rules of HTTP/2 (error ${h2Code})`)
  }

  endOfData(stream: ClientStream): void {
    stream.remoteEnded = true
    const { contentLength, receivedBytes } = stream
    // RFC 9113 8.1.1.
    if (contentLength >= 0 && contentLength !== receivedBytes)
      this.#malformed(stream, `content-length ${contentLength}, and ${receivedBytes} bytes came`)
    else this.#end(stream)
  }

  // ---- other frames (frames-in.ts)

  onHeaders(id: number): void {
    this.checkOpened(id)
  }

  onHeaderBlock(id: number, endsStream: boolean, bytes: Uint8Array, from: number, to: number): void {
    // The block of a stream that is gone is read all the same: it may change the table.
    const head = this.#heads.read(bytes, from, to)
    const stream = this.#streams.get(id)
    if (stream === undefined) return
    if (endsStream) stream.remoteEnded = true
    if (head.tooLarge) {
      this.#abandon(stream, H2_ERROR.ENHANCE_YOUR_CALM, `more than ${MAX_HEADER_LIST_BYTES} bytes of headers`)
      return
    }
    const wrong = head.malformed ?? stream.findMisplaced(head)
    if (wrong !== undefined) {
      this.#malformed(stream, wrong)
      return
    }
    // RFC 9113 8.1: informational headers may come ahead of those of the answer.
    if (head.isInformational) return
    if (!stream.headed) stream.contentLength = head.contentLength
    stream.headed = true
    stream.listener.onHead(head)
    if (endsStream && !stream.closed) this.endOfData(stream)
  }

  onPriority(id: number, wellFormed: boolean): void {
    if (!wellFormed) this.streamError(id, H2_ERROR.FRAME_SIZE_ERROR)
  }

  onReset(id: number, h2Code: number): void {
    const stream = this.#streams.get(id)
    if (stream === undefined) return
    this.#forget(stream)
    stream.listener.onFail({
      message: `the server reset the stream (HTTP/2 error ${h2Code})`,
      h2Code,
      unprocessed: h2Code === H2_ERROR.REFUSED_STREAM,
    })
    this.#settled()
  }

  onPushPromise(): never {
    throw protocolError('PUSH_PROMISE although push is off')
  }

  onSetting(setting: number, value: number): void {
    // RFC 9113 6.5.2: a server does not say that it wants to be pushed to.
    if (setting === SETTING.ENABLE_PUSH && value !== 0) throw protocolError('bad ENABLE_PUSH')
    if (setting === SETTING.MAX_CONCURRENT_STREAMS) this.#maxStreams = value
    else this.#writer.setting(setting, value, this.#streams)
  }

  onSettingsEnd(first: boolean): void {
    if (first) {
      this.#listener.onOpen()
      return
    }
    this.#writer.pump()
    this.#listener.onRoom()
  }

  onPing(): void {}

  onPong(): void {
    const onPong = this.#onPong
    this.#onPong = undefined
    onPong?.()
  }

  onGoaway(lastId: number, h2Code: number, words: string): void {
    this.#draining = true
    // RFC 9113 6.8: none is opened any more either, whatever stream the server names.
    const unprocessed = this.#streams.values().filter(({ id, headersSent }) => id > lastId || !headersSent)
    for (const stream of unprocessed) this.#forget(stream)
    this.#listener.onDraining(words)
    const message = `the server is going away (HTTP/2 error ${h2Code}${words === '' ? '' : `: ${words}`})`
    for (const stream of unprocessed) stream.listener.onFail({ message, h2Code: undefined, unprocessed: true })
    this.#closeIfDrained()
  }

  onWindowUpdate(): void {}

  onUnknown(): void {}

  // ---- ends

  #end(stream: ClientStream): void {
    this.#answered = true
    const unsent = stream.left > 0
    this.#forget(stream)
    // RFC 9113 8.1: an answer may come before the request is complete; the rest of it is not wanted.
    if (unsent) this.#writer.writeNumber(FRAME.RST_STREAM, stream.id, H2_ERROR.NO_ERROR)
    stream.listener.onEnd()
    this.#settled()
  }

  /** RFC 9113 8.1.1. */
  #malformed(stream: ClientStream, what: string): void {
    this.#abandon(stream, H2_ERROR.PROTOCOL_ERROR, `the answer is malformed: ${what}`)
  }

  #abandon(stream: ClientStream, h2Code: number, message: string): void {
    const over = stream.remoteEnded && stream.left === 0
    this.#forget(stream)
    if (!over) this.#writer.writeNumber(FRAME.RST_STREAM, stream.id, h2Code)
    stream.listener.onFail({ message, h2Code: H2_ERROR.INTERNAL_ERROR, unprocessed: false })
    this.#settled()
  }

  #forget(stream: ClientStream): void {
    stream.closed = true
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
    for (const stream of streams) {
      stream.closed = true
      stream.listener.onFail({ message: reason.message, h2Code: undefined, unprocessed: !stream.headersSent })
    }
    this.#listener.onClosed(reason)
  }
}
