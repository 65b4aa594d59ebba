// What from_context finds in the client behind a batch (reference/otelcol-processors.md 3.1).

import type { ClientInfo } from '../otlp/batch.ts'
import { encodeString } from '../otlp/encode.ts'

const METADATA = 'metadata.'
const AUTH = 'auth.'

/** Several values are joined by a semicolon. Undefined where there is none; an address that is not known is the empty text. */
export function findInContext(client: ClientInfo, name: string): Uint8Array | undefined {
  const text = findText(client, name)
  return text === undefined ? undefined : encodeString(text)
}

function findText(client: ClientInfo, name: string): string | undefined {
  if (name === 'client.address') return withoutPort(client.address ?? '')
  if (name.startsWith(AUTH)) {
    const value = client.auth?.get(name.slice(AUTH.length))
    if (Array.isArray(value)) return joined(value)
    return typeof value === 'string' ? value : undefined
  }
  const key = name.startsWith(METADATA) ? name.slice(METADATA.length) : name
  return joined(client.metadata?.get(key.toLowerCase()))
}

const joined = (values: readonly unknown[] | undefined): string | undefined =>
  values === undefined || values.length === 0 ? undefined : values.join(';')

/** `10.0.0.7` of `10.0.0.7:4317`, `::1` of `[::1]:4317` and of `::1`. */
function withoutPort(address: string): string {
  if (address.startsWith('[')) return address.slice(1, address.indexOf(']'))
  const colon = address.indexOf(':')
  return colon >= 0 && colon === address.lastIndexOf(':') ? address.slice(0, colon) : address
}
