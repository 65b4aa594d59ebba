// Sends OTLP/gRPC as hard as it can over one connection, on a bare socket.
//
// Each of `inFlight` slots holds one whole request, framed beforehand in DATA frames of 16 KiB as grpc-go cuts them; to
// send it again, the stream id and the request's number are written into their places. The number's place is in the last
// frame, which is made long enough for it. A slot is free when its answer has come. Answers are told apart without
// decoding headers: only an answer that is OK carries a message.

import { connect, type Socket } from 'node:net'
import {
  ACK,
  DEFAULT_WINDOW,
  END_HEADERS,
  END_STREAM,
  FRAME,
  FRAME_BYTES,
  FRAME_HEAD_BYTES,
  FrameReader,
  frame,
  literal,
  PREFACE,
  SETTING,
  settings,
  windowUpdate,
  writeHead,
  writeStream,
} from './http2-frames.ts'
import type { Connection, LoadEvents } from './load.ts'
import type { PackedRequest } from './packed.ts'

const MESSAGE_PREFIX_BYTES = 5
const NOTHING = new Uint8Array(0)

class Slot {
  readonly bytes: Buffer
  /** Where frames begin, and the end of the last one. */
  readonly #heads: number[] = []
  readonly #request: PackedRequest
  stream = 0
  number = 0
  /** The next frame to send. */
  next = 0
  window = 0
  gotMessage = false

  constructor(request: PackedRequest, headers: Buffer) {
    const message = Buffer.alloc(MESSAGE_PREFIX_BYTES + request.bytes.length)
    message[0] = request.encoding === 'none' ? 0 : 1
    message.writeUInt32BE(request.bytes.length, 1)
    message.set(request.bytes, MESSAGE_PREFIX_BYTES)
    const ends = frameEnds(message.length, request.tailBytes)
    this.bytes = Buffer.alloc((ends.length + 1) * FRAME_HEAD_BYTES + headers.length + message.length)
    this.#request = request
    this.#heads.push(0)
    let at = writeHead(this.bytes, 0, headers.length, FRAME.HEADERS, END_HEADERS, 0)
    at += headers.copy(this.bytes, at)
    let from = 0
    for (const end of ends) {
      this.#heads.push(at)
      at = writeHead(this.bytes, at, end - from, FRAME.DATA, end === message.length ? END_STREAM : 0, 0)
      at += message.copy(this.bytes, at, from, end)
      from = end
    }
    this.#heads.push(at)
  }

  get frames(): number {
    return this.#heads.length - 1
  }

  frameStart(index: number): number {
    return this.#heads[index]!
  }

  /** What a frame takes from the windows; the first one holds the headers, which are free. */
  dataBytes(index: number): number {
    return index === 0 ? 0 : this.#heads[index + 1]! - this.#heads[index]! - FRAME_HEAD_BYTES
  }

  begin(stream: number, window: number, sender: number, number: number): void {
    for (let index = 0; index < this.frames; index++) writeStream(this.bytes, this.#heads[index]!, stream)
    this.#request.number(this.bytes, this.bytes.length, sender, number)
    this.stream = stream
    this.number = number
    this.next = 0
    this.window = window
    this.gotMessage = false
  }
}

/** Where frames end, so that the last one holds the whole tail. */
export function frameEnds(length: number, tailBytes: number): number[] {
  const ends: number[] = []
  let at = 0
  while (length - at > FRAME_BYTES) {
    at += Math.min(FRAME_BYTES, length - at - tailBytes)
    ends.push(at)
  }
  return [...ends, length]
}

export class GrpcLoad implements Connection {
  readonly #events: LoadEvents
  readonly #sender: number
  readonly #byStream = new Map<number, Slot>()
  readonly #blocked = new Set<Slot>()
  readonly #idle: Slot[]
  #socket: Socket | undefined
  #nextStream = 1
  #connectionWindow = DEFAULT_WINDOW
  #initialWindow = DEFAULT_WINDOW
  #received = 0

  constructor(requests: readonly PackedRequest[], inFlight: number, sender: number, events: LoadEvents, path: string) {
    const encoding = requests[0]!.encoding
    const headers = Buffer.concat([
      Buffer.from([0x83, 0x86]), // :method POST, :scheme http
      literal(':path', path),
      literal(':authority', '127.0.0.1'),
      literal('content-type', 'application/grpc'),
      literal('te', 'trailers'),
      ...(encoding === 'none' ? [] : [literal('grpc-encoding', encoding)]),
    ])
    this.#idle = Array.from({ length: inFlight }, (_, index) => new Slot(requests[index % requests.length]!, headers))
    this.#events = events
    this.#sender = sender
  }

