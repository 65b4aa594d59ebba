// Frames as the conformance tables write them: one word each. Octets are written in hexadecimal.

import { frameMessage } from '../../src/net/grpc/framing.ts'
import { FLAG, FRAME, numberFrame, payloadFrame, settingsFrame } from '../../src/net/http2/frame.ts'
import { HpackEncoder } from '../../src/net/http2/hpack.ts'

const { END_STREAM, END_HEADERS } = FLAG

export type Fields = readonly (readonly [name: string, value: string])[]
export const bytes = (text: string): Buffer => Buffer.from(text.replaceAll(' ', ''), 'hex')
export const EXPORT = '/test.Service/Export'
/** A call as gRPC makes it. */
export const call = (path = EXPORT, ...more: Fields): Fields => [
  [':method', 'POST'],
  [':scheme', 'http'],
  [':path', path],
  [':authority', 'plant.example'],
  ['content-type', 'application/grpc'],
  ['te', 'trailers'],
  ...more,
]
/** A header block that puts nothing into the table. */
export const block = (fields: Fields): Buffer => new HpackEncoder(4096).encodeOnce(fields)
export const headers = (id: number, fields: Fields | Buffer = call(), flags: number = END_HEADERS): Buffer =>
  payloadFrame(FRAME.HEADERS, flags, id, Buffer.isBuffer(fields) ? fields : block(fields))
export const more = (id: number, part: Uint8Array, flags = 0): Buffer =>
  payloadFrame(FRAME.CONTINUATION, flags, id, part)
export const message = frameMessage(new Uint8Array(20), false)
export const data = (id: number, payload: Uint8Array = message, flags: number = END_STREAM): Buffer =>
  payloadFrame(FRAME.DATA, flags, id, payload)
export const reset = (id: number): Buffer => numberFrame(FRAME.RST_STREAM, id, 8)
export const grow = (id: number, by: number): Buffer => numberFrame(FRAME.WINDOW_UPDATE, id, by)
export const settings = (...list: [number, number][]): Buffer => settingsFrame(list)
export const raw = (type: number, flags: number, id: number, payload = ''): Buffer =>
  payloadFrame(type, flags, id, bytes(payload))
export const padded = (payload: Uint8Array, pad: number): Buffer =>
  Buffer.concat([Uint8Array.of(pad), payload, new Uint8Array(pad)])
