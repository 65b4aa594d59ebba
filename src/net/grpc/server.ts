// Chooses the engine behind the gRPC door.

import type { Logger } from '../../self/log.ts'
import type { GrpcServer, GrpcServerOptions } from './engine.ts'

/** `lean`: HTTP/2 of our own on bare sockets. `node:http2`: Node's, slower, and the lean one's oracle. */
export type GrpcEngine = 'lean' | 'node:http2'
export const GRPC_ENGINES = ['lean', 'node:http2'] as const satisfies readonly GrpcEngine[]

/** Opens nothing yet. */
export async function createGrpcServer(
  options: GrpcServerOptions,
  log: Logger,
  engine: GrpcEngine = 'lean',
): Promise<GrpcServer> {
  if (engine === 'lean') {
    const { LeanGrpcServer } = await import('./lean-engine.ts')
    return new LeanGrpcServer(options, log)
  }
  const { Http2GrpcServer } = await import('./http2-engine.ts')
  return new Http2GrpcServer(options, log)
}
