// OTLP/JSON at the edges: text coming in becomes protobuf bytes, protobuf bytes going out become text.

import type { Signal } from '../signal.ts'
import { JsonReader } from './reader.ts'
import { REQUEST_SHAPE } from './shape.ts'
import { JsonWriter } from './writer.ts'

/**
 * One request in JSON as the bytes of one Export*ServiceRequest, in an array of their own. Throws MalformedOtlp. What it
 * gives is structurally sound, but limits that hold for bytes (depth of values) are checked by checkRequest.
 */
export const jsonToBytes = (signal: Signal, json: string | Uint8Array): Uint8Array<ArrayBuffer> =>
  new JsonReader(typeof json === 'string' ? Buffer.from(json) : json).request(REQUEST_SHAPE[signal])

/** The request that `parts` side by side are, as one JSON document in UTF-8. The parts have been checked at the door. */
export const bytesToJsonBytes = (signal: Signal, parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> =>
  new JsonWriter().request(REQUEST_SHAPE[signal], parts)

/** The same as a string, for those who write text. */
export const bytesToJson = (signal: Signal, parts: readonly Uint8Array[]): string => {
  const json = bytesToJsonBytes(signal, parts)
  return Buffer.from(json.buffer, json.byteOffset, json.byteLength).toString()
}
