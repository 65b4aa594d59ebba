// The frames that one side of an HTTP/2 connection receives (RFC 9113 4 to 6), as far as both sides read them alike: that
// they come in order and in their form, and the header blocks that several of them carry.
//
//   greeting --SETTINGS--> any frame --HEADERS without END_HEADERS--> CONTINUATION of that stream alone --END_HEADERS--> any
//
// What needs no thought is done here: SETTINGS and PING are answered, windows opened. What is wrong throws H2ConnectionError. DATA goes past this
// file piece by piece (data-in.ts), but for the check of its order.
//
// Left to its owner: which streams there are, and what the frames mean for them.

import {
  type DataListener,
  FLAG,
  FRAME,
  FrameReader,
  H2_ERROR,
  H2ConnectionError,
  LARGEST_WINDOW_BYTES,
  payloadFrame,
  protocolError,
  readU32,
  sizeError,
  unpad,
} from './frame.ts'
import { HeaderBlock } from './header-block.ts'
import type { Outgoing, SessionWriter } from './session-writer.ts'

const SETTINGS_ACK = payloadFrame(FRAME.SETTINGS, FLAG.ACK, 0, new Uint8Array(0))

/** Of one frame, as nghttp2 has it: each may move the windows of all streams. */
const MAX_SETTINGS = 32

/** The session. Bytes are valid during a call only. */
export interface FramesOwner {
  readonly closed: boolean
  /** Throws where no such stream ever was (RFC 9113 5.1). */
  checkOpened(id: number): void
  find(id: number): Outgoing | undefined
  /** The stream alone is over (RFC 9113 5.4.2). */
  streamError(id: number, h2Code: number): void
  /** HEADERS begins a block, which follows. Throws where the stream may have none now. */
  onHeaders(id: number): void
  /** A header block is whole. It must be decoded, whoever it is for. */
  onHeaderBlock(id: number, endsStream: boolean, bytes: Uint8Array, from: number, to: number): void
  /** Nothing but the form of PRIORITY counts (RFC 9113 5.3.2). */
  onPriority(id: number, wellFormed: boolean): void
  /** `id` was opened once. */
  onReset(id: number, h2Code: number): void
  onPushPromise(): never
  onSetting(setting: number, value: number): void
  /** All settings of a frame have been told, and are acknowledged. */
  onSettingsEnd(first: boolean): void
  /** Answered already. */
  onPing(): void
  /** `last`: the last octet of what the PING held. */
  onPong(last: number): void
  onGoaway(lastId: number, h2Code: number, words: string): void
  /** The window is open already. */
  onWindowUpdate(): void
  /** RFC 9113 5.5: a frame of an unknown type, to be ignored. */
  onUnknown(): void
}

export class FramesIn {
  readonly #owner: FramesOwner
  readonly #writer: SessionWriter
  readonly #reader: FrameReader
  readonly #block = new HeaderBlock()
  #greeted = false
  /** Whose header block is being gathered; 0: nobody's. */
  #blockId = 0
  #blockEndsStream = false

