// The frame layer of HTTP/2 (RFC 9113 4): nine octets of header, then the payload.
//
//   length (24) | type (8) | flags (8) | stream (31, first bit ignored) | payload (length)

/** What a client says first (RFC 9113 3.4). */
export const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n')
export const FRAME_HEAD_BYTES = 9
/** The size that every peer must accept, and the one we let ours send (RFC 9113 6.5.2). */
export const DEFAULT_MAX_FRAME_BYTES = 16_384
export const LARGEST_MAX_FRAME_BYTES = 2 ** 24 - 1
export const DEFAULT_WINDOW_BYTES = 65_535
export const LARGEST_WINDOW_BYTES = 2 ** 31 - 1

export const FRAME = {
  DATA: 0,
  HEADERS: 1,
  PRIORITY: 2,
  RST_STREAM: 3,
  SETTINGS: 4,
  PUSH_PROMISE: 5,
  PING: 6,
  GOAWAY: 7,
  WINDOW_UPDATE: 8,
  CONTINUATION: 9,
} as const

export const FLAG = { ACK: 0x1, END_STREAM: 0x1, END_HEADERS: 0x4, PADDED: 0x8, PRIORITY: 0x20 } as const

export const SETTING = {
  HEADER_TABLE_SIZE: 1,
  ENABLE_PUSH: 2,
  MAX_CONCURRENT_STREAMS: 3,
  INITIAL_WINDOW_SIZE: 4,
  MAX_FRAME_SIZE: 5,
  MAX_HEADER_LIST_SIZE: 6,
} as const

/** RFC 9113 7. */
export const H2_ERROR = {
  NO_ERROR: 0,
  PROTOCOL_ERROR: 1,
  INTERNAL_ERROR: 2,
  FLOW_CONTROL_ERROR: 3,
  SETTINGS_TIMEOUT: 4,
  STREAM_CLOSED: 5,
  FRAME_SIZE_ERROR: 6,
  REFUSED_STREAM: 7,
  CANCEL: 8,
  COMPRESSION_ERROR: 9,
  CONNECT_ERROR: 10,
  ENHANCE_YOUR_CALM: 11,
  INADEQUATE_SECURITY: 12,
  HTTP_1_1_REQUIRED: 13,
} as const

/** A connection error (RFC 9113 5.4.1): the connection ends with a GOAWAY that carries `code`. */
export class H2ConnectionError extends Error {
  override readonly name: string = 'H2ConnectionError'
  readonly code: number

  constructor(code: number, message: string) {
    super(message)
    this.code = code
  }
}

export const protocolError = (message: string): H2ConnectionError =>
  new H2ConnectionError(H2_ERROR.PROTOCOL_ERROR, message)
export const sizeError = (frame: string): H2ConnectionError =>
  new H2ConnectionError(H2_ERROR.FRAME_SIZE_ERROR, `${frame} of a wrong size`)

/** The payload without its padding (RFC 9113 6.1). */
export function unpad(flags: number, bytes: Uint8Array, from: number, to: number): [from: number, to: number] {
  if ((flags & FLAG.PADDED) === 0) return [from, to]
  if (from === to) throw sizeError('padded frame')
  const end = to - bytes[from]!
  if (end < from + 1) throw protocolError('padding longer than its frame')
  return [from + 1, end]
}

/** Writes a frame's nine octets at `at`; returns where the payload begins. */
export function writeFrameHead(
  out: Uint8Array,
  at: number,
  length: number,
  type: number,
  flags: number,
  stream: number,
): number {
  out[at] = length >>> 16
  out[at + 1] = length >>> 8
  out[at + 2] = length
  out[at + 3] = type
  out[at + 4] = flags
  writeU32(out, at + 5, stream)
  return at + FRAME_HEAD_BYTES
}

export function writeU32(out: Uint8Array, at: number, value: number): void {
  out[at] = value >>> 24
  out[at + 1] = value >>> 16
  out[at + 2] = value >>> 8
  out[at + 3] = value
}

