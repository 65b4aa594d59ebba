// What one header block says, and the rules of RFC 9113 8.2 that requests, answers and trailers have in common. A block that
// breaks HPACK ends the connection; one that breaks these rules ends its stream.

export abstract class Fields {
  /** The fields but for pseudo-headers, in their order. */
  readonly names: string[] = []
  readonly values: string[] = []
  /** As the sender declares it; -1 when it does not. */
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

  add(name: string, value: string): void {
    if (!this.isValue(value)) this.malformed ??= `a value of ${name} that no header may have`
    if (name.charCodeAt(0) !== COLON) this.#field(name, value)
    // RFC 9113 8.3: ahead of the fields.
    else this.malformed ??= this.names.length > 0 ? `${name} behind other headers` : this.takePseudo(name, value)
  }

  /** The whole block has been read. */
  abstract complete(): void

  /** Takes a pseudo-header, or tells what is wrong with it. */
  protected abstract takePseudo(name: string, value: string): string | undefined

  protected isValue(value: string): boolean {
    return VALUE.test(value)
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
}

const COLON = 0x3a
/** A token of RFC 9110 5.6.2 without upper case. */
const NAME = /^[!#$%&'*+\-.^_`|~0-9a-z]+$/
/** RFC 9113 8.2.1: no NUL, CR, LF; no white space at either end. */
const VALUE = /^(?![ \t])[^\0\r\n]*(?<![ \t])$/
const CONNECTION_FIELDS = new Set(['connection', 'proxy-connection', 'keep-alive', 'transfer-encoding', 'upgrade'])
