// The headers of a request, with the rules of RFC 9113 8.3.1 about its pseudo-headers; also its trailers.

import { Fields } from './fields.ts'

export class RequestHead extends Fields {
  method: string | undefined
  scheme: string | undefined
  path: string | undefined
  authority: string | undefined

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

  protected override takePseudo(name: string, value: string): string | undefined {
    const key = PSEUDO.get(name)
    if (key === undefined) return `unknown pseudo-header ${name}`
    if (this[key] !== undefined) return `${name} twice`
    this[key] = value
    return undefined
  }

  override complete(): void {
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

const PSEUDO = new Map<string, 'method' | 'scheme' | 'path' | 'authority'>([
  [':method', 'method'],
  [':scheme', 'scheme'],
  [':path', 'path'],
  [':authority', 'authority'],
])