  open(port: number): Promise<void> {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true })
    this.#socket = socket
    const reader = new FrameReader((...frame) => this.#frame(...frame))
    socket.on('data', (chunk: Buffer) => {
      socket.cork()
      reader.push(chunk)
      socket.uncork()
    })
    socket.on('close', () => this.#lost())
    socket.write(
      Buffer.concat([
        PREFACE,
        settings([
          [SETTING.ENABLE_PUSH, 0],
          [SETTING.INITIAL_WINDOW_SIZE, 1 << 20],
        ]),
        windowUpdate(0, 1 << 28),
      ]),
    )
    return new Promise((resolve, reject) => {
      socket.on('error', reject)
      socket.on('connect', () => resolve())
    })
  }

  startOne(): boolean {
    const slot = this.#idle.pop()
    return slot !== undefined && this.#begin(slot)
  }

  #begin(slot: Slot): boolean {
    const open = this.#socket !== undefined && !this.#socket.destroyed
    const number = open ? this.#events.next() : -1
    if (number < 0) {
      this.#idle.push(slot)
      return false
    }
    slot.begin(this.#nextStream, this.#initialWindow, this.#sender, number)
    this.#nextStream += 2
    this.#byStream.set(slot.stream, slot)
    this.#pump(slot)
    return true
  }

  /** Writes as many whole frames as the windows allow, in one piece. */
  #pump(slot: Slot): void {
    const first = slot.next
    while (slot.next < slot.frames) {
      const bytes = slot.dataBytes(slot.next)
      if (bytes > slot.window || bytes > this.#connectionWindow) break
      slot.window -= bytes
      this.#connectionWindow -= bytes
      slot.next++
    }
    if (slot.next > first) this.#socket!.write(slot.bytes.subarray(slot.frameStart(first), slot.frameStart(slot.next)))
    if (slot.next < slot.frames) this.#blocked.add(slot)
    else this.#blocked.delete(slot)
  }

  #frame(type: number, flags: number, stream: number, bytes: Buffer, from: number, to: number): void {
    const slot = this.#byStream.get(stream)
    if (type === FRAME.DATA) {
      if (slot !== undefined && to - from >= MESSAGE_PREFIX_BYTES) slot.gotMessage = true
      this.#received += to - from
      if (this.#received > 1 << 20) {
        this.#socket!.write(windowUpdate(0, this.#received))
        this.#received = 0
      }
      if ((flags & END_STREAM) !== 0) this.#done(slot)
    } else if (type === FRAME.HEADERS) {
      if ((flags & END_STREAM) !== 0) this.#done(slot)
    } else if (type === FRAME.RST_STREAM) this.#done(slot)
    else if (type === FRAME.WINDOW_UPDATE) {
      const more = bytes.readUInt32BE(from) & 0x7fff_ffff
      if (stream === 0) this.#connectionWindow += more
      else if (slot !== undefined) slot.window += more
      for (const blocked of this.#blocked) this.#pump(blocked)
    } else if (type === FRAME.SETTINGS && (flags & ACK) === 0) {
      for (let at = from; at < to; at += 6) {
        if (bytes.readUInt16BE(at) !== SETTING.INITIAL_WINDOW_SIZE) continue
        const change = bytes.readUInt32BE(at + 2) - this.#initialWindow
        this.#initialWindow += change
        for (const active of this.#byStream.values()) active.window += change
      }
      this.#socket!.write(frame(FRAME.SETTINGS, ACK, 0))
      for (const blocked of this.#blocked) this.#pump(blocked)
    } else if (type === FRAME.PING && (flags & ACK) === 0)
      this.#socket!.write(frame(FRAME.PING, ACK, 0, Buffer.from(bytes.subarray(from, to))))
  }

  #done(slot: Slot | undefined): void {
    if (slot === undefined) return
    this.#byStream.delete(slot.stream)
    this.#blocked.delete(slot)
    if (slot.gotMessage) this.#events.ok(slot.number)
    else this.#events.refused(slot.number)
    // A refusal may come before the request has left: its bytes must not change until they have.
    if (slot.gotMessage) this.#begin(slot)
    else this.#socket!.write(NOTHING, () => this.#begin(slot))
  }

  #lost(): void {
    const slots = [...this.#byStream.values()]
    this.#byStream.clear()
    for (const slot of slots) this.#events.failed(slot.number)
  }
}
