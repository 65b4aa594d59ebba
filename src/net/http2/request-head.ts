// The headers of a request as a server reads them: HPACK, and then the rules of RFC 9113 8.2 and 8.3 about what a request
// may say. A block that breaks HPACK ends the connection; one that breaks the rules ends its stream.
//
// Clients send the same block again and again. One that was read without changing the table means the same for as long as
// the table stays what it was, so its head is kept and not read again.

import { HpackDecoder } from './hpack.ts'

export class RequestHead {
  method: string | undefined
  scheme: string | undefined
  path: string | undefined
  authority: string | undefined
  /** The other fields, in their order. */
  readonly names: string[] = []
  readonly values: string[] = []
  /** As the client declares it; -1 when it does not. */
  contentLength = -1
  /** What is wrong with it; the stream ends with PROTOCOL_ERROR (RFC 9113 8.1.1). */
  malformed: string | undefined
  /** The list is longer than allowed, and not all of it is here. */
  tooLarge = false

  /** The value of a field, the first where there are several. */
  find(name: string): string | undefined {
    const at = this.names.indexOf(name)
    return at < 0 ? undefined : this.values[at]
  }

  /** The fields and `:authority`, also as `host`, each with all of its values. Makes a new map. */
  metadata(): Map<string, string[]> {
    const { names, values, authority } = this
    const metadata = new Map<string, string[]>()
    if (authority !== undefined) metadata.set(':authority', [authority])
    for (const [i, name] of names.entries()) {
      const known = metadata.get(name)
      if (known === undefined) metadata.set(name, [values[i]!])
      else known.push(values[i]!)
    }
    if (authority !== undefined && !metadata.has('host')) metadata.set('host', [authority])
    return metadata
  }

  add(name: string, value: string): void {
    if (!VALUE.test(value)) this.malformed ??= `a value of ${name} that no header may have`
    if (name.charCodeAt(0) === COLON) this.#pseudo(name, value)
    else this.#field(name, value)
  }

  /** RFC 9113 8.3.1: each once, none unknown, all ahead of the fields. */
  #pseudo(name: string, value: string): void {
    const key = PSEUDO.get(name)
    if (key === undefined) this.malformed ??= `unknown pseudo-header ${name}`
    else if (this[key] !== undefined) this.malformed ??= `${name} twice`
    else if (this.names.length > 0) this.malformed ??= `${name} behind other headers`
    else this[key] = value
  }

  #field(name: string, value: string): void {
    if (!NAME.test(name)) this.malformed ??= `"${name}" is no header name`
    // RFC 9113 8.2.2: fields about a connection of HTTP/1.
    else if (CONNECTION_FIELDS.has(name) || (name === 'te' && value !== 'trailers'))
      this.malformed ??= `${name} in HTTP/2`
    else if (name === 'content-length') this.#length(value)
    this.names.push(name)
    this.values.push(value)
  }

  #length(value: string): void {
    const length = /^\d{1,15}$/.test(value) ? Number(value) : -1
    if (length < 0 || (this.contentLength >= 0 && this.contentLength !== length))
      this.malformed ??= `content-length ${value}`
    this.contentLength = length
  }

  /** The whole block has been read. */
  complete(): void {
    if (this.method === undefined) this.malformed ??= 'no :method'
    else if (this.method === 'CONNECT') {
      if (this.authority === undefined || this.path !== undefined || this.scheme !== undefined)
        this.malformed ??= 'CONNECT with a path or a scheme, or without an authority'
    } else if (this.scheme === undefined || this.path === undefined || this.path === '')
      this.malformed ??= 'no :scheme or :path'
    // RFC 9113 8.3.1: schemes with a mandatory authority.
    else if (this.authority === undefined && /^https?$/.test(this.scheme) && !this.names.includes('host'))
      this.malformed ??= 'no :authority and no host'
  }

  /** The same as trailers: no pseudo-headers (RFC 9113 8.1). */
  completeTrailers(): void {
    const { method, scheme, path, authority } = this
    if ((method ?? scheme ?? path ?? authority) !== undefined) this.malformed ??= 'a pseudo-header in trailers'
  }
}

const COLON = 0x3a
const PSEUDO = new Map<string, 'method' | 'scheme' | 'path' | 'authority'>([
  [':method', 'method'],
  [':scheme', 'scheme'],
  [':path', 'path'],
  [':authority', 'authority'],
])
/** A token of RFC 9110 5.6.2 without upper case. */
const NAME = /^[!#$%&'*+\-.^_`|~0-9a-z]+$/
/** RFC 9113 8.2.1: no NUL, CR, LF; no white space at either end. */
const VALUE = /^(?![ \t])[^\0\r\n]*(?<![ \t])$/
const CONNECTION_FIELDS = new Set(['connection', 'proxy-connection', 'keep-alive', 'transfer-encoding', 'upgrade'])

interface Known {
  readonly block: Buffer
  readonly changes: number
  readonly head: RequestHead
}

/** Blocks of one client that are kept: signals, mostly. */
const MAX_KNOWN = 4
const MAX_KNOWN_BYTES = 1024

export class HeadReader {
  readonly #decoder = new HpackDecoder()
  readonly #maxListBytes: number
  readonly #maxHeaders: number
  #left = 0
  readonly #known: Known[] = []
  #next = 0
  #head = new RequestHead()

  constructor(maxListBytes: number, maxHeaders: number) {
    this.#maxListBytes = maxListBytes
    this.#maxHeaders = maxHeaders
  }

  /** The head of a request; it may be shared with other requests of the connection. Throws HpackError. */
  read(bytes: Uint8Array, from: number, to: number): RequestHead {
    const { changes } = this.#decoder
    for (const known of this.#known)
      if (known.changes === changes && known.block.length === to - from && known.block.compare(bytes, from, to) === 0)
        return known.head
    const head = this.#decode(bytes, from, to)
    head.complete()
    if (this.#decoder.changes === changes && to - from <= MAX_KNOWN_BYTES) {
      this.#known[this.#next] = { block: Buffer.from(bytes.subarray(from, to)), changes, head }
      this.#next = (this.#next + 1) % MAX_KNOWN
    }
    return head
  }

  /** Trailers, or the block of a stream that is gone: it may change the table all the same. Throws HpackError. */
  readTrailers(bytes: Uint8Array, from: number, to: number): RequestHead {
    const head = this.#decode(bytes, from, to)
    head.completeTrailers()
    return head
  }

  #decode(bytes: Uint8Array, from: number, to: number): RequestHead {
    const head = new RequestHead()
    this.#head = head
    this.#left = this.#maxHeaders
    head.tooLarge = !this.#decoder.tryDecode(bytes, from, to, this.#onHeader, this.#maxListBytes)
    if (this.#left < 0) head.tooLarge = true
    return head
  }

  readonly #onHeader = (name: string, value: string): void => {
    if (--this.#left >= 0) this.#head.add(name, value)
  }
}
