// Chooses the engine of a gRPC client.

import type { GrpcClient, GrpcClientOptions } from './client-engine.ts'
import { GrpcJsClient } from './grpc-js-client.ts'
import { LeanGrpcClient } from './lean-client.ts'

/** `lean`: HTTP/2 of our own. `grpc-js`: @grpc/grpc-js, several times slower, and the lean one's oracle. */
export type GrpcClientEngine = 'lean' | 'grpc-js'
export const GRPC_CLIENT_ENGINES = ['lean', 'grpc-js'] as const satisfies readonly GrpcClientEngine[]

/** Opens nothing yet. Throws an Error where the engine cannot do what the options ask for. */
export function createGrpcClient(options: GrpcClientOptions, engine: GrpcClientEngine = 'lean'): GrpcClient {
  return engine === 'lean' ? new LeanGrpcClient(options) : new GrpcJsClient(options)
}
