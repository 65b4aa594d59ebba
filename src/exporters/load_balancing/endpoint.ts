// One endpoint: an OTLP/gRPC exporter of its own, with queue, retries and connection, and what is counted of it.

import type { ExporterContext } from '../../graph/component.ts'
import { targetOf } from '../../net/grpc/client-config.ts'
import { OtlpPush } from '../../net/grpc/otlp-push.ts'
import type { Batch } from '../../otlp/batch.ts'
import type { Logger } from '../../self/log.ts'
import type { Counter, Histogram } from '../../self/meter.ts'
import { RemoteHealth } from '../../sending/remote-health.ts'
import { Sending } from '../../sending/sending.ts'
import { addressOf } from './address.ts'
import type { SubExporterConfig } from './config.ts'
import { type EndpointLabels, type EndpointMeters, OTHER_ENDPOINTS } from './endpoint-meter.ts'

/** As the Collector has them. */
const LATENCY_BUCKETS_MS = [0, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000]

export interface EndpointSurroundings {
  readonly context: ExporterContext
  readonly labels: EndpointLabels
  readonly meters: EndpointMeters
}

export class Endpoint {
  /** As it stands on the ring. */
  readonly name: string
  /** No longer on the ring: what it refuses from here on may go elsewhere. */
  retired = false
  readonly #sending: Sending
  readonly #release: () => void
  readonly #succeeded: Counter
  readonly #failed: Counter
  readonly #latency: Histogram
  readonly #server: OtlpPush

  /** Opens nothing. */
  constructor(name: string, config: SubExporterConfig, { context, labels, meters }: EndpointSurroundings) {
    this.name = name
    const target = { ...config, endpoint: addressOf(name) }
    const label = labels.nameFor(name)
    const own = meters.meterFor({})
    const sub = meters.meterFor({ exporter: subId(context.id, label) })
    this.#release = () => {
      own.release()
      sub.release()
    }
    const inner = { ...context, meter: sub.meter, log: quiet(context.log.with({ endpoint: name })) }
    const server = new OtlpPush(target, inner)
    this.#server = server
    const outcome = (success: boolean): Counter =>
      context.meter.counter(
        'loadbalancer_backend_outcome',
        '{outcomes}',
        'Number of successes and failures for each endpoint.',
        { labels: { endpoint: label, success: String(success) }, onceUsed: true },
      )
    this.#succeeded = outcome(true)
    this.#failed = outcome(false)
    this.#latency = context.meter.histogram(
      'loadbalancer_backend_latency',
      'ms',
      'Time until an endpoint had what was routed to it, or had given it up.',
      LATENCY_BUCKETS_MS,
      { labels: { endpoint: label }, onceUsed: true },
    )
    const health = new RemoteHealth(context, () => server.ready)
    if (label !== OTHER_ENDPOINTS) health.observe(own.meter, name)
    const { host, port } = targetOf(target)
    const labelsOfTarget = label === OTHER_ENDPOINTS ? {} : { 'server.address': host, 'server.port': String(port) }
    this.#sending = new Sending(inner, config, health.watch(server.push), () => labelsOfTarget)
  }

  /** Reads certificates and begins to connect. Throws an Error that names what cannot be read. */
  start(): void {
    this.#server.start()
  }

  /** Takes the batch over and settles it, now or later. */
  send(batch: Batch): void {
    this.#sending.send(batch)
  }

  /** Counts what became of a batch. */
  ended(delivered: boolean, afterMs: number): void {
    ;(delivered ? this.#succeeded : this.#failed).add(1)
    this.#latency.record(afterMs)
  }

  endRetries(): void {
    this.#sending.endRetries()
  }

  /** Off the ring: refuses what waits, lets what is on its way end, and closes. */
  async retire(): Promise<void> {
    this.retired = true
    await this.#sending.handBack()
    this.#close()
  }

  async stop(deadline: AbortSignal | undefined): Promise<void> {
    // What a retired endpoint still sends has no deadline but this.
    const close = (): void => this.#server.close()
    if (this.retired) deadline?.addEventListener('abort', close, { once: true })
    if (this.retired && deadline?.aborted) close()
    await this.#sending.stop(deadline)
    deadline?.removeEventListener('abort', close)
    this.#close()
  }

  #close(): void {
    this.#server.close()
    this.#release()
  }
}

/** The id under which the Collector counts an endpoint's own exporter: its type, our name if we have one, the endpoint. */
function subId(id: string, endpoint: string): string {
  const slash = id.indexOf('/')
  return `otlp_grpc/${slash < 0 ? '' : `${id.slice(slash + 1)}_`}${endpoint}`
}

/** What an endpoint gives up may be routed anew; whether it is lost is said above it. */
const quiet = (log: Logger): Logger => ({
  debug: (message, fields) => log.debug(message, fields),
  info: (message, fields) => log.info(message, fields),
  warn: (message, fields) => log.warn(message, fields),
  error: (message, fields) => log.debug(message, fields),
  enabled: (level) => log.enabled(level),
  with: (fields) => quiet(log.with(fields)),
})
