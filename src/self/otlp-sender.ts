// The way of own metrics to an OTLP endpoint, over HTTP or gRPC.
//
// Nothing is kept for another try: counts are since the start, so the next report tells what a lost one could not.

import { gzipSync } from 'node:zlib'
import type { Clock } from '../graph/clock.ts'
import type { BuildInfo } from '../graph/component.ts'
import { parseTarget } from '../net/grpc/client-target.ts'
import { tlsClient } from '../net/tls/config.ts'
import { type ClientTlsOptions, loadClientTls } from '../net/tls/load.ts'
import { userAgent } from '../net/user-agent.ts'
import type { OtlpReaderConfig } from './reader-config.ts'

export interface MetricsSender {
  /** Takes OTLP/JSON. Rejects when the endpoint cannot be reached in time or does not take the report. */
  send(json: string, deadline: AbortSignal): Promise<void>
  close(): Promise<void>
}

export interface SenderSurroundings {
  readonly build: BuildInfo
  readonly clock: Clock
  readonly random: () => number
}

const GRPC_PATH = '/opentelemetry.proto.collector.metrics.v1.MetricsService/Export'
const GZIP_LEVEL = 1

/** Loads the client that the protocol needs; connects to nobody. Throws when a certificate cannot be read. */
export function makeSender(config: OtlpReaderConfig, surroundings: SenderSurroundings): Promise<MetricsSender> {
  return config.protocol === 'grpc' ? grpcSender(config, surroundings) : httpSender(config, surroundings)
}

async function httpSender(config: OtlpReaderConfig, { build }: SenderSurroundings): Promise<MetricsSender> {
  const { HttpClient } = await import('../net/http/client.ts')
  const url = new URL(config.endpoint ?? 'http://localhost:4318')
  if (url.pathname === '/') url.pathname = '/v1/metrics'
  const asJson = config.protocol === 'http/json'
  const packed = config.compression === 'gzip'
  const client = new HttpClient({
    tls: url.protocol === 'https:' ? loadTls(config) : undefined,
    headers: new Map(headersOf(config)),
    proxyUrl: undefined,
    maxConnections: 1,
    idleTimeoutMs: 0,
    keepAlive: true,
    http2: false,
  })
  await client.open()
  const headers = {
    'content-type': asJson ? 'application/json' : 'application/x-protobuf',
    'user-agent': userAgent(build),
    ...(packed ? { 'content-encoding': 'gzip' } : {}),
  }
  return {
    async send(json, deadline) {
      const body = asJson ? Buffer.from(json) : await toBytes(json)
      const signal = AbortSignal.any([deadline, AbortSignal.timeout(config.timeoutMs)])
      const { status } = await client.post(url, headers, packed ? gzipSync(body, { level: GZIP_LEVEL }) : body, signal)
      if (status < 200 || status > 299) throw new Error(`${url.host} answered ${status}`)
    },
    close: () => client.close(),
  }
}

async function grpcSender(config: OtlpReaderConfig, surroundings: SenderSurroundings): Promise<MetricsSender> {
  const { createGrpcClient } = await import('../net/grpc/client.ts')
  const { build, clock, random } = surroundings
  const endpoint = config.endpoint ?? 'http://localhost:4317'
  const target = parseTarget(endpoint)
  const plain = endpoint.startsWith('http://') || (config.insecure && !target.forcesTls)
  const client = createGrpcClient({
    target,
    tls: plain ? undefined : loadTls(config),
    userAgent: userAgent(build),
    headers: headersOf(config),
    compression: config.compression === 'gzip' ? 'gzip' : undefined,
    compressionLevel: GZIP_LEVEL,
    timeoutMs: config.timeoutMs,
    clock,
    random,
  })
  return {
    async send(json, deadline) {
      const message = await toBytes(json)
      const signal = AbortSignal.any([deadline, AbortSignal.timeout(config.timeoutMs)])
      await client.call(GRPC_PATH, [message], message.byteLength, signal)
    },
    async close() {
      client.close()
    },
  }
}

const headersOf = ({ headers }: OtlpReaderConfig): [string, string][] =>
  Array.from(headers, ([name, value]) => [name.toLowerCase(), value.reveal()])

function loadTls(config: OtlpReaderConfig): ClientTlsOptions | undefined {
  const { certificate, clientCertificate, clientKey } = config
  return loadClientTls(
    { ...tlsClient.zero(), caFile: certificate, certFile: clientCertificate, keyFile: clientKey },
    true,
  )
}

async function toBytes(json: string): Promise<Uint8Array> {
  const { jsonToBytes } = await import('../otlp/json/index.ts')
  return jsonToBytes('metrics', json)
}
