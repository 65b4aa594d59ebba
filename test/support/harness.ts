// Runs one component by itself: its own typed configuration, a clock and chance that the test owns, what it sends and
// counts in sight. Whatever a test leaves running is stopped at its end.

import type { TestContext } from 'node:test'
import type { Schema } from '../../src/config/schema.ts'
import { parseConfig } from '../../src/config/testing.ts'
import { Delivery } from '../../src/delivery/delivery.ts'
import type { DeliveryError } from '../../src/delivery/error.ts'
import type {
  BuildInfo,
  ComponentContext,
  ComponentKind,
  ConnectorFactory,
  Exporter,
  ExporterFactory,
  Extension,
  ExtensionFactory,
  Output,
  ProcessorFactory,
  Receiver,
  ReceiverFactory,
  Relief,
  ShardPlace,
  ShardView,
  Status,
} from '../../src/graph/component.ts'
import { ONLY_SHARD } from '../../src/graph/component.ts'
import { type Supervise, type SupervisorContext, withoutSupervisor } from '../../src/graph/supervised.ts'
import { Batch, type ClientInfo, NO_CLIENT } from '../../src/otlp/batch.ts'
import { checkRequest } from '../../src/otlp/check.ts'
import { jsonToBytes } from '../../src/otlp/json/index.ts'
import { SIGNALS, type Signal } from '../../src/otlp/signal.ts'
import type { LogFields, Logger } from '../../src/self/log.ts'
import { MeterRegistry } from '../../src/self/meter-registry.ts'
import { FakeClock } from './fake-clock.ts'

export const BUILD: BuildInfo = { command: 'millrace', description: 'Millrace', version: '0.0.0-test' }

export interface LogLine {
  readonly level: 'debug' | 'info' | 'warn' | 'error'
  readonly message: string
  readonly fields: LogFields
}

export function memoryLogger(lines: LogLine[] = [], fields: LogFields = {}): Logger {
  const at =
    (level: LogLine['level']) =>
    (message: string, more: LogFields = {}): void => {
      lines.push({ level, message, fields: { ...fields, ...more } })
    }
  return {
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
    enabled: () => true,
    with: (more) => memoryLogger(lines, { ...fields, ...more }),
  }
}

/** What became of a batch that a test made. */
export interface Fate {
  accepted: boolean
  delivered: boolean
  refused: DeliveryError | undefined
}

/** A delivery record that writes what it hears into a Fate; with `waits`, of a sender that waits for delivery. */
export function witness(waits = false): { delivery: Delivery; fate: Fate } {
  const fate: Fate = { accepted: false, delivered: false, refused: undefined }
  const listener = {
    onAccepted: () => {
      fate.accepted = true
    },
    onDelivered: () => {
      fate.delivered = true
    },
    onRefused: (error: DeliveryError) => {
      fate.refused = error
    },
  }
  return { delivery: new Delivery(listener, waits), fate }
}

/** The list that an OTLP/JSON request of a signal is. */
export const REQUEST_KEY = {
  traces: 'resourceSpans',
  metrics: 'resourceMetrics',
  logs: 'resourceLogs',
  profiles: 'resourceProfiles',
} as const satisfies Record<Signal, string>

// Names that nobody knows are skipped, as OTLP/JSON asks for: a test that misspells one would push nothing at all.
function checkKeys(signal: Signal, request: object): void {
  const keys = Object.keys(request)
  if (keys.length === 0 || keys.includes(REQUEST_KEY[signal])) return
  const other = SIGNALS.find((s) => keys.includes(REQUEST_KEY[s]))
  if (other !== undefined) throw new Error(`a request of ${other} in a test of ${signal}: write { signal: '${other}' }`)
  throw new Error(`a request of ${signal} begins { ${REQUEST_KEY[signal]}: [...] }; this one has ${keys.join(', ')}`)
}

/** A batch of one encoded request, or of the request that an OTLP/JSON object (or text) describes. */
export function batchOf(
  signal: Signal,
  request: Uint8Array | object | string,
  delivery = Delivery.none(),
  client: ClientInfo = NO_CLIENT,
): Batch {
  if (typeof request === 'object' && !(request instanceof Uint8Array)) checkKeys(signal, request)
  const bytes =
    request instanceof Uint8Array
      ? request
      : jsonToBytes(signal, typeof request === 'string' ? request : JSON.stringify(request))
  return new Batch(signal, [bytes], checkRequest(signal, bytes), delivery, client)
}

