// Splits what comes by its key and sends each part to the endpoint that the ring gives it to.
//
//   export --> split by the ring --> sending (queue, retry: off by default) --> endpoint: queue, retry, connection
//                                        ^                                          |
//                                        +--- refused: routed anew, if there is retry +
//
// A part keeps its endpoint while that is on the ring, also when it fails: one key, one endpoint. When the resolver takes
// an endpoint away, what waits there is routed by the new ring at once.

import { ConfigError } from '../../config/problem.ts'
import { DeliveryError } from '../../delivery/error.ts'
import type { Exporter, ExporterContext } from '../../graph/component.ts'
import { makeGrpcClient } from '../../net/grpc/client-config.ts'
import type { Batch } from '../../otlp/batch.ts'
import type { Signal } from '../../otlp/signal.ts'
import { splitByKey } from '../../otlp/split.ts'
import { Sending } from '../../sending/sending.ts'
import type { LoadBalancingConfig } from './config.ts'
import { Consignment, type Router } from './consignment.ts'
import { Endpoint, type EndpointSurroundings } from './endpoint.ts'
import { EndpointLabels, EndpointMeters } from './endpoint-meter.ts'
import { DnsResolver, type Lookup, type Resolver, StaticResolver, systemLookup } from './resolver.ts'
import { HashRing } from './ring.ts'
import { KEYS_OF, makeRouting, type Routing } from './routing.ts'

/** What the endpoint of a part was, when it was split off. */
interface Route {
  readonly ring: HashRing
  readonly endpoint: Endpoint
}

export class LoadBalancingExporter implements Exporter {
  readonly #config: LoadBalancingConfig
  readonly #context: ExporterContext
  readonly #surroundings: EndpointSurroundings
  readonly #resolver: Resolver
  readonly #routings = new Map<Signal, Routing>()
  readonly #sending: Sending
  readonly #router: Router
  readonly #routes = new WeakMap<Batch, Route>()
  readonly #consignments = new WeakMap<Batch, Consignment>()
  #ring = new HashRing([])
  /** In the order of the ring's numbers. */
  #endpoints: Endpoint[] = []
  readonly #retiring = new Set<Endpoint>()
  #stopping = false
  #stopped: Promise<void> | undefined

