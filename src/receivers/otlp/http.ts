// OTLP/HTTP: one path per signal, protobuf and JSON. Statuses, types and words as the Collector answers them
// (reference 2.3, and the notes on a running one); the order of the checks is its order too:
//
//   authenticator?   401 Status      (where one is configured, before all else)
//   Content-Encoding known?   400 Status      path?   404 text      POST?   405 text      Content-Type?   415 text
//   body readable, within bounds, OTLP?   400 Status      pipeline's answer: 200, or a Status by the table of net/status.ts

import type { IncomingMessage, ServerResponse } from 'node:http'
import { ROOM_AFTER_MS } from '../../delivery/error.ts'
import type { ReceiverContext } from '../../graph/component.ts'
import type { AuthAttributes } from '../../net/auth/authenticator.ts'
import { arePiecesSmall, type RequestBytes } from '../../net/byte-budget.ts'
import { type Decoding, isDecoding } from '../../net/compression.ts'
import { type BodyProblem, countBody, endConnection, readBody } from '../../net/http/body.ts'
import { type HttpHandler, type HttpServerHandle, startHttpServer } from '../../net/http/server.ts'
import { LIMITS } from '../../net/limits.ts'
import { GRPC, grpcToHttp, type RpcError } from '../../net/status.ts'
import type { ClientInfo } from '../../otlp/batch.ts'
import { checkRequest } from '../../otlp/check.ts'
import { jsonToBytes } from '../../otlp/json/index.ts'
import { encodeExportResponse, encodeRpcStatus, exportResponseToJson, rpcStatusToJson } from '../../otlp/response.ts'
import type { Signal } from '../../otlp/signal.ts'
import { findUrlPath, type HttpConfig } from './config.ts'
import type { Answer, Intake } from './intake.ts'
import { unreadableOf } from './taken-over.ts'

const PROTOBUF = 'application/x-protobuf'
const JSON_TYPE = 'application/json'
type BodyType = typeof PROTOBUF | typeof JSON_TYPE

export function startOtlpHttp(cfg: HttpConfig, intake: Intake, context: ReceiverContext): Promise<HttpServerHandle> {
  return startHttpServer(cfg, context, otlpHandler(cfg, intake), {
    onBadConnection: (reason, detail) => intake.refused('http', reason, detail),
    onRefused: (request, response, { code, message }) => {
      intake.refused('http', 'auth', message)
      // The form of the answer is that of the request; a request of no form gets JSON.
      const type = bodyType(request.headers['content-type']) ?? JSON_TYPE
      sendStatus(request, response, type, { code, message }, undefined)
    },
  })
}

export const maxBodyBytes = (cfg: HttpConfig): number =>
  cfg.maxRequestBodyBytes > 0 ? cfg.maxRequestBodyBytes : LIMITS.httpBodyBytes

