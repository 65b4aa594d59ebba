// Sends OTLP/HTTP as hard as it can over several keep-alive connections, one request in flight on each, on bare sockets.

import { connect, type Socket } from 'node:net'
import type { LoadEvents, PackedRequest } from './load.ts'
import { findFirstTraceId, writeNumber } from './numbered.ts'

const HEAD_END = Buffer.from('\r\n\r\n')

class Connection {
  readonly #request: Buffer
  readonly #numberAt: number
  readonly #sender: number
  readonly #events: LoadEvents
  #socket: Socket | undefined
  #number = -1
  #answer: Buffer = Buffer.alloc(0)

  constructor(request: PackedRequest, sender: number, events: LoadEvents) {
    const encoding = request.encoding === 'none' ? '' : `content-encoding: ${request.encoding}\r\n`
    const head = Buffer.from(
      `POST /v1/traces HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/x-protobuf\r\n${encoding}` +
        `content-length: ${request.bytes.length}\r\n\r\n`,
    )
    this.#request = Buffer.concat([head, request.bytes])
    this.#numberAt = request.encoding === 'none' ? head.length + findFirstTraceId(request.bytes) : -1
    this.#sender = sender
    this.#events = events
  }

  open(port: number): Promise<void> {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true })
    this.#socket = socket
    socket.on('data', (chunk: Buffer) => this.#data(chunk))
    socket.on('close', () => {
      if (this.#number >= 0) this.#events.failed()
      this.#number = -1
    })
    return new Promise((resolve, reject) => {
      socket.on('error', reject)
      socket.on('connect', () => resolve())
    })
  }

  get idle(): boolean {
    return this.#number < 0
  }

  send(): void {
    this.#number = this.#events.next()
    if (this.#number < 0 || this.#socket === undefined || this.#socket.destroyed) return
    if (this.#numberAt >= 0) writeNumber(this.#request, this.#numberAt, this.#sender, this.#number)
    this.#socket.write(this.#request)
  }

  close(): void {
    this.#socket?.destroy()
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
    if (head.slice(9, 12) === '200') this.#events.ok(this.#number)
    else this.#events.refused()
    this.send()
  }
}

export class HttpLoad {
  readonly #connections: Connection[]

  constructor(requests: readonly PackedRequest[], inFlight: number, sender: number, events: LoadEvents) {
    this.#connections = Array.from(
      { length: inFlight },
      (_, index) => new Connection(requests[index % requests.length]!, sender, events),
    )
  }

  async open(port: number): Promise<void> {
    await Promise.all(this.#connections.map((connection) => connection.open(port)))
  }

  start(): void {
    for (const connection of this.#connections) if (connection.idle) connection.send()
  }

  close(): void {
    for (const connection of this.#connections) connection.close()
  }
}
