// An endpoint's text to the address that is dialled.

import { parseTarget } from '../../net/grpc/client-target.ts'

const DEFAULT_PORT = 4317

/** `host:port`; port 4317 where none is written. Throws an Error that says what is wrong with it. */
export function addressOf(endpoint: string): string {
  if (endpoint === '') throw new Error('is empty')
  const hasPort = /^\[[^\]]*\]:|^[^[\]]*:/.test(endpoint) || endpoint.includes('://')
  const address = hasPort ? endpoint : `${endpoint}:${DEFAULT_PORT}`
  parseTarget(address)
  return address
}
