// Every component there is, written out by hand. A component's code is loaded when a configuration names it.
//
// Kind, type and aliases stand here as well as in the factory, so that a configuration can be checked without loading
// everything; test/contract compares the two.

import type { AnyFactory, ComponentKind } from './component.ts'
import type { Supervise } from './supervised.ts'

export interface RegistryEntry {
  readonly kind: ComponentKind
  readonly type: string
  /** Older spellings, accepted with one warning each. */
  readonly aliases: readonly string[]
  load(): Promise<AnyFactory>
  /** Present where the supervisor runs the extension instead of the shards. */
  readonly supervise?: () => Promise<Supervise<never>>
}

const entry = (
  kind: ComponentKind,
  type: string,
  aliases: readonly string[],
  module: () => Promise<{ readonly factory: AnyFactory }>,
): RegistryEntry => ({ kind, type, aliases, load: async () => (await module()).factory })

export const registry: readonly RegistryEntry[] = [
  entry('receiver', 'mqtt', [], () => import('../receivers/mqtt/factory.ts')),
  entry('receiver', 'nop', [], () => import('../receivers/nop/factory.ts')),
  entry('receiver', 'otlp', [], () => import('../receivers/otlp/factory.ts')),
  entry('receiver', 'plant_simulator', [], () => import('../receivers/plant_simulator/factory.ts')),

  entry('processor', 'attributes', [], () => import('../processors/attributes/factory.ts')),
  entry('processor', 'batch', [], () => import('../processors/batch/factory.ts')),
  entry('processor', 'memory_limiter', [], () => import('../processors/memory_limiter/factory.ts')),
  entry('processor', 'probabilistic_sampler', [], () => import('../processors/probabilistic_sampler/factory.ts')),
  entry('processor', 'resource', [], () => import('../processors/resource/factory.ts')),

  entry('exporter', 'debug', [], () => import('../exporters/debug/factory.ts')),
  entry('exporter', 'elasticsearch', [], () => import('../exporters/elasticsearch/factory.ts')),
  entry('exporter', 'file', [], () => import('../exporters/file/factory.ts')),
  entry('exporter', 'influxdb', [], () => import('../exporters/influxdb/factory.ts')),
  entry('exporter', 'jaeger', [], () => import('../exporters/jaeger/factory.ts')),
  entry('exporter', 'load_balancing', ['loadbalancing'], () => import('../exporters/load_balancing/factory.ts')),
  entry('exporter', 'mqtt', [], () => import('../exporters/mqtt/factory.ts')),
  entry('exporter', 'nop', [], () => import('../exporters/nop/factory.ts')),
  entry('exporter', 'otlp_grpc', ['otlp'], () => import('../exporters/otlp_grpc/factory.ts')),
  entry('exporter', 'otlp_http', ['otlphttp'], () => import('../exporters/otlp_http/factory.ts')),
  entry('exporter', 'prometheus', [], () => import('../exporters/prometheus/factory.ts')),
  entry(
    'exporter',
    'prometheus_remote_write',
    ['prometheusremotewrite'],
    () => import('../exporters/prometheus_remote_write/factory.ts'),
  ),

  entry('connector', 'failover', [], () => import('../connectors/failover/factory.ts')),
  entry('connector', 'forward', [], () => import('../connectors/forward/factory.ts')),

  entry('extension', 'basicauth', ['basic_auth'], () => import('../extensions/basicauth/factory.ts')),
  entry(
    'extension',
    'bearertokenauth',
    ['bearer_token_auth'],
    () => import('../extensions/bearertokenauth/factory.ts'),
  ),
  entry('extension', 'file_storage', [], () => import('../extensions/file_storage/factory.ts')),
  {
    ...entry('extension', 'admin', [], () => import('../extensions/admin/factory.ts')),
    supervise: async () => (await import('../extensions/admin/supervise.ts')).supervise,
  },
  entry('extension', 'headers_setter', [], () => import('../extensions/headers_setter/factory.ts')),
  entry('extension', 'mqtt_broker', [], () => import('../extensions/mqtt_broker/factory.ts')),
  entry('extension', 'oauth2client', ['oauth2_client'], () => import('../extensions/oauth2client/factory.ts')),
  entry('extension', 'oidc', [], () => import('../extensions/oidc/factory.ts')),
  {
    ...entry('extension', 'health_check', [], () => import('../extensions/health_check/factory.ts')),
    supervise: async () => (await import('../extensions/health_check/supervise.ts')).supervise,
  },
  {
    ...entry('extension', 'pprof', [], () => import('../extensions/pprof/factory.ts')),
    supervise: async () => (await import('../extensions/pprof/supervise.ts')).supervise,
  },
  {
    ...entry('extension', 'zpages', [], () => import('../extensions/zpages/factory.ts')),
    supervise: async () => (await import('../extensions/zpages/supervise.ts')).supervise,
  },
]

/** The entry that a type or one of its older spellings names. */
export function findEntry(kind: ComponentKind, type: string): RegistryEntry | undefined {
  return registry.find((e) => e.kind === kind && (e.type === type || e.aliases.includes(type)))
}
