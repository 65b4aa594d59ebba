// The key by which a batch is split over the ring, for each signal (contrib, exporter/loadbalancingexporter, of mid 2026:
// trace_exporter.go, log_exporter.go, metrics_exporter.go). What is hashed:
//
//   key          traces                      logs                              metrics
//   traceID      16 bytes of the trace id    its 32 hex digits; without one a
//                                            random place for each batch
//   service      service.name=NAME|          NAME                              NAME
//   resource                                 own hash of the attributes        own hash
//   metric                                                                     the metric's name
//   streamID                                                                   own hash
//   attributes   A=VALUE|B=VALUE|            the same; those of the resource   the same
//                in the order written        first, then scope, then the item
//
// A service or attribute that is not there is the empty VALUE. "Own hash": the Collector's is made with xxhash over its
// own objects; ours gives the same series the same endpoint among Millraces only.

import { Attributes } from '../../otlp/attributes.ts'
import { METRIC } from '../../otlp/fields.ts'
import { crcOf, EMPTY_CRC } from '../../otlp/hash.ts'
import { LogView } from '../../otlp/log.ts'
import { MetricView } from '../../otlp/metric.ts'
import { MergedView } from '../../otlp/resource.ts'
import type { Signal } from '../../otlp/signal.ts'
import { SpanView } from '../../otlp/span.ts'
import type { Keying } from '../../otlp/split.ts'
import { VALUE } from '../../otlp/value.ts'
import { AttributeRouting } from './attribute-routing.ts'
import type { RoutingKey } from './config.ts'
import { keyText } from './key-text.ts'
import type { HashRing } from './ring.ts'
import { StreamRouting } from './stream-routing.ts'

/** Tells a batch's items apart by the endpoints of `ring`, as splitByKey wants it. Begin each batch with `begin`. */
export interface Routing extends Keying {
  begin(ring: HashRing): this
}

/** The keys that a signal may be routed by, the default first. */
export const KEYS_OF = {
  traces: ['traceID', 'service', 'attributes'],
  logs: ['service', 'traceID', 'resource', 'attributes'],
  metrics: ['service', 'resource', 'metric', 'streamID', 'attributes'],
  profiles: [],
} as const satisfies Record<Signal, readonly RoutingKey[]>

export function makeRouting(
  signal: 'traces' | 'logs' | 'metrics',
  key: RoutingKey,
  attributes: readonly string[],
  random: () => number,
): Routing {
  switch (key) {
    case 'traceID':
      return signal === 'traces' ? new SpanRouting() : new LogRouting(random)
    case 'service':
      return new ServiceRouting(signal === 'traces')
    case 'resource':
      return new ResourceRouting()
    case 'metric':
      return new MetricRouting()
    case 'streamID':
      return new StreamRouting()
    case 'attributes':
      return new AttributeRouting(signal, attributes)
  }
}

const NO_TRACE = new Uint8Array(16)

class SpanRouting implements Routing {
  readonly level = 3
  readonly #span = new SpanView()
  #ring!: HashRing

  begin(ring: HashRing): this {
    this.#ring = ring
    return this
  }

  shardOf = (bytes: Uint8Array, start: number, end: number): number => {
    const at = this.#span.reset(bytes, start, end).traceIdAt()
    return this.#ring.ownerOf(at === 0 ? crcOf(EMPTY_CRC, NO_TRACE) : crcOf(EMPTY_CRC, bytes, at, at + 16))
  }
}

const HEX_DIGITS = Buffer.from('0123456789abcdef')

class LogRouting implements Routing {
  readonly level = 3
  readonly #log = new LogView()
  readonly #random: () => number
  readonly #hex = new Uint8Array(32)
  #ring!: HashRing
  #stray = -1

  constructor(random: () => number) {
    this.#random = random
  }

  begin(ring: HashRing): this {
    this.#ring = ring
    this.#stray = -1
    return this
  }

  shardOf = (bytes: Uint8Array, start: number, end: number): number => {
    const at = this.#log.reset(bytes, start, end).traceIdAt()
    if (at === 0 || isZero(bytes, at)) return this.#anywhere()
    for (let i = 0; i < 16; i++) {
      this.#hex[2 * i] = HEX_DIGITS[bytes[at + i]! >>> 4]!
      this.#hex[2 * i + 1] = HEX_DIGITS[bytes[at + i]! & 15]!
    }
    return this.#ring.ownerOf(crcOf(EMPTY_CRC, this.#hex))
  }

  // The Collector draws for each record, which cuts every batch to pieces; for each batch the load is as even.
  #anywhere(): number {
    if (this.#stray < 0) this.#stray = Math.floor(this.#random() * this.#ring.size)
    return this.#stray
  }
}

function isZero(bytes: Uint8Array, at: number): boolean {
  for (let i = at; i < at + 16; i++) if (bytes[i] !== 0) return false
  return true
}

const SERVICE_NAME = Buffer.from('service.name')
const BAR = Buffer.from('|')

class ServiceRouting implements Routing {
  readonly level = 1
  readonly #named: boolean
  readonly #prefix: number
  readonly #resource = new MergedView()
  readonly #attributes = new Attributes()
  #ring!: HashRing

  constructor(named: boolean) {
    this.#named = named
    this.#prefix = named ? crcOf(EMPTY_CRC, Buffer.from('service.name=')) : EMPTY_CRC
  }

  begin(ring: HashRing): this {
    this.#ring = ring
    return this
  }

  shardOf = (bytes: Uint8Array, start: number, end: number): number => {
    const attributes = this.#attributes.ofPieces(this.#resource.reset(bytes, start, end), 1)
    const value = attributes.find(SERVICE_NAME)
    let crc = this.#prefix
    if (value?.type === VALUE.STRING) crc = crcOf(crc, value.bytes, value.start, value.end)
    else if (value !== undefined && this.#named) crc = crcOf(crc, Buffer.from(keyText(value)))
    return this.#ring.ownerOf(this.#named ? crcOf(crc, BAR) : crc)
  }
}

class ResourceRouting implements Routing {
  readonly level = 1
  readonly #resource = new MergedView()
  readonly #attributes = new Attributes()
  #ring!: HashRing

  begin(ring: HashRing): this {
    this.#ring = ring
    return this
  }

  shardOf = (bytes: Uint8Array, start: number, end: number): number =>
    this.#ring.ownerOf(this.#attributes.ofPieces(this.#resource.reset(bytes, start, end), 1).hash())
}

class MetricRouting implements Routing {
  readonly level = 3
  readonly #metric = new MetricView()
  #ring!: HashRing

  begin(ring: HashRing): this {
    this.#ring = ring
    return this
  }

  shardOf = (bytes: Uint8Array, start: number, end: number): number => {
    const metric = this.#metric.reset(bytes, start, end)
    return this.#ring.ownerOf(crcOf(EMPTY_CRC, bytes, metric.from(METRIC.NAME), metric.to(METRIC.NAME)))
  }
}
