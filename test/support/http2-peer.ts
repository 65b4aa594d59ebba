// An HTTP/2 client that sends whatever frames it is told, right or wrong, and writes down what comes back, one word or
// two each:
//
//   1 OK                    stream 1 was answered with grpc-status 0, and ended
//   1 status 12             the same with another grpc-status; 1 ... while an answer is under way
//   RST 1 STREAM_CLOSED     RST_STREAM
//   GOAWAY PROTOCOL_ERROR   GOAWAY, as long as it is not NO_ERROR
//   closed                  the connection ended, and no GOAWAY said why

import { connect, type Socket } from 'node:net'
import type { TestContext } from 'node:test'
import {
  DEFAULT_WINDOW_BYTES,
  FLAG,
  FRAME,
  FrameReader,
  H2_ERROR,
  payloadFrame,
  readU32,
} from '../../src/net/http2/frame.ts'
import { HpackDecoder } from '../../src/net/http2/hpack.ts'

const nameOf = (code: number): string =>
  Object.entries(H2_ERROR).find(([, value]) => value === code)?.[0] ?? String(code)

export class Http2Peer {
  readonly socket: Socket
  readonly #decoder = new HpackDecoder()
  readonly #events: string[] = []
  readonly #status = new Map<number, string>()
  #saidWhy = false
  #pongs = 0
  /** Acknowledgements of our SETTINGS. */
  settingsAcks = 0
  /** Payloads of PINGs that came back, in hexadecimal. */
  readonly pongs: string[] = []
  /** Bytes of DATA for each stream. */
  readonly dataBytes = new Map<number, number>()
  /** What may be sent on the connection in all. */
  connectionWindow: number = DEFAULT_WINDOW_BYTES
  /** The last stream that each GOAWAY names. */
  readonly goaways: number[] = []
  /** PINGs of the server, which are not answered by themselves. */
  readonly pings: Uint8Array[] = []
  closed = false

  constructor(t: TestContext, port: number) {
    this.socket = connect(port, '127.0.0.1')
    t.after(() => this.socket.destroy())
    const reader = new FrameReader(
      (type, flags, id, bytes, from, to) => this.#frame(type, flags, id, bytes.subarray(from, to)),
      2 ** 24 - 1,
    )
    this.socket.on('data', (chunk: Buffer) => reader.push(chunk))
    this.socket.on('error', () => {})
    this.socket.on('close', () => {
      this.closed = true
      if (!this.#saidWhy) this.#events.push('closed')
    })
  }

  send(...frames: readonly Uint8Array[]): void {
    if (!this.socket.destroyed) this.socket.write(Buffer.concat(frames))
  }

  /** What came back, in the order of streams where there are several. */
  get outcome(): string {
    const open = [...this.#status].filter(([, status]) => status === '').map(([id]) => `${id} ...`)
    return [...this.#events, ...open].join(', ')
  }

  /** Waits until the server has seen all that was sent, or is gone; true when it answers a PING after it. */
  async settle(): Promise<boolean> {
    const wanted = this.#pongs + 1
    this.send(payloadFrame(FRAME.PING, 0, 0, Buffer.from('settled?')))
    for (let i = 0; i < 2000 && !this.closed && this.#pongs < wanted; i++)
      await new Promise((resolve) => setTimeout(resolve, 2))
    return this.#pongs >= wanted
  }

  #frame(type: number, flags: number, id: number, payload: Uint8Array): void {
    if (type === FRAME.RST_STREAM) this.#tell(`RST ${id} ${nameOf(readU32(payload, 0))}`, id)
    else if (type === FRAME.GOAWAY) {
      const code = readU32(payload, 4)
      this.goaways.push(readU32(payload, 0))
      if (code !== H2_ERROR.NO_ERROR && !this.#saidWhy) {
        this.#saidWhy = true
        this.#events.push(`GOAWAY ${nameOf(code)}`)
      }
    } else if (type === FRAME.WINDOW_UPDATE && id === 0) this.connectionWindow += readU32(payload, 0)
    else if (type === FRAME.PING && (flags & FLAG.ACK) === 0) this.pings.push(new Uint8Array(payload))
    else if (type === FRAME.PING) {
      this.#pongs++
      this.pongs.push(Buffer.from(payload).toString('hex'))
    } else if (type === FRAME.SETTINGS && (flags & FLAG.ACK) !== 0) this.settingsAcks++
    else if (type === FRAME.DATA) {
      this.dataBytes.set(id, (this.dataBytes.get(id) ?? 0) + payload.length)
      if ((flags & FLAG.END_STREAM) !== 0) this.#ended(id)
    } else if (type === FRAME.HEADERS) {
      if (!this.#status.has(id)) this.#status.set(id, '')
      this.#decoder.decode(payload, 0, payload.length, (name, value) => {
        if (name === 'grpc-status') this.#status.set(id, value)
      })
      if ((flags & FLAG.END_STREAM) !== 0) this.#ended(id)
    }
  }

  #ended(id: number): void {
    const status = this.#status.get(id)
    this.#tell(status === '0' ? `${id} OK` : `${id} status ${status}`, id)
  }

  #tell(event: string, id: number): void {
    this.#status.delete(id)
    this.#events.push(event)
  }
}
