// The configuration that the contract suite gives each component: the example of its README, with what a test must own
// (ports, paths) put in its place.

import { readFileSync } from 'node:fs'
import { parse } from 'yaml'
import type { ComponentKind } from '../../src/graph/component.ts'
import type { Signal } from '../../src/otlp/signal.ts'

const SECTION = {
  receiver: 'receivers',
  processor: 'processors',
  exporter: 'exporters',
  connector: 'connectors',
  extension: 'extensions',
} as const satisfies Record<ComponentKind, string>

export const folderOf = (kind: ComponentKind, type: string): string =>
  new URL(`../../src/${SECTION[kind]}/${type}/`, import.meta.url).pathname

export const readmeOf = (kind: ComponentKind, type: string): string =>
  readFileSync(`${folderOf(kind, type)}README.md`, 'utf8')

/** Every YAML block of a README that has the component's section in it. */
export function examplesOf(kind: ComponentKind, type: string): unknown[] {
  const blocks = [...readmeOf(kind, type).matchAll(/```yaml\n([\s\S]*?)```/g)].map((m) => parse(m[1]!))
  return blocks.flatMap((block) => {
    const section = block?.[SECTION[kind]] as Record<string, unknown> | undefined
    if (section === undefined) return []
    return Object.entries(section).flatMap(([id, config]) => (id.split('/')[0] === type ? [config ?? {}] : []))
  })
}

/**
 * What replaces parts of the first example, so that suites can run side by side. `folder` is the test's own; the pipeline
 * behind a connector is named after the signal.
 */
const OWNED: Record<string, (folder: string, signal: Signal) => Record<string, unknown>> = {
  'receiver otlp': () => ({ protocols: { grpc: { endpoint: '127.0.0.1:0' }, http: { endpoint: '127.0.0.1:0' } } }),
  // Nobody listens there, and it goes on trying.
  'receiver mqtt': () => ({ brokers: ['mqtt://127.0.0.1:1'] }),
  // Nobody listens there: an exporter must settle what it cannot send.
  'exporter otlp_grpc': () => ({
    endpoint: '127.0.0.1:1',
    tls: { insecure: true },
    retry_on_failure: { enabled: false },
  }),
  'exporter otlp_http': () => ({
    endpoint: 'http://127.0.0.1:1',
    tls: { insecure: true },
    retry_on_failure: { enabled: false },
  }),
  'exporter influxdb': () => ({ endpoint: 'http://127.0.0.1:1', retry_on_failure: { enabled: false } }),
  'exporter jaeger': () => ({
    endpoint: '127.0.0.1:1',
    tls: { insecure: true },
    retry_on_failure: { enabled: false },
  }),
  'exporter elasticsearch': () => ({ endpoints: ['http://127.0.0.1:1'], retry: { enabled: false } }),
  'exporter mqtt': () => ({ brokers: ['mqtt://127.0.0.1:1'], retry_on_failure: { enabled: false } }),
  'exporter load_balancing': () => ({
    protocol: { otlp: { tls: { insecure: true }, retry_on_failure: { enabled: false } } },
    resolver: { static: { hostnames: ['127.0.0.1:1', '127.0.0.1:2'] } },
  }),
  // What is dropped is delivered, whatever comes behind.
  'processor probabilistic_sampler': () => ({ sampling_percentage: 100, fail_closed: false }),
  'connector failover': (_, signal) => ({ priority_levels: [[signal]] }),
  'exporter file': (folder) => ({ path: `${folder}/out.jsonl` }),
  'exporter debug': (folder) => ({ use_internal_logger: false, output_paths: [`${folder}/debug.txt`] }),
  'extension admin': () => ({ endpoint: '127.0.0.1:0' }),
  'extension file_storage': (folder) => ({ directory: `${folder}/storage` }),
  // Nobody answers there either.
  'extension oidc': () => ({ providers: [{ issuer_url: 'http://127.0.0.1:1', audience: 'telemetry' }] }),
  'extension health_check': () => ({ endpoint: '127.0.0.1:0' }),
  'extension pprof': () => ({ endpoint: '127.0.0.1:0' }),
  'extension zpages': () => ({ endpoint: '127.0.0.1:0' }),
}

export function configFor(kind: ComponentKind, type: string, folder: string, signal: Signal): unknown {
  const [example = {}] = examplesOf(kind, type)
  return { ...(example as object), ...OWNED[`${kind} ${type}`]?.(folder, signal) }
}
