// Sparkplug payloads for tests, encoded by protobufjs over proto/sparkplug: a second opinion on our own reading.

import { fileURLToPath } from 'node:url'
import protobuf from 'protobufjs'

const FILE = fileURLToPath(new URL('../../proto/sparkplug/sparkplug_b.proto', import.meta.url))
const Payload = new protobuf.Root().loadSync(FILE, { keepCase: true }).lookupType('org.eclipse.tahu.protobuf.Payload')

/** Fields by their names in the .proto file. */
export type PlainMetric = Record<string, unknown>

export function encodeSparkplug(payload: {
  timestamp?: number
  seq?: number
  metrics?: readonly PlainMetric[]
}): Buffer {
  return Buffer.from(Payload.encode(Payload.fromObject(payload)).finish())
}

// biome-ignore lint/suspicious/noExplicitAny: a whole payload as a plain object
export const decodeSparkplug = (bytes: Uint8Array): any =>
  Payload.toObject(Payload.decode(bytes), { longs: Number, bytes: Array })
