// The frame layer of HTTP/2 (RFC 9113 4): nine octets of header, then the payload.
//
//   length (24) | type (8) | flags (8) | stream (31, first bit ignored) | payload (length)

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
  override readonly name = 'H2ConnectionError'
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

/** `bytes` is valid during the call only. */
export type OnFrame = (type: number, flags: number, stream: number, bytes: Uint8Array, from: number, to: number) => void

/** Cuts what a socket gives into frames. Holds at most one frame that is not yet whole. */
export class FrameReader {
  readonly #maxFrameBytes: number
  readonly #onFrame: OnFrame
  #rest: Uint8Array | undefined

  constructor(onFrame: OnFrame, maxFrameBytes = DEFAULT_MAX_FRAME_BYTES) {
    this.#maxFrameBytes = maxFrameBytes
    this.#onFrame = onFrame
  }

  /** The chunk may be reused by its owner afterwards. Throws H2ConnectionError. */
  push(chunk: Uint8Array): void {
    const bytes = this.#rest === undefined ? chunk : Buffer.concat([this.#rest, chunk])
    this.#rest = undefined
    let at = 0
    while (bytes.length - at >= FRAME_HEAD_BYTES) {
      const length = (bytes[at]! << 16) | (bytes[at + 1]! << 8) | bytes[at + 2]!
      if (length > this.#maxFrameBytes)
        throw new H2ConnectionError(H2_ERROR.FRAME_SIZE_ERROR, `frame of ${length} bytes`)
      const from = at + FRAME_HEAD_BYTES
      const to = from + length
      if (to > bytes.length) break
      this.#onFrame(bytes[at + 3]!, bytes[at + 4]!, readU32(bytes, at + 5) & 0x7fffffff, bytes, from, to)
      at = to
    }
    if (at < bytes.length) this.#rest = new Uint8Array(bytes.subarray(at))
  }
}
