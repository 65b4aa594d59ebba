// The client's side of a WebSocket as a plain stream of bytes, for MQTT over ws and wss. Reading can be paused, which the
// WebSocket of the platform cannot do.
//
//   frame = FIN and opcode (1) | mask bit and length (1, 3 or 9) | mask (4, from the client) | payload        RFC 6455, 5.2

import { createHash, randomBytes } from 'node:crypto'

const OPCODE = { CONTINUATION: 0, TEXT: 1, BINARY: 2, CLOSE: 8, PING: 9, PONG: 10 } as const
const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11'
const HEAD_MAX_BYTES = 16 * 1024

export interface WebSocketEvents {
  /** The server took the upgrade. */
  open(): void
  data(bytes: Uint8Array): void
  /** To be written to the socket as it is. */
  write(bytes: Uint8Array): void
}

export class WebSocketError extends Error {}

export class WebSocketCodec {
  readonly #events: WebSocketEvents
  readonly #accept: string
  /** The request that opens it. */
  readonly request: string
  #isOpen = false
  #held: Uint8Array = new Uint8Array(0)
  /** Payload bytes of the current data frame that are still to come. */
  #left = 0

  constructor(
    url: { host: string; path: string },
    headers: Iterable<readonly [string, string]>,
    events: WebSocketEvents,
  ) {
    this.#events = events
    const key = randomBytes(16).toString('base64')
    this.#accept = createHash('sha1')
      .update(key + GUID)
      .digest('base64')
    const own = [...headers].map(([name, value]) => `${name}: ${value}\r\n`).join('')
    this.request =
      `GET ${url.path} HTTP/1.1\r\nHost: ${url.host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
      `Sec-WebSocket-Key: ${key}\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: mqtt\r\n${own}\r\n`
  }

  /** One binary frame, masked as clients must. */
  frame(payload: Uint8Array, opcode: number = OPCODE.BINARY): Uint8Array {
    const { length } = payload
    const extra = length < 126 ? 0 : length < 65536 ? 2 : 8
    const bytes = new Uint8Array(2 + extra + 4 + length)
    bytes[0] = 0x80 | opcode
    bytes[1] = 0x80 | (extra === 0 ? length : extra === 2 ? 126 : 127)
    for (let i = 0, rest = length; i < extra; i++, rest = Math.floor(rest / 256)) bytes[1 + extra - i] = rest & 0xff
    const mask = randomBytes(4)
    bytes.set(mask, 2 + extra)
    for (let i = 0; i < length; i++) bytes[6 + extra + i] = payload[i]! ^ mask[i & 3]!
    return bytes
  }

  /** Throws WebSocketError when the server does not speak it. */
  push(chunk: Uint8Array): void {
    let bytes = this.#held.length === 0 ? chunk : new Uint8Array(Buffer.concat([this.#held, chunk]))
    this.#held = NOTHING
    if (!this.#isOpen) {
      const end = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).indexOf('\r\n\r\n')
      if (end < 0) {
        if (bytes.length > HEAD_MAX_BYTES) throw new WebSocketError('no end of the answer to the upgrade')
        this.#held = bytes
        return
      }
      this.#check(Buffer.from(bytes.buffer, bytes.byteOffset, end).toString('latin1'))
      this.#isOpen = true
      this.#events.open()
      bytes = bytes.subarray(end + 4)
    }
    let at = 0
    while (at < bytes.length) {
      if (this.#left > 0) {
        const end = Math.min(bytes.length, at + this.#left)
        this.#left -= end - at
        this.#events.data(bytes.subarray(at, end))
        at = end
        continue
      }
      const next = this.#head(bytes, at)
      if (next < 0) {
        this.#held = bytes.slice(at)
        return
      }
      at = next
    }
  }

  /** Reads the head of a frame, and all of a control frame; where what follows begins, or -1 when more has to come. */
  #head(bytes: Uint8Array, at: number): number {
    if (bytes.length - at < 2) return -1
    const opcode = bytes[at]! & 0x0f
    const short = bytes[at + 1]!
    if (short > 0x7f) throw new WebSocketError('a masked frame from the server')
    const extra = short < 126 ? 0 : short === 126 ? 2 : 8
    const body = at + 2 + extra
    if (body > bytes.length) return -1
    let length = extra === 0 ? short : 0
    for (let i = 0; i < extra; i++) length = length * 256 + bytes[at + 2 + i]!
    if (opcode < OPCODE.CLOSE) {
      if (opcode === OPCODE.TEXT) throw new WebSocketError('a text frame: MQTT has binary ones')
      this.#left = length
      return body
    }
    if (length > 125) throw new WebSocketError('a control frame of more than 125 bytes')
    if (body + length > bytes.length) return -1
    const payload = bytes.slice(body, body + length)
    if (opcode === OPCODE.PING) this.#events.write(this.frame(payload, OPCODE.PONG))
    else if (opcode === OPCODE.CLOSE) throw new WebSocketError('the server closed the WebSocket')
    return body + length
  }

  #check(head: string): void {
    const [status = '', ...lines] = head.split('\r\n')
    if (!/^HTTP\/1\.1 101\b/.test(status)) throw new WebSocketError(`no upgrade to WebSocket: ${status.slice(0, 100)}`)
    const accept = lines.find((line) => /^sec-websocket-accept:/i.test(line))
    if (accept?.slice(accept.indexOf(':') + 1).trim() !== this.#accept)
      throw new WebSocketError('the answer to the upgrade is not to our question')
  }
}

const NOTHING = new Uint8Array(0)
