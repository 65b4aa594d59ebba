// A gRPC server by @grpc/grpc-js that takes Export calls of any signal as raw bytes: the peer that proves our client.

import type { TestContext } from 'node:test'
import { Server, ServerCredentials, type ServerOptions, type ServerUnaryCall, type sendUnaryData } from '@grpc/grpc-js'

export const EXPORT = {
  traces: '/opentelemetry.proto.collector.trace.v1.TraceService/Export',
  metrics: '/opentelemetry.proto.collector.metrics.v1.MetricsService/Export',
  logs: '/opentelemetry.proto.collector.logs.v1.LogsService/Export',
} as const

export type PeerCall = ServerUnaryCall<Buffer, Buffer>
export type PeerHandler = (call: PeerCall, answer: sendUnaryData<Buffer>) => void

export interface Peer {
  readonly port: number
  readonly calls: PeerCall[]
  readonly server: Server
  /** Replaces what is done with calls from now on. */
  handle(handler: PeerHandler): void
}

const same = (bytes: Buffer): Buffer => bytes

export async function grpcPeer(
  t: TestContext,
  options: {
    handler?: PeerHandler
    credentials?: ServerCredentials
    server?: ServerOptions
    address?: string
    /** Of other services. */
    paths?: readonly string[]
  } = {},
): Promise<Peer> {
  const server = new Server({ 'grpc.max_receive_message_length': -1, ...options.server })
  let handler = options.handler ?? ((_, answer) => answer(null, Buffer.alloc(0)))
  const calls: PeerCall[] = []
  for (const path of [...Object.values(EXPORT), ...(options.paths ?? [])]) {
    const [, service, name] = path.split('/')
    const method = {
      path,
      requestStream: false,
      responseStream: false,
      requestSerialize: same,
      requestDeserialize: same,
      responseSerialize: same,
      responseDeserialize: same,
    }
    void service
    server.addService(
      { [name!]: method },
      {
        [name!]: (call: PeerCall, answer: sendUnaryData<Buffer>) => {
          calls.push(call)
          handler(call, answer)
        },
      },
    )
  }
  const port = await new Promise<number>((resolve, reject) => {
    const address = options.address ?? '127.0.0.1:0'
    server.bindAsync(address, options.credentials ?? ServerCredentials.createInsecure(), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    )
  })
  t.after(() => server.forceShutdown())
  return {
    port,
    calls,
    server,
    handle(next) {
      handler = next
    },
  }
}