export function otlpHandler(cfg: HttpConfig, intake: Intake): HttpHandler {
  const signals = new Map<string, Signal>()
  const paths = [
    ['traces', cfg.tracesUrlPath],
    ['metrics', cfg.metricsUrlPath],
    ['logs', cfg.logsUrlPath],
    ['profiles', '/v1development/profiles'],
  ] as const
  for (const [signal, path] of paths) if (intake.takes(signal)) signals.set(findUrlPath(path) ?? path, signal)
  const encodings = new Set(cfg.compressionAlgorithms.map((name) => name.toLowerCase()))
  const limits = {
    maxBytes: maxBodyBytes(cfg),
    silenceMs: LIMITS.bodySilenceMs,
    requestMs: cfg.readTimeoutMs || LIMITS.requestMs,
    budget: intake.budget,
    unpacking: intake.unpacking,
    smallPieces: LIMITS.smallPieces,
  }

  return (request, response, auth) => {
    const refuse = (reason: string, detail: string): void => intake.refused('http', reason, detail)
    const named = request.headers['content-type']
    const type = bodyType(named)
    const encoding = request.headers['content-encoding'] ?? ''
    if (!encodings.has(encoding) || (encoding !== '' && !isDecoding(encoding))) {
      const message = `unsupported Content-Encoding: ${encoding}`
      refuse('encoding', message)
      // Here a missing type is taken for JSON; one that is neither has no form for the answer.
      if (type === undefined && named !== undefined && named !== '') sendFallback(request, response)
      else sendStatus(request, response, type ?? JSON_TYPE, { code: GRPC.INVALID_ARGUMENT, message }, 400)
      return
    }
    const signal = signals.get(pathOf(request.url ?? '/'))
    if (signal === undefined) {
      refuse('path', 'unknown path')
      response.setHeader('x-content-type-options', 'nosniff')
      send(request, response, 404, 'text/plain; charset=utf-8', '404 page not found\n')
      return
    }
    if (request.method !== 'POST') {
      refuse('method', `method ${request.method}`)
      send(request, response, 405, 'text/plain', '405 method not allowed, supported: [POST]')
      return
    }
    if (type === undefined) {
      refuse('content_type', `content type ${named ?? 'missing'}`)
      const text = '415 unsupported media type, supported: [application/json, application/x-protobuf]'
      send(request, response, 415, 'text/plain', text)
      return
    }
    const packing = encoding === '' ? undefined : (encoding as Decoding)
    readBody(request, packing, limits, {
      onProblem: (problem, message) => {
        refuse(problem, message)
        sendStatus(request, response, type, problemStatus(problem, message), undefined)
        // Whatever follows on it: the answer is a courtesy.
        if (problem === 'flood') endConnection(request)
      },
      findTaker: () => {
        const shard = intake.relief()
        if (shard === undefined) return undefined
        const form = type === JSON_TYPE ? 'json' : 'protobuf'
        const note = { transport: 'http', form, encoding: packing, maxBytes: limits.maxBytes } as const
        return (body, held) => {
          const answer = answerOf(request, response, signal, type, held)
          intake.handOver(shard, signal, body, note, clientOf(request, auth), answer)
        }
      },
      onBody: (body, held) => take(request, response, signal, type, body, held, auth),
    })
  }

  function take(
    request: IncomingMessage,
    response: ServerResponse,
    signal: Signal,
    type: BodyType,
    body: Uint8Array<ArrayBuffer>,
    held: RequestBytes,
    auth: AuthAttributes | undefined,
  ): void {
    let bytes: Uint8Array
    let items: number
    try {
      bytes = type === JSON_TYPE ? jsonToBytes(signal, body) : body
      items = checkRequest(signal, bytes)
    } catch (error) {
      held.end()
      sendStatus(request, response, type, unreadableOf('http', intake.unreadable('http', error)), undefined)
      return
    }
    const answer = answerOf(request, response, signal, type, held)
    intake.accept(signal, 'http', bytes, items, clientOf(request, auth), answer)
  }

  function answerOf(
    request: IncomingMessage,
    response: ServerResponse,
    signal: Signal,
    type: BodyType,
    held: RequestBytes,
  ): Answer {
    return {
      ok: () => {
        held.end()
        if (type === JSON_TYPE) send(request, response, 200, type, exportResponseToJson(signal))
        else send(request, response, 200, type, SUCCESS)
      },
      error: (error) => {
        held.end()
        sendStatus(request, response, type, error, undefined)
      },
    }
  }

  function clientOf(request: IncomingMessage, auth: AuthAttributes | undefined): ClientInfo {
    const { remoteAddress, remotePort } = request.socket
    const host = remoteAddress?.includes(':') ? `[${remoteAddress}]` : remoteAddress
    const known = { ...(host === undefined ? {} : { address: `${host}:${remotePort}` }), ...(auth && { auth }) }
    if (!cfg.includeMetadata) return known
    const metadata = new Map<string, readonly string[]>()
    const { headersDistinct } = request
    for (const name in headersDistinct) metadata.set(name, headersDistinct[name] ?? [])
    return { ...known, metadata }
  }
}

const SUCCESS = encodeExportResponse()

/** Undefined when it is neither; parameters such as a charset do not matter. */
function bodyType(header: string | undefined): BodyType | undefined {
  if (header === PROTOBUF || header === JSON_TYPE) return header
  const type = header?.split(';', 1)[0]?.trim().toLowerCase()
  return type === PROTOBUF || type === JSON_TYPE ? type : undefined
}

function pathOf(url: string): string {
  const query = url.indexOf('?')
  return query < 0 ? url : url.slice(0, query)
}

/** A body that is too large is 400 too, as in the Collector, not 413. */
function problemStatus(problem: BodyProblem, message: string): RpcError {
  if (problem === 'overload') return { code: GRPC.UNAVAILABLE, message, retryAfterMs: ROOM_AFTER_MS }
  return { code: GRPC.INVALID_ARGUMENT, message }
}

function sendStatus(
  request: IncomingMessage,
  response: ServerResponse,
  type: BodyType,
  error: RpcError,
  httpStatus: number | undefined,
): void {
  const status = httpStatus ?? grpcToHttp(error.code)
  if (error.retryAfterMs !== undefined && (status === 429 || status === 503) && !response.headersSent)
    response.setHeader('retry-after', String(Math.trunc(error.retryAfterMs / 1000)))
  send(request, response, status, type, type === JSON_TYPE ? rpcStatusToJson(error) : encodeRpcStatus(error))
}

function sendFallback(request: IncomingMessage, response: ServerResponse): void {
  send(request, response, 500, JSON_TYPE, '{"code": 13, "message": "failed to marshal error message"}')
}

function send(
  request: IncomingMessage,
  response: ServerResponse,
  status: number,
  type: string,
  body: string | Uint8Array,
): void {
  if (response.destroyed || response.headersSent) return
  const length = typeof body === 'string' ? Buffer.byteLength(body) : body.byteLength
  if (!request.complete) leave(request)
  response.writeHead(status, { 'content-type': type, 'content-length': length })
  response.end(body)
}

/**
 * The answer comes before the whole request: the rest is read and thrown away, so that the client gets to its answer
 * instead of a reset connection. One that sends more than any request may hold, or takes too long, is cut off.
 */
function leave(request: IncomingMessage): void {
  let rest = 0
  let pieces = 0
  request.on('data', (chunk: Buffer) => {
    countBody(request, chunk.length)
    rest += chunk.length
    if (rest > LIMITS.drainBytes || arePiecesSmall(rest, ++pieces, LIMITS.smallPieces)) request.socket.destroy()
  })
  // Over HTTP/2 that is the stream.
  const timer = setTimeout(() => request.socket.destroy(), LIMITS.drainMs).unref()
  request.once('close', () => clearTimeout(timer))
}