  constructor(config: LoadBalancingConfig, context: ExporterContext, lookup: Lookup = systemLookup) {
    this.#config = config
    this.#context = context
    const { meter, clock, random } = context
    for (const signal of context.signals) this.#routings.set(signal, routingFor(signal, config, context.id, random))
    this.#surroundings = { context, labels: new EndpointLabels(), meters: new EndpointMeters(meter) }
    const { resolver } = config
    if (resolver.static !== undefined) {
      this.#resolver = new StaticResolver(resolver.static, meter)
      this.#use(resolver.static.hostnames, () => {})
    } else this.#resolver = new DnsResolver(resolver.dns!, context, lookup)
    const exporter = this
    this.#router = {
      clock,
      acceptTimeoutMs: config.timeoutMs,
      get stopping() {
        return exporter.#stopping
      },
      route: (batch) => this.#route(batch),
    }
    this.#sending = new Sending(context, { queue: config.queue, retry: config.retry, timeoutMs: 0 }, (batch, signal) =>
      this.#push(batch, signal),
    )
  }

  async start(): Promise<void> {
    const { otlp } = this.#config.protocol
    // Certificates that cannot be read end the start, also where the endpoints come later.
    makeGrpcClient({ ...otlp, endpoint: 'localhost:4317' }, otlp.timeoutMs, this.#context)
    for (const endpoint of this.#endpoints) endpoint.start()
    await this.#resolver.start((endpoints) => {
      if (!this.#stopping) this.#use(endpoints, (endpoint) => endpoint.start())
    })
    await this.#sending.start()
  }

  export(batch: Batch): void {
    if (this.#ring.size < 2 || batch.items === 0) {
      this.#sending.send(batch)
      return
    }
    for (const [endpoint, part] of this.#split(batch)) {
      this.#routes.set(part, { ring: this.#ring, endpoint })
      this.#sending.send(part)
    }
  }

  stop(deadline?: AbortSignal): Promise<void> {
    this.#stopped ??= this.#drain(deadline)
    return this.#stopped
  }

  /** What the queue in front holds still goes to the endpoints, which stop behind it. */
  async #drain(deadline: AbortSignal | undefined): Promise<void> {
    this.#stopping = true
    this.#resolver.stop()
    const all = [...this.#endpoints, ...this.#retiring]
    for (const endpoint of all) endpoint.endRetries()
    await this.#sending.stop(deadline)
    await Promise.all(all.map((endpoint) => endpoint.stop(deadline)))
  }

  #push(batch: Batch, signal: AbortSignal): Promise<void> {
    let consignment = this.#consignments.get(batch)
    if (consignment === undefined) {
      consignment = new Consignment(this.#router, batch)
      this.#consignments.set(batch, consignment)
    }
    return consignment.attempt(signal)
  }

  #route(batch: Batch): readonly (readonly [Endpoint, Batch])[] | DeliveryError {
    const route = this.#routes.get(batch)
    if (route !== undefined && route.ring === this.#ring) return [[route.endpoint, batch]]
    if (this.#ring.size === 0) return noEndpoint()
    return this.#split(batch)
  }

  #split(batch: Batch): (readonly [Endpoint, Batch])[] {
    if (this.#endpoints.length === 1) return [[this.#endpoints[0]!, batch]]
    const routing = this.#routings.get(batch.signal)!.begin(this.#ring)
    const routed: (readonly [Endpoint, Batch])[] = []
    splitByKey(batch, this.#endpoints.length, routing).forEach((part, number) => {
      if (part !== undefined) routed.push([this.#endpoints[number]!, part])
    })
    return routed
  }

  /** Puts these endpoints on the ring, each that is new once it has begun; when one cannot, all stays as it was. */
  #use(names: readonly string[], begin: (endpoint: Endpoint) => void): void {
    const ring = new HashRing(names)
    if (ring.equals(this.#ring)) return
    const known = new Map(this.#endpoints.map((endpoint) => [endpoint.name, endpoint]))
    const added: Endpoint[] = []
    try {
      for (const name of ring.endpoints) {
        if (known.has(name)) continue
        const endpoint = new Endpoint(name, this.#config.protocol.otlp, this.#surroundings)
        added.push(endpoint)
        begin(endpoint)
      }
    } catch (error) {
      for (const endpoint of added) this.#retire(endpoint)
      throw error
    }
    for (const endpoint of added) known.set(endpoint.name, endpoint)
    this.#endpoints = ring.endpoints.map((name) => known.get(name)!)
    this.#ring = ring
    for (const name of ring.endpoints) known.delete(name)
    for (const endpoint of known.values()) this.#retire(endpoint)
  }

  #retire(endpoint: Endpoint): void {
    this.#retiring.add(endpoint)
    void endpoint.retire().then(() => this.#retiring.delete(endpoint))
  }
}

function routingFor(
  signal: Signal,
  { routingKey, routingAttributes }: LoadBalancingConfig,
  id: string,
  random: () => number,
): Routing {
  const keys: readonly string[] = KEYS_OF[signal]
  const key = routingKey ?? KEYS_OF[signal][0]
  if (key === undefined || signal === 'profiles') throw new Error(`invariant: ${id} was made for ${signal}`)
  if (!keys.includes(key))
    throw new ConfigError([
      {
        code: 'CONFIG_INVALID',
        path: `exporters.${id}.routing_key`,
        what: `${signal} cannot be routed by ${key}, and a pipeline of ${signal} sends to ${id}`,
        fix: `write ${keys.join(', ')}, or use an exporter of its own for ${signal}`,
      },
    ])
  return makeRouting(signal, key, routingAttributes, random)
}

const noEndpoint = (): DeliveryError =>
  new DeliveryError('LOAD_BALANCING_NO_ENDPOINT', 'no endpoint is known yet', { retry: 'backoff' })
