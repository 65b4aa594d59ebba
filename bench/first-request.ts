// One small request at a time, to see when a router begins to serve.

import { request } from 'node:http'
import { connect as connectHttp2 } from 'node:http2'
import type { Protocol } from './load.ts'
import { payload } from './payloads.ts'

/** True when the request was accepted; false when nobody listens yet, or it was refused. */
export function tryRequest(protocol: Protocol, port: number): Promise<boolean> {
  const body = payload({ items: 1 })
  return protocol === 'grpc' ? tryGrpc(port, body) : tryHttp(port, body)
}

function tryHttp(port: number, body: Uint8Array): Promise<boolean> {
  return new Promise((resolve) => {
    const headers = { 'content-type': 'application/x-protobuf', connection: 'close' }
    request({ port, host: '127.0.0.1', method: 'POST', path: '/v1/traces', headers }, (response) => {
      response.resume()
      resolve(response.statusCode === 200)
    })
      .on('error', () => resolve(false))
      .end(body)
  })
}

function tryGrpc(port: number, body: Uint8Array): Promise<boolean> {
  return new Promise((resolve) => {
    const session = connectHttp2(`http://127.0.0.1:${port}`)
    const end = (accepted: boolean): void => {
      session.destroy()
      resolve(accepted)
    }
    session.on('error', () => end(false))
    const message = Buffer.alloc(5 + body.length)
    message.writeUInt32BE(body.length, 1)
    message.set(body, 5)
    const stream = session.request({
      ':method': 'POST',
      ':path': '/opentelemetry.proto.collector.trace.v1.TraceService/Export',
      'content-type': 'application/grpc',
      te: 'trailers',
    })
    stream.on('error', () => end(false))
    stream.on('trailers', (trailers) => end(trailers['grpc-status'] === '0'))
    stream.on('end', () => end(false))
    stream.resume()
    stream.end(message)
  })
}
