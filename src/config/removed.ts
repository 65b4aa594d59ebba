// What the Collector removed and plants still write, with the successor that Millrace takes instead. Each use gives one
// warning that says what to write.

import type { ComponentKind } from '../graph/component.ts'
import type { Entry, MapNode, Node } from './node.ts'

export interface RemovedType {
  readonly kind: ComponentKind
  readonly type: string
  /** The type that is created instead, its own where Millrace still has it; without one the component is left out. */
  readonly successor?: string
  readonly fix: string
}

export const REMOVED_TYPES: readonly RemovedType[] = [
  {
    kind: 'exporter',
    type: 'jaeger',
    successor: 'jaeger',
    fix: 'Millrace sends it all the same; Jaeger takes OTLP since 1.35: write otlp_grpc, and port 4317 instead of 14250',
  },
  { kind: 'exporter', type: 'logging', successor: 'debug', fix: 'write debug instead of logging' },
  {
    kind: 'extension',
    type: 'memory_ballast',
    fix: 'remove it, and put the processor memory_limiter first in each pipeline',
  },
  { kind: 'processor', type: 'queued_retry', fix: 'remove it; exporters have sending_queue and retry_on_failure' },
]

export interface RemovedKey {
  readonly kind: ComponentKind
  readonly types: readonly string[]
  /** Keys below the component, joined by dots. */
  readonly key: string
  /** Where the value goes; without one it is left out. */
  readonly successor?: string
  /** Old words and what they are called now. */
  readonly values?: Readonly<Record<string, string>>
  readonly fix: string
}

const TLS_KEYS = [
  'insecure',
  'insecure_skip_verify',
  'ca_file',
  'cert_file',
  'key_file',
  'server_name_override',
] as const
const OTLP_EXPORTERS = ['otlp', 'otlp_grpc', 'otlphttp', 'otlp_http']

export const REMOVED_KEYS: readonly RemovedKey[] = [
  {
    kind: 'exporter',
    types: ['logging', 'debug'],
    key: 'loglevel',
    successor: 'verbosity',
    values: { debug: 'detailed', info: 'normal', warn: 'basic', error: 'basic' },
    fix: 'write verbosity: basic, normal or detailed',
  },
  ...TLS_KEYS.map(
    (key): RemovedKey => ({
      kind: 'exporter',
      types: OTLP_EXPORTERS,
      key,
      successor: `tls.${key}`,
      fix: `write ${key} below tls:`,
    }),
  ),
  { kind: 'exporter', types: OTLP_EXPORTERS, key: 'tls_settings', successor: 'tls', fix: 'write tls' },
  ...(['grpc', 'http'] as const).map(
    (protocol): RemovedKey => ({
      kind: 'receiver',
      types: ['otlp'],
      key: `protocols.${protocol}.tls_settings`,
      successor: `protocols.${protocol}.tls`,
      fix: 'write tls',
    }),
  ),
  ...(['origins', 'headers'] as const).map(
    (list): RemovedKey => ({
      kind: 'receiver',
      types: ['otlp'],
      key: `protocols.http.cors_allowed_${list}`,
      successor: `protocols.http.cors.allowed_${list}`,
      fix: `write allowed_${list} below cors:`,
    }),
  ),
  {
    kind: 'exporter',
    types: ['elasticsearch'],
    key: 'index',
    successor: 'logs_index',
    fix: 'write logs_index, traces_index and metrics_index',
  },
  {
    kind: 'exporter',
    types: ['elasticsearch'],
    key: 'batcher',
    fix: 'write sending_queue: {batch: ...}',
  },
  ...(['dedup', 'dedot', 'fields', 'file'] as const).map(
    (key): RemovedKey => ({
      kind: 'exporter',
      types: ['elasticsearch'],
      key: `mapping.${key}`,
      fix: 'remove it; the mapping mode decides how names are written',
    }),
  ),
  ...(['retry_gap', 'max_retries'] as const).map(
    (key): RemovedKey => ({
      kind: 'connector',
      types: ['failover'],
      key,
      fix: 'remove it; retry_interval alone says when the levels above are tried again',
    }),
  ),
  { kind: 'processor', types: ['memory_limiter'], key: 'ballast_size_mib', fix: 'remove it; there is no ballast' },
]

export interface Renewed {
  readonly node: MapNode
  readonly used: readonly { readonly removed: RemovedKey; readonly entry: Entry }[]
}

/** A component's map with its removed keys where they belong now. What is written under the new key wins. */
export function renewKeys(kind: ComponentKind, type: string, node: MapNode): Renewed {
  const used: { removed: RemovedKey; entry: Entry }[] = []
  let renewed = node
  for (const removed of REMOVED_KEYS) {
    if (removed.kind !== kind || !removed.types.includes(type)) continue
    const from = removed.key.split('.')
    const entry = find(renewed, from)
    if (entry === undefined) continue
    used.push({ removed, entry })
    renewed = without(renewed, from)
    if (removed.successor === undefined) continue
    const to = removed.successor.split('.')
    if (find(renewed, to) === undefined)
      renewed = withEntry(renewed, to, { ...entry, value: renamed(entry.value, removed) })
  }
  return { node: renewed, used }
}

function renamed(value: Node, { values }: RemovedKey): Node {
  if (values === undefined || value.kind !== 'scalar' || typeof value.value !== 'string') return value
  const word = values[value.value.toLowerCase()]
  if (word === undefined) return value
  const { raw: _raw, ...rest } = value
  return { ...rest, value: word }
}

function find(map: MapNode, keys: readonly string[]): Entry | undefined {
  const entry = map.entries.get(keys[0]!)
  if (entry === undefined || keys.length === 1) return entry
  return entry.value.kind === 'map' ? find(entry.value, keys.slice(1)) : undefined
}

function without(map: MapNode, keys: readonly string[]): MapNode {
  const entries = new Map(map.entries)
  const entry = entries.get(keys[0]!)!
  if (keys.length === 1) entries.delete(keys[0]!)
  else if (entry.value.kind === 'map')
    entries.set(keys[0]!, { key: entry.key, value: without(entry.value, keys.slice(1)) })
  return { ...map, entries }
}

function withEntry(map: MapNode, keys: readonly string[], entry: Entry): MapNode {
  const entries = new Map(map.entries)
  const there = entries.get(keys[0]!)
  if (keys.length === 1) {
    entries.set(keys[0]!, entry)
  } else {
    const inner: MapNode =
      there?.value.kind === 'map' ? there.value : { kind: 'map', place: entry.value.place, entries: new Map() }
    entries.set(keys[0]!, { key: there?.key ?? entry.key, value: withEntry(inner, keys.slice(1), entry) })
  }
  return { ...map, entries }
}