export interface Rig {
  /** Stands at 2026-01-01T00:00:00Z until the test says `advance`. */
  readonly clock: FakeClock
  readonly logs: LogLine[]
  readonly statuses: { readonly status: Status; readonly error: Error | undefined }[]
  /** The value of a series by name (without `otelcol_`) and some of its labels; undefined when it does not exist. */
  metric(name: string, labels?: Record<string, string>): number | undefined
  context(kind: ComponentKind, id: string): ComponentContext
}

/** `extensions` are what ctx.extension finds. */
export function rig(
  options: {
    seed?: number
    extensions?: Record<string, Extension>
    gates?: readonly string[]
    shards?: ShardPlace
  } = {},
): Rig {
  const clock = new FakeClock()
  const logs: LogLine[] = []
  const statuses: { status: Status; error: Error | undefined }[] = []
  const meters = new MeterRegistry('detailed')
  let seed = options.seed ?? 1
  return {
    clock,
    logs,
    statuses,
    metric(name, labels = {}) {
      if (name.startsWith('otelcol_'))
        throw new Error(`write ${name.slice(8)}: components name series without otelcol_`)
      const metric = meters.snapshot().metrics.find((m) => m.name === name)
      const series =
        metric?.series.filter((s) => Object.entries(labels).every(([key, value]) => s.labels[key] === value)) ?? []
      return series.length === 0 ? undefined : series.reduce((sum, s) => sum + s.value, 0)
    },
    context: (kind, id) => ({
      kind,
      id,
      log: memoryLogger(logs),
      meter: meters.component(kind, id),
      clock,
      random: () => {
        seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0
        return seed / 2 ** 32
      },
      build: BUILD,
      gates: new Set(options.gates),
      shards: options.shards ?? ONLY_SHARD,
      report: (status, error) => statuses.push({ status, error }),
      extension: (name) => options.extensions?.[name],
    }),
  }
}

const stopAtEnd = (t: TestContext, component: { stop?(deadline: AbortSignal): unknown }): void =>
  t.after(async () => {
    await component.stop?.(AbortSignal.abort())
  })

/** An output that keeps what it gets. With `settle`, each batch is delivered or refused at once. */
export function sink(settle?: 'deliver' | DeliveryError): Output & { readonly sent: Batch[] } {
  const sent: Batch[] = []
  return {
    sent,
    send(batch) {
      sent.push(batch)
      if (settle === 'deliver') batch.delivery.deliver()
      else if (settle !== undefined) batch.delivery.refuse(settle)
    },
  }
}

/**
 * A processor or a connector, started. `push` hands it a request and tells its fate; `sent` is what it passed on, in
 * words: JSON.parse(bytesToJson(signal, sent[0]!.parts)).
 *
 *   signal   which it is made for, default traces; `to` for a connector that changes it
 *   waits    senders wait for delivery: their pipeline answers when delivered
 *   settle   what becomes of all that it sends; without it the test settles `sent` itself, and no fate is decided
 */
export async function harness<C>(
  t: TestContext,
  factory: ProcessorFactory<C> | ConnectorFactory<C>,
  config: unknown = {},
  options: {
    signal?: Signal
    to?: Signal
    waits?: boolean
    settle?: 'deliver' | DeliveryError
    seed?: number
    id?: string
  } = {},
): Promise<
  Rig & {
    readonly sent: Batch[]
    push(request: Uint8Array | object | string, client?: ClientInfo): Fate
    stop(): Promise<void>
  }
> {
  const base = rig(options.seed === undefined ? {} : { seed: options.seed })
  const signal = options.signal ?? 'traces'
  const takes = factory.kind === 'processor' ? factory.signals : factory.pairs.map(({ from }) => from)
  if (!takes.includes(signal)) throw new Error(`${factory.type} takes ${takes.join(', ')}, not ${signal}`)
  const parsed = parseConfig(factory.config, config)
  const id = options.id ?? factory.type
  const component =
    factory.kind === 'processor'
      ? factory.create(parsed, { ...base.context('processor', id), signal, pipeline: signal })
      : factory.create(parsed, {
          ...base.context('connector', id),
          from: signal,
          to: options.to ?? signal,
          pipelines: new Map(),
        })
  const out = sink(options.settle)
  stopAtEnd(t, component)
  await component.start?.()
  return {
    ...base,
    sent: out.sent,
    push(request, client) {
      const { delivery, fate } = witness(options.waits)
      component.process(batchOf(signal, request, delivery, client), out)
      return fate
    },
    async stop() {
      await component.stop?.(AbortSignal.timeout(5_000))
    },
  }
}

