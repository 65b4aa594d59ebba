// gRPC clients as tests make them, and what they do with them.

import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import { systemClock } from '../../src/graph/clock.ts'
import { createGrpcClient, type GrpcClientEngine } from '../../src/net/grpc/client.ts'
import type { GrpcClient, GrpcClientOptions } from '../../src/net/grpc/client-engine.ts'
import { GrpcError } from '../../src/net/grpc/client-status.ts'
import { parseTarget } from '../../src/net/grpc/client-target.ts'
import { EXPORT } from './grpc-peer.ts'

export function clientTo(
  t: TestContext,
  endpoint: string,
  options: Partial<GrpcClientOptions> = {},
  engine: GrpcClientEngine = 'lean',
): GrpcClient {
  const client = createGrpcClient(
    {
      target: parseTarget(endpoint),
      userAgent: 'Millrace/0 (linux/amd64)',
      clock: systemClock,
      random: () => 0.5,
      timeoutMs: 5000,
      ...options,
    },
    engine,
  )
  t.after(() => client.close())
  return client
}

export const call = (
  client: GrpcClient,
  body: Uint8Array = Buffer.from('hello'),
  signal?: AbortSignal,
): Promise<Uint8Array> => client.call(EXPORT.traces, [body], body.length, signal)

export const failure = async (pending: Promise<unknown>): Promise<GrpcError> => {
  try {
    await pending
  } catch (error) {
    assert.ok(error instanceof GrpcError)
    return error
  }
  throw new Error('the call succeeded')
}

export const pattern = (length: number): Buffer =>
  Buffer.from(Uint8Array.from({ length }, (_, i) => (i * 31) ^ (i >> 8)))
