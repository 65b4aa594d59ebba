// The few pieces of HTTP/2 (RFC 9113) that the bench's own load and sink need.

export const FRAME_HEAD_BYTES = 9
/** SETTINGS_MAX_FRAME_SIZE's default: what grpc-go sends its requests in. */
export const FRAME_BYTES = 16_384
export const DEFAULT_WINDOW = 65_535
export const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n')

export const FRAME = { DATA: 0, HEADERS: 1, RST_STREAM: 3, SETTINGS: 4, PING: 6, GOAWAY: 7, WINDOW_UPDATE: 8 } as const
export const END_STREAM = 1
export const ACK = 1
export const END_HEADERS = 4
export const PADDED = 8
export const SETTING = { ENABLE_PUSH: 2, MAX_CONCURRENT_STREAMS: 3, INITIAL_WINDOW_SIZE: 4 } as const

/** Writes a frame head at `at`; returns where its payload begins. */
export function writeHead(
  to: Uint8Array,
  at: number,
  length: number,
  type: number,
  flags: number,
  stream: number,
): number {
  to[at] = length >>> 16
  to[at + 1] = length >>> 8
  to[at + 2] = length
  to[at + 3] = type
  to[at + 4] = flags
  writeStream(to, at, stream)
  return at + FRAME_HEAD_BYTES
}

/** Puts a stream id into the frame head at `at`. */
export function writeStream(to: Uint8Array, at: number, stream: number): void {
  to[at + 5] = stream >>> 24
  to[at + 6] = stream >>> 16
  to[at + 7] = stream >>> 8
  to[at + 8] = stream
}

export function frame(type: number, flags: number, stream: number, payload: Uint8Array = new Uint8Array(0)): Buffer {
  const bytes = Buffer.allocUnsafe(FRAME_HEAD_BYTES + payload.length)
  bytes.set(payload, writeHead(bytes, 0, payload.length, type, flags, stream))
  return bytes
}

export function settings(values: readonly (readonly [number, number])[]): Buffer {
  const payload = Buffer.alloc(values.length * 6)
  for (const [index, [id, value]] of values.entries()) {
    payload.writeUInt16BE(id, index * 6)
    payload.writeUInt32BE(value, index * 6 + 2)
  }
  return frame(FRAME.SETTINGS, 0, 0, payload)
}

export function windowUpdate(stream: number, bytes: number): Buffer {
  const payload = Buffer.alloc(4)
  payload.writeUInt32BE(bytes)
  return frame(FRAME.WINDOW_UPDATE, 0, stream, payload)
}

/** A header that enters no table (RFC 7541 6.2.2), so that blocks can be made once and sent again and again. */
export function literal(name: string, value: string): Buffer {
  const text = (word: string): Buffer => Buffer.concat([Buffer.from([word.length]), Buffer.from(word, 'latin1')])
  if (name.length > 126 || value.length > 126) throw new RangeError('a literal of the bench has at most 126 bytes')
  return Buffer.concat([Buffer.from([0]), text(name), text(value)])
}

/** Cuts a stream of bytes into frames; `onFrame` sees a frame's payload in `[from, to)`, valid until it returns. */
export class FrameReader {
  readonly #onFrame: (type: number, flags: number, stream: number, bytes: Buffer, from: number, to: number) => void
  #pieces: Buffer[] = []
  #held = 0
  #needed = 0

  constructor(
    onFrame: (type: number, flags: number, stream: number, bytes: Buffer, from: number, to: number) => void,
    prefaceBytes = 0,
  ) {
    this.#onFrame = onFrame
    this.#skip = prefaceBytes
  }

  #skip: number

  push(chunk: Buffer): void {
    this.#pieces.push(chunk)
    this.#held += chunk.length
    // Pieces of one frame are joined once, when the last of them is there.
    if (this.#held < this.#needed) return
    const bytes = this.#pieces.length === 1 ? chunk : Buffer.concat(this.#pieces, this.#held)
    let at = 0
    if (this.#skip > 0) {
      at = Math.min(this.#skip, bytes.length)
      this.#skip -= at
    }
    this.#needed = FRAME_HEAD_BYTES
    while (bytes.length - at >= FRAME_HEAD_BYTES) {
      const length = bytes.readUIntBE(at, 3)
      const from = at + FRAME_HEAD_BYTES
      if (from + length > bytes.length) {
        this.#needed = FRAME_HEAD_BYTES + length
        break
      }
      const stream = bytes.readUInt32BE(at + 5) & 0x7fff_ffff
      this.#onFrame(bytes[at + 3]!, bytes[at + 4]!, stream, bytes, from, from + length)
      at = from + length
    }
    this.#pieces = at < bytes.length ? [bytes.subarray(at)] : []
    this.#held = bytes.length - at
  }
}
