// Chooses the engine behind the gRPC door.

import type { Logger } from '../../self/log.ts'
import type { GrpcServer, GrpcServerOptions } from './engine.ts'

/** Opens nothing yet. */
export async function createGrpcServer(options: GrpcServerOptions, log: Logger): Promise<GrpcServer> {
  const { Http2GrpcServer } = await import('./http2-engine.ts')
  return new Http2GrpcServer(options, log)
}
