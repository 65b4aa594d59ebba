// Who sent a request, as a queue on disk keeps it: the headers that include_metadata let in, as JSON. Credentials are not
// written to disk: a request that comes from there is sent without them.

import { type ClientInfo, NO_CLIENT } from '../otlp/batch.ts'

const NOTHING = new Uint8Array(0)
/** Lower case, as headers are kept. */
const SECRET_HEADERS = /^(authorization|proxy-authorization|cookie|set-cookie|x-api-key|api-key)$|token|secret|password/

export function encodeClient({ metadata }: ClientInfo): Uint8Array {
  if (metadata === undefined || metadata.size === 0) return NOTHING
  const kept = [...metadata].filter(([name]) => !SECRET_HEADERS.test(name))
  return kept.length === 0 ? NOTHING : Buffer.from(JSON.stringify(kept))
}

/** What cannot be read is left out: the request is worth more than its headers. */
export function decodeClient(bytes: Uint8Array): ClientInfo {
  if (bytes.length === 0) return NO_CLIENT
  try {
    const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString()
    return { metadata: new Map(JSON.parse(text) as [string, string[]][]) }
  } catch {
    return NO_CLIENT
  }
}
