// One small request at a time, to see when a router begins to serve, and what it answers.

import { request } from 'node:http'
import { connect as connectHttp2 } from 'node:http2'
import type { Protocol } from './load.ts'
import { payload } from './payloads.ts'

const ACCEPTED = { grpc: 0, http: 200 } as const

/** True when a request of one span was accepted; false when nobody listens yet, or it was refused. */
export const tryRequest = async (protocol: Protocol, port: number): Promise<boolean> =>
  (await askStatus(protocol, port)) === ACCEPTED[protocol]

/** The gRPC or HTTP status that a request of one span is answered with; undefined where no answer comes. */
export function askStatus(protocol: Protocol, port: number): Promise<number | undefined> {
  const body = payload({ items: 1 })
  return protocol === 'grpc' ? askGrpc(port, body) : askHttp(port, body)
}

function askHttp(port: number, body: Uint8Array): Promise<number | undefined> {
  return new Promise((resolve) => {
    const headers = { 'content-type': 'application/x-protobuf', connection: 'close' }
    request({ port, host: '127.0.0.1', method: 'POST', path: '/v1/traces', headers }, (response) => {
      response.resume()
      resolve(response.statusCode)
    })
      .on('error', () => resolve(undefined))
      .end(body)
  })
}

function askGrpc(port: number, body: Uint8Array): Promise<number | undefined> {
  return new Promise((resolve) => {
    const session = connectHttp2(`http://127.0.0.1:${port}`)
    const end = (status?: number): void => {
      session.destroy()
      resolve(status)
    }
    const read = (headers: { readonly [name: string]: unknown }): void => {
      if (headers['grpc-status'] !== undefined) end(Number(headers['grpc-status']))
    }
    session.on('error', () => end())
    const message = Buffer.alloc(5 + body.length)
    message.writeUInt32BE(body.length, 1)
    message.set(body, 5)
    const stream = session.request({
      ':method': 'POST',
      ':path': '/opentelemetry.proto.collector.trace.v1.TraceService/Export',
      'content-type': 'application/grpc',
      te: 'trailers',
    })
    stream.on('error', () => end())
    // A refusal comes as headers alone.
    stream.on('response', read)
    stream.on('trailers', read)
    stream.on('end', () => end())
    stream.resume()
    stream.end(message)
  })
}
