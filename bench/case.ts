// What a case of the harness is: a configuration file and what is sent through it. A case is a file in cases/, and its name
// is the file's.
//
//   load --(protocol, format, compression)--> router with the case's file --> sink
//
// The file is written once and given to every program as it is, so it may say only what all of them understand.

import type { Encoding, Format, Protocol } from './rig/load.ts'
import type { Signal } from './rig/payloads.ts'

export interface BenchCase {
  /** One line for --list. */
  readonly summary: string
  /** Traces by default. */
  readonly signal?: Signal
  /** What both sides speak, unless --protocol says otherwise; gRPC by default. */
  readonly protocol?: Protocol
  /** Where a side speaks always the same, whatever --protocol says. */
  readonly input?: Protocol
  readonly output?: Protocol
  /** Of what comes in; protobuf by default. JSON comes over HTTP. */
  readonly format?: Format
  /** Of both sides, unless --compression says otherwise; none by default. */
  readonly compression?: Encoding
  /** Of each item, unless --attributes says otherwise: ten by default, and then an item has some 430 bytes; with four 200. */
  readonly attributes?: number
  /** Items in a request: a row for each, unless --items says otherwise. 1000 by default. */
  readonly items?: readonly number[]
  /**
   * Items a second, by the items in a request, unless --rate says otherwise; as fast as answers come by default. A router
   * with a queue answers before the sink has, so without a rate the load runs ahead of it until something refuses.
   */
  readonly rate?: (items: number) => number
  /** What the sink takes; all by default. */
  readonly sinkItemsPerSecond?: number
  /** How long a run lasts, unless --duration says otherwise. */
  readonly durationMs?: number
  /** Before it, unless --warm-up says otherwise: what compiles while it runs is slow to do so at a low rate. */
  readonly warmUpMs?: number
  readonly repeats?: number
  /** The same with something different in the file: names, and words for --list. A row for each. */
  readonly variants?: Readonly<Record<string, string>>
  /** Programs that cannot run it, and of which variants, for example `{ otelcol: 'all' }`; none by default. */
  readonly notFor?: Readonly<Record<string, 'all' | readonly string[]>>
  /** By variant, which share of the items comes to the sink, about; all of them by default. */
  readonly kept?: Readonly<Record<string, number>>
  /** How many times the sink gets each item; 1 by default. Each copy goes to a lane of its own. */
  readonly copies?: number
  /** Of gRPC; one by default. */
  readonly connections?: number
  /** The YAML, in the places of which the harness has filled in addresses. */
  readonly file: (wiring: Wiring) => string
}

export const defineCase = (definition: BenchCase): BenchCase => definition

export function canRun(program: string, { notFor }: BenchCase, variant: string): boolean {
  const without = notFor?.[program] ?? []
  return without !== 'all' && !without.includes(variant)
}

/** What the harness knows and the file needs, as pieces of YAML in flow style. */
export interface Wiring {
  readonly signal: Signal
  readonly variant: string
  /** Settings of an `otlp` receiver. */
  readonly receiver: string
  /** `otlp_grpc` or `otlp_http`. */
  readonly exporterType: string
  /** Settings of an exporter of that type; without a queue by default. `lane` is which copy it sends. */
  exporter(options?: { readonly queue?: string; readonly lane?: number }): string
  /** `service.telemetry`: warnings only, and a Prometheus page. */
  readonly telemetry: string
}

export interface Ports {
  readonly input: number
  readonly metrics: number
  /** Of the sink, by lane. */
  readonly output: readonly number[]
}

export interface WiringOptions {
  readonly signal: Signal
  readonly variant: string
  readonly input: Protocol
  readonly output: Protocol
  readonly compression: Encoding
}

export function wire(options: WiringOptions, ports: Ports): Wiring {
  const { signal, variant, input, output, compression } = options
  const scheme = output === 'grpc' ? '' : 'http://'
  return {
    signal,
    variant,
    receiver: `{ protocols: { ${input}: { endpoint: "127.0.0.1:${ports.input}" } } }`,
    exporterType: output === 'grpc' ? 'otlp_grpc' : 'otlp_http',
    exporter: ({ queue = '{ enabled: false }', lane = 0 } = {}) =>
      `{ endpoint: "${scheme}127.0.0.1:${ports.output[lane]}", compression: ${compression}, ` +
      `tls: { insecure: true }, sending_queue: ${queue} }`,
    telemetry:
      '{ logs: { level: warn }, metrics: { readers: [ { pull: { exporter: { prometheus: ' +
      `{ host: 127.0.0.1, port: ${ports.metrics} } } } } ] } }`,
  }
}
