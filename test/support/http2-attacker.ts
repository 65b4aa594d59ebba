// An HTTP/2 client that keeps to no rule: frames made by hand on a bare socket, what comes back counted by type.

import { connect as connectTcp, type Socket } from 'node:net'
import type { TestContext } from 'node:test'
import { connect as connectTls } from 'node:tls'
import {
  FLAG,
  FRAME,
  FRAME_HEAD_BYTES,
  FrameReader,
  numberFrame,
  PREFACE,
  payloadFrame,
  readU32,
} from '../../src/net/http2/frame.ts'
import { certs } from './certs.ts'

export interface DoorAddress {
  readonly port: number
  readonly secure: boolean
}

/** The largest frame that both engines announce to take is larger; an attacker's reader takes any. */
const ANY_FRAME_BYTES = 2 ** 24 - 1

export class Http2Attacker {
  readonly socket: Socket
  /** Frames that came back, by type. */
  readonly seen = new Map<number, number>()
  /** Streams that were reset, by their number, with the code. */
  readonly resets = new Map<number, number>()
  /** Streams whose answer ended. */
  readonly ended = new Set<number>()
  /** The code of the first. */
  goaway: number | undefined
  closed = false
  readonly whenClosed: Promise<void>
  #next = 1

  constructor(socket: Socket) {
    this.socket = socket
    const reader = new FrameReader((type, flags, stream, bytes, from) => {
      this.seen.set(type, (this.seen.get(type) ?? 0) + 1)
      if (type === FRAME.GOAWAY) this.goaway ??= readU32(bytes, from + 4)
      if (type === FRAME.RST_STREAM) this.resets.set(stream, readU32(bytes, from))
      if ((type === FRAME.DATA || type === FRAME.HEADERS) && (flags & FLAG.END_STREAM) !== 0) this.ended.add(stream)
    }, ANY_FRAME_BYTES)
    socket.on('data', (chunk: Buffer) => reader.push(chunk))
    socket.on('error', () => {})
    this.whenClosed = new Promise((resolve) =>
      socket.once('close', () => {
        this.closed = true
        resolve()
      }),
    )
  }

  /** The number of the next stream that a client may open. */
  nextStream(): number {
    const stream = this.#next
    this.#next += 2
    return stream
  }

  /** Resolves when the kernel took it, or the connection has ended. */
  async send(...frames: readonly Uint8Array[]): Promise<void> {
    if (this.closed || !this.socket.writable) return
    if (this.socket.write(Buffer.concat(frames))) return
    const { socket } = this
    await new Promise<void>((resolve) => {
      const done = (): void => {
        socket.removeListener('drain', done).removeListener('close', done)
        resolve()
      }
      socket.on('drain', done).on('close', done)
    })
  }

  /**
   * Sends what `round` makes until the door ends the connection, at most `rounds` times; `between` runs now and then,
   * and at least three times. Resolves to the rounds that were sent.
   */
  async flood(round: (n: number) => Uint8Array, rounds: number, between: () => Promise<unknown>): Promise<number> {
    let sent = 0
    let looked = 0
    for (; sent < rounds && !this.closed; sent++) {
      await this.send(round(sent))
      if (sent % 64 !== 3) continue
      looked++
      await between()
    }
    for (; looked < 3; looked++) await between()
    return sent
  }
}

/** Says the preface, and SETTINGS as given (none: all defaults). */
export async function attacker(t: TestContext, door: DoorAddress, settings = emptySettings()): Promise<Http2Attacker> {
  const socket = rawSocket(t, door)
  const made = new Http2Attacker(socket)
  await new Promise((resolve) => socket.once(door.secure ? 'secureConnect' : 'connect', resolve))
  await made.send(PREFACE, settings)
  return made
}

/** A connection that has said nothing yet; over TLS it says `h2` in the handshake. */
export function rawSocket(t: TestContext, { port, secure }: DoorAddress, alpn = 'h2'): Socket {
  const socket = secure
    ? connectTls({ port, host: '127.0.0.1', ca: certs.ca, servername: 'localhost', ALPNProtocols: [alpn] })
    : connectTcp(port, '127.0.0.1')
  socket.on('error', () => {})
  t.after(() => socket.destroy())
  return socket
}

/** Resolves when it is closed, by an error or without. */
export const closed = (socket: Socket): Promise<void> => new Promise((resolve) => socket.once('close', () => resolve()))

export const emptySettings = (): Buffer => payloadFrame(FRAME.SETTINGS, 0, 0, new Uint8Array(0))
export const pingFrame = (flags = 0): Buffer => payloadFrame(FRAME.PING, flags, 0, new Uint8Array(8))
export const resetFrame = (stream: number, code = 8): Buffer => numberFrame(FRAME.RST_STREAM, stream, code)
export const windowFrame = (stream: number, by: number): Buffer => numberFrame(FRAME.WINDOW_UPDATE, stream, by)
export const priorityFrame = (stream: number): Buffer => payloadFrame(FRAME.PRIORITY, 0, stream, new Uint8Array(5))
export const dataFrame = (stream: number, bytes: Uint8Array, flags = 0): Buffer =>
  payloadFrame(FRAME.DATA, flags, stream, bytes)
export const headersFrame = (stream: number, block: Uint8Array, flags: number = FLAG.END_HEADERS): Buffer =>
  payloadFrame(FRAME.HEADERS, flags, stream, block)
export const continuationFrame = (stream: number, block: Uint8Array, flags = 0): Buffer =>
  payloadFrame(FRAME.CONTINUATION, flags, stream, block)
export const repeat = (frame: Uint8Array, times: number): Buffer => Buffer.concat(Array(times).fill(frame))
export { FLAG, FRAME, FRAME_HEAD_BYTES }

/** An HPACK integer (RFC 7541 5.1) under `first` with a prefix of so many bits. */
export function hpackInteger(first: number, bits: number, value: number): number[] {
  const most = 2 ** bits - 1
  if (value < most) return [first | value]
  const out = [first | most]
  let rest = value - most
  for (; rest >= 128; rest = Math.floor(rest / 128)) out.push((rest % 128) | 0x80)
  out.push(rest)
  return out
}

const text = (value: string): Buffer =>
  Buffer.concat([Buffer.from(hpackInteger(0, 7, value.length)), Buffer.from(value, 'latin1')])

/** A header as a literal: 0x00 without, 0x40 with a place in the dynamic table. */
export const literal = (name: string, value: string, first = 0x00): Buffer =>
  Buffer.concat([Buffer.from([first]), text(name), text(value)])

/** A request's headers as one block. */
export const headerBlock = (headers: Readonly<Record<string, string>>): Buffer =>
  Buffer.concat(Object.entries(headers).map(([name, value]) => literal(name, value)))
