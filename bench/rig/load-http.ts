// Sends OTLP/HTTP as hard as it can over one keep-alive connection, one request in flight on it, on a bare socket.

import { connect, type Socket } from 'node:net'
import type { Connection, Format, LoadEvents } from './load.ts'
import type { PackedRequest } from './packed.ts'

const HEAD_END = Buffer.from('\r\n\r\n')
const CONTENT_TYPE: Readonly<Record<Format, string>> = { protobuf: 'application/x-protobuf', json: 'application/json' }

export class HttpLoad implements Connection {
  readonly #bytes: Buffer
  readonly #request: PackedRequest
  readonly #sender: number
  readonly #events: LoadEvents
  #socket: Socket | undefined
  /** -1 while nothing is on its way. */
  #number = -1
  #answer: Buffer = Buffer.alloc(0)

  constructor(request: PackedRequest, sender: number, events: LoadEvents, path: string, format: Format) {
    const encoding = request.encoding === 'none' ? '' : `content-encoding: ${request.encoding}\r\n`
    const head = Buffer.from(
      `POST ${path} HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: ${CONTENT_TYPE[format]}\r\n${encoding}` +
        `content-length: ${request.bytes.length}\r\n\r\n`,
    )
    this.#bytes = Buffer.concat([head, request.bytes])
    this.#request = request
    this.#sender = sender
    this.#events = events
  }

  open(port: number): Promise<void> {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true })
    this.#socket = socket
    socket.on('data', (chunk: Buffer) => this.#data(chunk))
    socket.on('close', () => {
      if (this.#number >= 0) this.#events.failed(this.#number)
      this.#number = -1
    })
    return new Promise((resolve, reject) => {
      socket.on('error', reject)
      socket.on('connect', () => resolve())
    })
  }

  startOne(): boolean {
    if (this.#number >= 0 || this.#socket === undefined || this.#socket.destroyed) return false
    this.#number = this.#events.next()
    if (this.#number < 0) return false
    this.#request.number(this.#bytes, this.#bytes.length, this.#sender, this.#number)
    this.#socket.write(this.#bytes)
    return true
  }

  #data(chunk: Buffer): void {
    const answer = this.#answer.length === 0 ? chunk : Buffer.concat([this.#answer, chunk])
    this.#answer = answer
    const headEnd = answer.indexOf(HEAD_END)
    if (headEnd < 0) return
    const head = answer.toString('latin1', 0, headEnd).toLowerCase()
    const length = /\r\ncontent-length: *(\d+)/.exec(head)?.[1]
    if (length === undefined) throw new Error(`an answer without content-length: ${head}`)
    if (answer.length < headEnd + HEAD_END.length + Number(length)) return
    this.#answer = Buffer.alloc(0)
    const number = this.#number
    this.#number = -1
    if (head.slice(9, 12) === '200') this.#events.ok(number)
    else this.#events.refused(number)
    this.startOne()
  }
}
