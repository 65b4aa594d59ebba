// OTLP/gRPC: the Export method of each signal.

import type { ReceiverContext } from '../../graph/component.ts'
import { findServerAuthenticator } from '../../net/auth/authenticator.ts'
import type {
  GrpcCall,
  GrpcHandler,
  GrpcKeepalive,
  GrpcServer,
  GrpcServerOptions,
  GrpcTaker,
} from '../../net/grpc/engine.ts'
import { createGrpcServer } from '../../net/grpc/server.ts'
import { LIMITS, limitsOfShare } from '../../net/limits.ts'
import { listenersOf } from '../../net/listen.ts'
import { loadServerTls } from '../../net/tls/load.ts'
import { watchServerTls } from '../../net/tls/reload.ts'
import type { ClientInfo } from '../../otlp/batch.ts'
import { checkRequest } from '../../otlp/check.ts'
import { encodeExportResponse, encodeRpcStatus } from '../../otlp/response.ts'
import { SIGNALS, type Signal } from '../../otlp/signal.ts'
import type { GrpcConfig } from './config.ts'
import type { Answer, Intake } from './intake.ts'
import { unreadableOf } from './taken-over.ts'

const METHODS = {
  traces: '/opentelemetry.proto.collector.trace.v1.TraceService/Export',
  metrics: '/opentelemetry.proto.collector.metrics.v1.MetricsService/Export',
  logs: '/opentelemetry.proto.collector.logs.v1.LogsService/Export',
  profiles: '/opentelemetry.proto.collector.profiles.v1development.ProfilesService/Export',
} as const satisfies Record<Signal, string>

export const maxMessageBytes = (cfg: GrpcConfig): number =>
  cfg.maxRecvMsgSizeMib === 0 ? LIMITS.grpcMessageBytes : cfg.maxRecvMsgSizeMib * 1024 * 1024

/** A signal without pipelines has no method: its calls end with Unimplemented. */
export async function createOtlpGrpc(cfg: GrpcConfig, intake: Intake, context: ReceiverContext): Promise<GrpcServer> {
  const handlers = new Map<string, GrpcHandler>()
  for (const signal of SIGNALS) if (intake.takes(signal)) handlers.set(METHODS[signal], handler(signal, cfg, intake))
  const address = { endpoint: cfg.endpoint, transport: cfg.transport, sharing: context.shards }
  const limits = limitsOfShare(listenersOf(address))
  const authenticator = cfg.auth === undefined ? undefined : findServerAuthenticator(context, cfg.auth.authenticator)
  return await createGrpcServer(
    {
      listen: {
        ...address,
        secure: cfg.tls !== undefined,
        authenticated: authenticator !== undefined || cfg.tls?.clientCaFile !== undefined,
      },
      authenticator,
      ...tlsOf(cfg, context),
      handlers,
      findTaker: () => taker(cfg, intake),
      maxMessageBytes: maxMessageBytes(cfg),
      maxConcurrentStreams: cfg.maxConcurrentStreams || LIMITS.streamsPerConnection,
      limits,
      maxConnections: limits.maxConnections,
      handshakeMs: LIMITS.headersMs,
      bodySilenceMs: LIMITS.bodySilenceMs,
      requestMs: LIMITS.requestMs,
      keepalive: keepaliveOf(cfg),
      budget: intake.budget,
      unpacking: intake.unpacking,
      random: context.random,
      encodeStatus: encodeRpcStatus,
      onRefused: (reason, detail) => intake.refused('grpc', reason, detail),
      onError: (error) => context.report('fatal', error),
    },
    context.log,
    context.gates.has('millrace.grpc.nodeHttp2') ? 'node:http2' : 'lean',
  )
}

function tlsOf({ tls }: GrpcConfig, context: ReceiverContext): Pick<GrpcServerOptions, 'tls' | 'watchTls'> {
  if (tls === undefined) return {}
  const options = loadServerTls(tls)
  return { tls: options, watchTls: (apply) => watchServerTls(tls, options, apply, context) }
}

const SIGNAL_OF = new Map(SIGNALS.map((signal) => [METHODS[signal] as string, signal]))

function taker(cfg: GrpcConfig, intake: Intake): GrpcTaker | undefined {
  const shard = intake.relief()
  if (shard === undefined) return undefined
  return (call, encoding, message) => {
    const note = { transport: 'grpc', form: 'protobuf', encoding, maxBytes: maxMessageBytes(cfg) } as const
    intake.handOver(shard, SIGNAL_OF.get(call.path)!, message, note, clientOf(cfg, call), answerOf(call))
  }
}

function handler(signal: Signal, cfg: GrpcConfig, intake: Intake): GrpcHandler {
  return (call) => {
    const bytes = call.message
    let items: number
    try {
      items = checkRequest(signal, bytes)
    } catch (error) {
      const { code, message } = unreadableOf('grpc', intake.unreadable('grpc', error))
      call.fail(code, message)
      return
    }
    intake.accept(signal, 'grpc', bytes, items, clientOf(cfg, call), answerOf(call))
  }
}

const SUCCESS = encodeExportResponse()

const answerOf = (call: GrpcCall): Answer => ({
  ok: () => call.respond(SUCCESS),
  error: ({ code, message, retryAfterMs }) => call.fail(code, message, retryAfterMs),
})

function clientOf(cfg: GrpcConfig, call: GrpcCall): ClientInfo {
  const { peer: address, auth } = call
  const known = auth === undefined ? { address } : { address, auth }
  return cfg.includeMetadata ? { ...known, metadata: call.metadata() } : known
}

const SECOND = 1000
/** gRPC's own defaults where a value is 0. */
function keepaliveOf(cfg: GrpcConfig): GrpcKeepalive {
  const parameters = cfg.keepalive?.serverParameters
  const policy = cfg.keepalive?.enforcementPolicy
  return {
    maxConnectionIdleMs: parameters?.maxConnectionIdleMs ?? 0,
    maxConnectionAgeMs: parameters?.maxConnectionAgeMs ?? 0,
    maxConnectionAgeGraceMs: parameters?.maxConnectionAgeGraceMs ?? 0,
    timeMs: parameters?.timeMs || 2 * 3600 * SECOND,
    timeoutMs: parameters?.timeoutMs || 20 * SECOND,
    minTimeMs: policy?.minTimeMs || 300 * SECOND,
    permitWithoutStream: policy?.permitWithoutStream ?? false,
  }
}
