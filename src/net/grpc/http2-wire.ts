// A stream of node:http2 as a call sees it.

import { constants as H2, type IncomingHttpHeaders, type ServerHttp2Stream } from 'node:http2'
import type { HeaderList } from '../http2/hpack.ts'
import type { CallHead, Wire, WireListener } from './wire.ts'

export class Http2Wire implements Wire {
  readonly #stream: ServerHttp2Stream

  constructor(stream: ServerHttp2Stream) {
    this.#stream = stream
  }

  listen(listener: WireListener): void {
    const stream = this.#stream
    stream.on('error', () => {})
    stream.on('close', () => listener.onClosed())
    stream.on('data', (chunk: Buffer) => listener.onData(chunk, 0, chunk.length))
    stream.on('end', () => listener.onEnd())
  }

  get open(): boolean {
    return !this.#stream.destroyed && !this.#stream.closed
  }

  answer(encoding: string | undefined, framed: Uint8Array): void {
    const stream = this.#stream
    stream.respond(encoding === undefined ? PLAIN_HEAD : { ...PLAIN_HEAD, 'grpc-encoding': encoding }, TRAILERS_FOLLOW)
    stream.once('wantTrailers', sendOkTrailers)
    stream.end(framed)
  }

  refuse(headers: HeaderList): void {
    this.#stream.respond(Object.fromEntries(headers), { endStream: true })
    if (!this.#stream.readableEnded) this.#stream.resume()
  }

  stopReading(): void {
    // node:http2 keeps a stream that is closed with NO_ERROR until its answer has gone out.
    this.#stream.close(H2.NGHTTP2_NO_ERROR)
  }

  close(): void {
    this.#stream.close(this.#stream.writableFinished ? H2.NGHTTP2_NO_ERROR : H2.NGHTTP2_CANCEL)
  }
}

const PLAIN_HEAD = { ':status': 200, 'content-type': 'application/grpc' } as const
const TRAILERS_FOLLOW = { waitForTrailers: true } as const
const OK_TRAILERS = { 'grpc-status': '0', 'grpc-message': '' } as const

function sendOkTrailers(this: ServerHttp2Stream): void {
  this.sendTrailers(OK_TRAILERS)
}

export class Http2Head implements CallHead {
  readonly #headers: IncomingHttpHeaders

  constructor(headers: IncomingHttpHeaders) {
    this.#headers = headers
  }

  get method(): string | undefined {
    return this.#headers[':method']
  }

  get path(): string | undefined {
    return this.#headers[':path']
  }

  find(name: string): string | undefined {
    const value = this.#headers[name]
    return value === undefined ? undefined : String(value)
  }

  metadata(): Map<string, string[]> {
    const metadata = new Map<string, string[]>()
    for (const name in this.#headers) {
      const value = this.#headers[name]
      if (value === undefined || (name.startsWith(':') && name !== ':authority')) continue
      metadata.set(name, typeof value === 'string' ? [value] : [...value])
    }
    const authority = metadata.get(':authority')
    if (authority !== undefined && !metadata.has('host')) metadata.set('host', authority)
    return metadata
  }
}
