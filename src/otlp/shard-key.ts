// Which shard owns what: the keys that state is divided by, as splitByKey wants them.
//
//   trace    the trace id of a span or log record; without one, and in metrics: shard 0
//   device   the resource's attribute device.id; without one: shard 0
//   series   resource, scope, metric and attributes of a data point; spans and log records: their resource
//   service  service.namespace, service.name and service.instance.id of the resource, as texts: what Prometheus makes job
//            and instance of. All resources without any of them are one
//
// The same key has the same owner in every shard and after every restart with as many of them.

import { Attributes } from './attributes.ts'
import { crcOf, EMPTY_CRC, mix } from './hash.ts'
import { LogView } from './log.ts'
import { MergedView } from './resource.ts'
import { SeriesHash } from './series.ts'
import type { Signal } from './signal.ts'
import { SpanView } from './span.ts'
import type { Keying } from './split.ts'
import { VALUE } from './value.ts'

export const SHARD_KEYS = ['trace', 'device', 'series', 'service'] as const
export type ShardKey = (typeof SHARD_KEYS)[number]

const ITEM_LEVEL = 3
const POINT_LEVEL = 5
const RESOURCE_LEVEL = 1

const DEVICE_ID = Buffer.from('device.id')
const SERVICE_NAMESPACE = Buffer.from('service.namespace')
const SERVICE_NAME = Buffer.from('service.name')
const SERVICE_INSTANCE = Buffer.from('service.instance.id')
const SLASH = Buffer.from('/')

/** `shards` is at least 1. */
export function shardKeying(key: ShardKey, signal: Signal, shards: number): Keying {
  if (key === 'trace') return signal === 'traces' || signal === 'logs' ? traceKeying(signal, shards) : ALL_TO_FIRST
  if (key === 'series' && signal === 'metrics') return seriesKeying(shards)
  if (key === 'service') return serviceKeying(shards)
  return resourceKeying(shards, key === 'device' ? DEVICE_ID : undefined)
}

const ALL_TO_FIRST: Keying = { level: RESOURCE_LEVEL, shardOf: () => 0 }

function traceKeying(signal: 'traces' | 'logs', shards: number): Keying {
  const view = signal === 'traces' ? new SpanView() : new LogView()
  return {
    level: ITEM_LEVEL,
    shardOf(bytes, start, end) {
      const at = view.reset(bytes, start, end).traceIdAt()
      return at === 0 ? 0 : mix(0, crcOf(EMPTY_CRC, bytes, at, at + 16)) % shards
    },
  }
}

function seriesKeying(shards: number): Keying {
  const series = new SeriesHash()
  return {
    level: POINT_LEVEL,
    enter: (level, bytes, start, end) => series.enter(level, bytes, start, end),
    shardOf: (bytes, start, end) => series.of(bytes, start, end) % shards,
  }
}

function resourceKeying(shards: number, attribute: Uint8Array | undefined): Keying {
  const resource = new MergedView()
  const attributes = new Attributes()
  return {
    level: RESOURCE_LEVEL,
    shardOf(bytes, start, end) {
      const own = attributes.ofPieces(resource.reset(bytes, start, end), RESOURCE_LEVEL)
      if (attribute === undefined) return own.hash() % shards
      const value = own.find(attribute)
      return value === undefined ? 0 : mix(0, crcOf(EMPTY_CRC, value.bytes, value.start, value.end)) % shards
    },
  }
}

function serviceKeying(shards: number): Keying {
  const resource = new MergedView()
  const attributes = new Attributes()
  /** The checksum of what `crc` is the checksum of, followed by that text; undefined where there is none. */
  const followed = (crc: number, name: Uint8Array): number | undefined => {
    const value = attributes.find(name)
    if (value === undefined) return undefined
    if (value.type === VALUE.STRING) return crcOf(crc, value.bytes, value.start, value.end)
    return crcOf(crc, Buffer.from(value.toText()))
  }
  return {
    level: RESOURCE_LEVEL,
    shardOf(bytes, start, end) {
      attributes.ofPieces(resource.reset(bytes, start, end), RESOURCE_LEVEL)
      // The namespace stands in front of a name and counts for nothing without one.
      const named = followed(EMPTY_CRC, SERVICE_NAME)
      const namespace = named === undefined ? undefined : followed(EMPTY_CRC, SERVICE_NAMESPACE)
      const job = namespace === undefined ? named : followed(crcOf(namespace, SLASH), SERVICE_NAME)
      return mix(job ?? EMPTY_CRC, followed(EMPTY_CRC, SERVICE_INSTANCE) ?? EMPTY_CRC) % shards
    },
  }
}
