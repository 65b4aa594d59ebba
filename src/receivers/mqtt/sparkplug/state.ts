// What a host says of itself: `{"online": true, "timestamp": 1767225600000}`, or ONLINE and OFFLINE in Sparkplug 2.2.

const MAX_BYTES = 1024

export const stateBytes = (online: boolean, timestamp: number): Uint8Array =>
  new Uint8Array(Buffer.from(JSON.stringify({ online, timestamp })))

/** Undefined: it is neither. */
export function parseState(bytes: Uint8Array, from: number, to: number): { online: boolean } | undefined {
  if (to - from > MAX_BYTES) return undefined
  const text = Buffer.from(bytes.buffer, bytes.byteOffset + from, to - from)
    .toString()
    .trim()
  if (text === 'ONLINE') return { online: true }
  if (text === 'OFFLINE') return { online: false }
  try {
    const said: unknown = JSON.parse(text)
    if (typeof said !== 'object' || said === null) return undefined
    const { online } = said as { online?: unknown }
    return typeof online === 'boolean' ? { online } : undefined
  } catch {
    return undefined
  }
}
