// One service of the MES: an HTTP server on the loopback whose every request is a span, a measurement and, when it is
// worth it, a log record; and calls to the next service, which carry the trace along (W3C Trace Context, `traceparent`).

import { createServer, type IncomingMessage, request, type Server } from 'node:http'
import {
  type Attributes,
  type Context,
  type Counter,
  type Histogram,
  ROOT_CONTEXT,
  SeverityNumber,
  type Span,
  SpanKind,
  SpanStatusCode,
  trace,
} from '@opentelemetry/api'
import type { Telemetry } from './telemetry.ts'

/** What a handler is given: where it is in the trace, and the means to say what happens. */
export interface Work {
  readonly path: string
  /** Order, product and device that the request is about: attributes of its span, and handed on with calls. */
  readonly facts: Attributes
  /** Runs `body` as a span of its own; an error marks the span and travels on. */
  step<T>(name: string, attributes: Attributes, body: () => Promise<T>): Promise<T>
  /** POSTs to another service and resolves to its status. */
  call(port: number, path: string): Promise<number>
  log(severity: 'INFO' | 'WARN' | 'ERROR', words: string, attributes?: Attributes): void
}

export type Handler = (work: Work) => Promise<void>

/** A failure that is the answer to the caller: its status, and the words for the log. */
export class Failure extends Error {
  readonly status: number

  constructor(status: number, message: string) {
    super(message)
    this.status = status
  }
}

export class Service {
  readonly name: string
  readonly #telemetry: Telemetry
  readonly #handle: Handler
  readonly #server: Server
  readonly #durations: Histogram
  readonly #requests: Counter
  #active = 0

  constructor(name: string, telemetry: Telemetry, handle: Handler) {
    this.name = name
    this.#telemetry = telemetry
    this.#handle = handle
    const { meter } = telemetry
    this.#durations = meter.createHistogram('http.server.request.duration', {
      unit: 's',
      advice: { explicitBucketBoundaries: [0.005, 0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5] },
    })
    this.#requests = meter.createCounter('mes.requests', { unit: '{request}' })
    meter
      .createObservableUpDownCounter('http.server.active_requests', { unit: '{request}' })
      .addCallback((result) => result.observe(this.#active))
    meter
      .createObservableGauge('process.memory.usage', { unit: 'By' })
      .addCallback((result) => result.observe(process.memoryUsage().rss))
    this.#server = createServer((message, response) => {
      message.resume()
      void this.#serve(message).then((status) => {
        response.writeHead(status, { 'content-length': 0 })
        response.end()
      })
    })
  }

  /** Resolves to the port. */
  async start(): Promise<number> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject)
      this.#server.listen(0, '127.0.0.1', resolve)
    })
    return (this.#server.address() as { port: number }).port
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise<void>((resolve) => this.#server.close(() => resolve()))
    await this.#telemetry.stop()
  }

  async #serve(message: IncomingMessage): Promise<number> {
    const path = message.url ?? '/'
    const method = message.method ?? 'GET'
    const route = path.replace(/\/\d+/, '/{id}')
    const from = performance.now()
    const facts = readFacts(message.headers[FACTS_HEADER])
    const attributes = { 'http.request.method': method, 'http.route': route }
    const span = this.#telemetry.tracer.startSpan(
      `${method} ${route}`,
      { kind: SpanKind.SERVER, attributes: { ...attributes, ...facts, 'url.path': path, 'server.address': this.name } },
      readTraceparent(message.headers.traceparent),
    )
    this.#active++
    let status = 200
    try {
      await this.#handle(this.#work(path, span, facts))
    } catch (error) {
      status = error instanceof Failure ? error.status : 500
      fail(span, error as Error)
    } finally {
      this.#active--
    }
    span.setAttribute('http.response.status_code', status)
    span.end()
    const labels = { ...attributes, 'http.response.status_code': status }
    this.#durations.record((performance.now() - from) / 1000, labels)
    this.#requests.add(1, labels)
    return status
  }

  #work(path: string, span: Span, facts: Attributes): Work {
    const { tracer, logger } = this.#telemetry
    const here = trace.setSpan(ROOT_CONTEXT, span)
    const inside = async <T>(child: Span, body: () => Promise<T>): Promise<T> => {
      try {
        return await body()
      } catch (error) {
        fail(child, error as Error)
        throw error
      } finally {
        child.end()
      }
    }
    return {
      path,
      facts,
      step: (name, attributes, body) => inside(tracer.startSpan(name, { attributes }, here), body),
      call: (port, target) => {
        const attributes = { 'http.request.method': 'POST', 'server.address': '127.0.0.1', 'server.port': port }
        const child = tracer.startSpan(
          `POST ${target.replace(/\/\d+/, '/{id}')}`,
          { kind: SpanKind.CLIENT, attributes },
          here,
        )
        return inside(child, async () => {
          const status = await post(port, target, { facts: writeFacts(facts), traceparent: writeTraceparent(child) })
          child.setAttribute('http.response.status_code', status)
          if (status >= 500) child.setStatus({ code: SpanStatusCode.ERROR })
          return status
        })
      },
      log: (severity, words, attributes = {}) =>
        logger.emit({
          severityNumber: SeverityNumber[severity],
          severityText: severity,
          body: words,
          attributes,
          context: here,
        }),
    }
  }
}

function fail(span: Span, error: Error): void {
  span.recordException(error)
  span.setStatus({ code: SpanStatusCode.ERROR, message: error.message })
}

const FACTS_HEADER = 'x-facts'

function readFacts(header: string | string[] | undefined): Attributes {
  if (typeof header !== 'string') return {}
  const { device_id, order_number, product_code } = JSON.parse(header)
  return {
    'device.id': device_id,
    'manufacturing.work_order.id': order_number,
    'manufacturing.product.code': product_code,
  }
}

const writeFacts = (facts: Attributes): object => ({
  device_id: facts['device.id'],
  order_number: facts['manufacturing.work_order.id'],
  product_code: facts['manufacturing.product.code'],
})

/** POSTs nothing to a path on the loopback; resolves to the status, or 503 where nobody answers. */
export function post(
  port: number,
  path: string,
  { facts, traceparent }: { readonly facts: object; readonly traceparent?: string },
): Promise<number> {
  const headers = {
    'content-length': 0,
    [FACTS_HEADER]: JSON.stringify(facts),
    ...(traceparent === undefined ? {} : { traceparent }),
  }
  return new Promise((resolve) => {
    request({ port, host: '127.0.0.1', method: 'POST', path, headers }, (response) => {
      response.resume()
      response.on('end', () => resolve(response.statusCode ?? 500))
    })
      .on('error', () => resolve(503))
      .end()
  })
}

// W3C Trace Context, "traceparent Header Field Values": version - trace id - parent id - flags.
function writeTraceparent(span: Span): string {
  const { traceId, spanId } = span.spanContext()
  return `00-${traceId}-${spanId}-01`
}

function readTraceparent(header: string | string[] | undefined): Context {
  const match = /^00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$/.exec(String(header ?? ''))
  if (match === null) return ROOT_CONTEXT
  const [, traceId = '', spanId = '', flags = '00'] = match
  return trace.setSpanContext(ROOT_CONTEXT, {
    traceId,
    spanId,
    traceFlags: Number.parseInt(flags, 16),
    isRemote: true,
  })
}