  constructor(owner: FramesOwner, writer: SessionWriter, data: DataListener, maxFrameBytes?: number) {
    this.#owner = owner
    this.#writer = writer
    this.#reader = new FrameReader(
      (type, flags, id, bytes, from, to) => this.#frame(type, flags, id, bytes, from, to),
      maxFrameBytes,
      data,
    )
  }

  /** Their first SETTINGS have come. */
  get greeted(): boolean {
    return this.#greeted
  }

  /** The chunk may be reused by its owner afterwards. Throws H2ConnectionError. */
  push(chunk: Uint8Array, from = 0): void {
    this.#reader.push(chunk, from)
  }

  /** Throws where no such frame may come now. */
  checkOrder(type: number, id: number): void {
    if (!this.#greeted && type !== FRAME.SETTINGS) throw protocolError('the first frame is not SETTINGS')
    if (this.#blockId !== 0 && (type !== FRAME.CONTINUATION || id !== this.#blockId))
      throw protocolError('a header block is interrupted')
  }

  #frame(type: number, flags: number, id: number, bytes: Uint8Array, from: number, to: number): void {
    const owner = this.#owner
    if (owner.closed) return
    this.checkOrder(type, id)
    const length = to - from
    switch (type) {
      case FRAME.HEADERS:
        this.#headers(flags, id, bytes, from, to)
        break
      case FRAME.CONTINUATION:
        if (this.#blockId === 0) throw protocolError('CONTINUATION without HEADERS')
        this.#gather(bytes, from, to, (flags & FLAG.END_HEADERS) !== 0)
        break
      case FRAME.PRIORITY:
        if (id === 0) throw protocolError('PRIORITY without a stream')
        owner.onPriority(id, length === 5)
        break
      case FRAME.RST_STREAM:
        if (length !== 4) throw sizeError('RST_STREAM')
        owner.checkOpened(id)
        owner.onReset(id, readU32(bytes, from))
        break
      case FRAME.SETTINGS:
        this.#settings(flags, id, bytes, from, to)
        break
      case FRAME.PUSH_PROMISE:
        owner.onPushPromise()
        break
      case FRAME.PING:
        this.#ping(flags, id, bytes, from, to)
        break
      case FRAME.GOAWAY:
        if (id !== 0) throw protocolError('GOAWAY on a stream')
        if (length < 8) throw sizeError('GOAWAY')
        owner.onGoaway(readU32(bytes, from) & 0x7fffffff, readU32(bytes, from + 4), wordsOf(bytes, from + 8, to))
        break
      case FRAME.WINDOW_UPDATE:
        if (length !== 4) throw sizeError('WINDOW_UPDATE')
        this.#windowUpdate(id, readU32(bytes, from) & 0x7fffffff)
        break
      default:
        owner.onUnknown()
    }
  }

  #headers(flags: number, id: number, bytes: Uint8Array, from: number, to: number): void {
    this.#owner.onHeaders(id)
    let [start, end] = unpad(flags, bytes, from, to)
    if ((flags & FLAG.PRIORITY) !== 0) start += 5
    if (start > end) throw sizeError('HEADERS')
    this.#blockId = id
    this.#blockEndsStream = (flags & FLAG.END_STREAM) !== 0
    if ((flags & FLAG.END_HEADERS) !== 0) this.#whole(bytes, start, end)
    else this.#gather(bytes, start, end, false)
  }

  #gather(bytes: Uint8Array, from: number, to: number, last: boolean): void {
    const block = this.#block.add(bytes, from, to, last)
    if (block !== undefined) this.#whole(block, 0, block.length)
  }

  #whole(bytes: Uint8Array, from: number, to: number): void {
    const id = this.#blockId
    this.#blockId = 0
    this.#owner.onHeaderBlock(id, this.#blockEndsStream, bytes, from, to)
  }

  #settings(flags: number, id: number, bytes: Uint8Array, from: number, to: number): void {
    if (id !== 0) throw protocolError('SETTINGS on a stream')
    if ((flags & FLAG.ACK) !== 0) {
      if (!this.#greeted) throw protocolError('the first frame is not SETTINGS')
      if (to !== from) throw sizeError('SETTINGS')
      return
    }
    if ((to - from) % 6 !== 0) throw sizeError('SETTINGS')
    if (to - from > 6 * MAX_SETTINGS) throw new H2ConnectionError(H2_ERROR.ENHANCE_YOUR_CALM, 'too many settings')
    for (let at = from; at < to; at += 6)
      this.#owner.onSetting((bytes[at]! << 8) | bytes[at + 1]!, readU32(bytes, at + 2))
    this.#writer.write(SETTINGS_ACK)
    const first = !this.#greeted
    this.#greeted = true
    this.#owner.onSettingsEnd(first)
  }

  #ping(flags: number, id: number, bytes: Uint8Array, from: number, to: number): void {
    if (id !== 0) throw protocolError('PING on a stream')
    if (to - from !== 8) throw sizeError('PING')
    if ((flags & FLAG.ACK) !== 0) {
      this.#owner.onPong(bytes[to - 1]!)
      return
    }
    this.#writer.write(payloadFrame(FRAME.PING, FLAG.ACK, 0, bytes.subarray(from, to)))
    this.#owner.onPing()
  }

  #windowUpdate(id: number, increment: number): void {
    const owner = this.#owner
    if (id === 0) this.#writer.growConnection(increment)
    else {
      owner.checkOpened(id)
      const stream = owner.find(id)
      // RFC 9113 6.9, 6.9.1: both concern the stream alone. One that has ended takes any.
      if (stream !== undefined) {
        if (increment === 0) owner.streamError(id, H2_ERROR.PROTOCOL_ERROR)
        else if (stream.window + increment > LARGEST_WINDOW_BYTES) owner.streamError(id, H2_ERROR.FLOW_CONTROL_ERROR)
        else stream.window += increment
      }
    }
    owner.onWindowUpdate()
    this.#writer.pump()
  }
}

const MAX_WORDS_BYTES = 200

/** The debug data of a GOAWAY: for people, mostly. */
const wordsOf = (bytes: Uint8Array, from: number, to: number): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    .toString('latin1', from, Math.min(to, from + MAX_WORDS_BYTES))
    .replace(/[^ -~]/g, '?')