export const readU32 = (bytes: Uint8Array, at: number): number =>
  ((bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!) >>> 0

export function settingsFrame(settings: readonly (readonly [id: number, value: number])[]): Buffer {
  const out = Buffer.alloc(FRAME_HEAD_BYTES + 6 * settings.length)
  let at = writeFrameHead(out, 0, 6 * settings.length, FRAME.SETTINGS, 0, 0)
  for (const [id, value] of settings) {
    out[at] = id >>> 8
    out[at + 1] = id
    writeU32(out, at + 2, value)
    at += 6
  }
  return out
}

/** A frame whose payload is one 32-bit number: WINDOW_UPDATE and RST_STREAM. */
export function numberFrame(type: number, stream: number, value: number): Buffer {
  const out = Buffer.alloc(FRAME_HEAD_BYTES + 4)
  writeU32(out, writeFrameHead(out, 0, 4, type, 0, stream), value)
  return out
}

export function payloadFrame(type: number, flags: number, stream: number, payload: Uint8Array): Buffer {
  const out = Buffer.alloc(FRAME_HEAD_BYTES + payload.length)
  out.set(payload, writeFrameHead(out, 0, payload.length, type, flags, stream))
  return out
}

/** GOAWAY: `lastId` is the last stream of the other side that is served. */
export function goawayFrame(lastId: number, h2Code: number, words = ''): Buffer {
  const payload = Buffer.alloc(8 + Buffer.byteLength(words))
  writeU32(payload, 0, lastId)
  writeU32(payload, 4, h2Code)
  payload.write(words, 8)
  return payloadFrame(FRAME.GOAWAY, 0, 0, payload)
}

/** `bytes` is valid during the call only. */
export type OnFrame = (type: number, flags: number, stream: number, bytes: Uint8Array, from: number, to: number) => void

/** Takes the payload of DATA as it comes, so that a large frame is never held. */
export interface DataListener {
  /** A DATA frame begins; its payload of `length` bytes follows. */
  onDataHead(flags: number, stream: number, length: number): void
  /** Valid during the call only. The last piece of a frame may be empty. */
  onDataPiece(bytes: Uint8Array, from: number, to: number, last: boolean): void
}

/** The largest frame that is held until it is whole: a header block with its padding and priority. */
const MAX_HELD_BYTES = 128 * 1024 + 1 + 5 + 255

/**
 * Cuts what a socket gives into frames. Holds at most one frame that is not yet whole, and no DATA where somebody listens
 * for it; frames of unknown types are skipped (RFC 9113 4.1).
 */
export class FrameReader {
  readonly #maxFrameBytes: number
  readonly #onFrame: OnFrame
  readonly #data: DataListener | undefined
  /** A frame's nine octets, as far as they have come. */
  readonly #head = new Uint8Array(FRAME_HEAD_BYTES)
  #headFilled = 0
  /** The payload of the frame that `#head` begins, while it is gathered. */
  #payload: Uint8Array | undefined
  #payloadFilled = 0
  #inData = false
  #dataLeft = 0
  #skipLeft = 0

  constructor(onFrame: OnFrame, maxFrameBytes = DEFAULT_MAX_FRAME_BYTES, data?: DataListener) {
    this.#maxFrameBytes = maxFrameBytes
    this.#onFrame = onFrame
    this.#data = data
  }

  /** Bytes of a frame have come, and the rest of it has not. */
  get insideFrame(): boolean {
    return this.#headFilled > 0 || this.#inData || this.#skipLeft > 0
  }

  /** The chunk may be reused by its owner afterwards. Throws H2ConnectionError. */
  push(chunk: Uint8Array, start = 0): void {
    const end = chunk.length
    let at = start
    while (at < end) {
      if (this.#inData) at = this.#dataPiece(chunk, at)
      else if (this.#skipLeft > 0) {
        const skip = Math.min(this.#skipLeft, end - at)
        this.#skipLeft -= skip
        at += skip
      } else if (this.#headFilled > 0 || end - at < FRAME_HEAD_BYTES) at = this.#gather(chunk, at)
      else at = this.#frame(chunk, at)
    }
  }

  /** A frame whose head is in the chunk. */
  #frame(chunk: Uint8Array, at: number): number {
    const length = this.#lengthOf(chunk, at)
    const type = chunk[at + 3]!
    const from = at + FRAME_HEAD_BYTES
    if (type === FRAME.DATA && this.#data !== undefined) {
      this.#beginData(chunk, at, length)
      // An empty frame ends with the chunk, perhaps.
      return length === 0 ? this.#dataPiece(chunk, from) : from
    }
    if (type > FRAME.CONTINUATION) return this.#skip(chunk, at, length)
    const to = from + length
    if (to <= chunk.length) {
      this.#onFrame(type, chunk[at + 4]!, readU32(chunk, at + 5) & 0x7fffffff, chunk, from, to)
      return to
    }
    for (let i = 0; i < FRAME_HEAD_BYTES; i++) this.#head[i] = chunk[at + i]!
    this.#headFilled = FRAME_HEAD_BYTES
    this.#hold(type, length)
    return from
  }

  /** Its owner hears that it came, without a payload. */
  #skip(head: Uint8Array, at: number, length: number): number {
    this.#skipLeft = length
    this.#onFrame(head[at + 3]!, head[at + 4]!, readU32(head, at + 5) & 0x7fffffff, head, at, at)
    return at + FRAME_HEAD_BYTES
  }

  /** A frame that comes in pieces. */
  #gather(chunk: Uint8Array, at: number): number {
    if (this.#headFilled < FRAME_HEAD_BYTES) {
      while (at < chunk.length && this.#headFilled < FRAME_HEAD_BYTES) this.#head[this.#headFilled++] = chunk[at++]!
      if (this.#headFilled < FRAME_HEAD_BYTES) return at
      const length = this.#lengthOf(this.#head, 0)
      const type = this.#head[3]!
      if (type === FRAME.DATA && this.#data !== undefined) {
        this.#headFilled = 0
        this.#beginData(this.#head, 0, length)
        return length === 0 ? this.#dataPiece(chunk, at) : at
      }
      if (type > FRAME.CONTINUATION) {
        this.#headFilled = 0
        this.#skip(this.#head, 0, length)
        return at
      }
      if (length === 0) {
        this.#held(this.#head, 0)
        return at
      }
      this.#hold(type, length)
      return at
    }
    const payload = this.#payload!
    const take = Math.min(payload.length - this.#payloadFilled, chunk.length - at)
    payload.set(chunk.subarray(at, at + take), this.#payloadFilled)
    this.#payloadFilled += take
    if (this.#payloadFilled === payload.length) this.#held(payload, payload.length)
    return at + take
  }

  #hold(type: number, length: number): void {
    if (length > MAX_HELD_BYTES)
      throw new H2ConnectionError(H2_ERROR.ENHANCE_YOUR_CALM, `frame of type ${type} with ${length} bytes`)
    this.#payload = Buffer.allocUnsafeSlow(length)
    this.#payloadFilled = 0
  }

  #held(payload: Uint8Array, length: number): void {
    this.#headFilled = 0
    this.#payload = undefined
    const head = this.#head
    this.#onFrame(head[3]!, head[4]!, readU32(head, 5) & 0x7fffffff, payload, 0, length)
  }

  #lengthOf(bytes: Uint8Array, at: number): number {
    const length = (bytes[at]! << 16) | (bytes[at + 1]! << 8) | bytes[at + 2]!
    if (length > this.#maxFrameBytes) throw new H2ConnectionError(H2_ERROR.FRAME_SIZE_ERROR, `frame of ${length} bytes`)
    return length
  }

  #beginData(head: Uint8Array, at: number, length: number): void {
    this.#inData = true
    this.#dataLeft = length
    this.#data!.onDataHead(head[at + 4]!, readU32(head, at + 5) & 0x7fffffff, length)
  }

  #dataPiece(chunk: Uint8Array, at: number): number {
    const to = Math.min(chunk.length, at + this.#dataLeft)
    this.#dataLeft -= to - at
    const last = this.#dataLeft === 0
    if (last) this.#inData = false
    this.#data!.onDataPiece(chunk, at, to, last)
    return to
  }
}