/** An exporter, started. */
export async function exporterHarness<C>(
  t: TestContext,
  factory: ExporterFactory<C>,
  config: unknown = {},
  options: {
    signals?: readonly Signal[]
    id?: string
    extensions?: Record<string, Extension>
    gates?: readonly string[]
  } = {},
): Promise<
  Rig & {
    readonly exporter: Exporter
    push(signal: Signal, request: Uint8Array | object | string, client?: ClientInfo): Fate
    stop(): Promise<void>
  }
> {
  const base = rig({
    ...(options.gates === undefined ? {} : { gates: options.gates }),
    ...(options.extensions === undefined ? {} : { extensions: options.extensions }),
  })
  const exporter = factory.create(parseConfig(factory.config, config), {
    ...base.context('exporter', options.id ?? factory.type),
    signals: options.signals ?? factory.signals,
  })
  stopAtEnd(t, exporter)
  await exporter.start?.()
  return {
    ...base,
    exporter,
    push(signal, request, client) {
      const { delivery, fate } = witness()
      exporter.export(batchOf(signal, request, delivery, client))
      return fate
    },
    async stop() {
      await exporter.stop?.(AbortSignal.timeout(5_000))
    },
  }
}

/** A receiver, started, with an output for each of `signals`. */
export async function receiverHarness<C>(
  t: TestContext,
  factory: ReceiverFactory<C>,
  config: unknown = {},
  options: {
    signals?: readonly Signal[]
    out?: Output
    id?: string
    gates?: readonly string[]
    extensions?: Record<string, Extension>
    relief?: Relief
  } = {},
): Promise<Rig & { readonly receiver: Receiver; readonly sent: Batch[]; stop(): Promise<void> }> {
  const base = rig({
    ...(options.gates === undefined ? {} : { gates: options.gates }),
    ...(options.extensions === undefined ? {} : { extensions: options.extensions }),
  })
  const out = sink('deliver')
  const output = options.out ?? out
  const signals = options.signals ?? factory.signals
  const outputs = Object.fromEntries(SIGNALS.filter((s) => signals.includes(s)).map((s) => [s, output]))
  const receiver = await factory.create(parseConfig(factory.config, config), {
    ...base.context('receiver', options.id ?? factory.type),
    outputs,
    ...(options.relief === undefined ? {} : { relief: options.relief }),
  })
  stopAtEnd(t, receiver)
  await receiver.start?.()
  return {
    ...base,
    receiver,
    sent: out.sent,
    async stop() {
      await receiver.stop?.(AbortSignal.timeout(5_000))
    },
  }
}

/** An extension, started, in a shard that runs nothing. */
export async function extensionHarness<C>(
  t: TestContext,
  factory: ExtensionFactory<C>,
  config: unknown = {},
  shard: Partial<ShardView> = {},
  shards: ShardPlace = ONLY_SHARD,
): Promise<Rig & { readonly extension: Extension }> {
  const base = rig({ shards })
  const view: ShardView = {
    startedAtMs: base.clock.now(),
    pipelines: [],
    extensions: [factory.type],
    status: () => [],
    ...shard,
  }
  const extension = factory.create(parseConfig(factory.config, config), {
    ...base.context('extension', factory.type),
    shard: view,
  })
  stopAtEnd(t, extension)
  await extension.start?.()
  return { ...base, extension }
}

/** An extension as the supervisor runs it, started; `parts` are what the test itself has to tell it. */
export async function supervisedHarness<C>(
  t: TestContext,
  { supervise, config: schema }: { readonly supervise: Supervise<C>; readonly config: Schema<C> },
  config: unknown = {},
  parts: Partial<SupervisorContext> = {},
): Promise<Rig & { readonly extension: Extension; get(path: string, init?: RequestInit): Promise<Response> }> {
  const base = rig()
  const context = withoutSupervisor({
    ...base.context('extension', 'x'),
    shard: { startedAtMs: base.clock.now(), pipelines: [], extensions: [], status: () => [] },
  })
  const extension = supervise(parseConfig(schema, config), { ...context, ...parts })
  stopAtEnd(t, extension)
  await extension.start?.()
  const endpoint = base.logs.find((line) => line.message.endsWith(' listens.'))?.fields.endpoint
  return { ...base, extension, get: (path, init) => fetch(`http://${endpoint}${path}`, init) }
}
