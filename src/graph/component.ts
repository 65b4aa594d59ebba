// The contract that every component fulfils: what it is given, what it gives, and when it is called.
//
//   create()   cheap, opens nothing, may throw a ConfigError for what the schema cannot say
//   start()    opens sockets, files, timers; exporters before receivers
//   process()  / export(): passes on or settles every batch exactly once, now or later; never throws for bad data
//   stop()     flushes what is held, settles it, closes everything before the deadline aborts; safe before start()
//              and when called twice

import type { ExtensionRole } from '../config/extension-references.ts'
import type { Schema } from '../config/schema.ts'
import type { Batch } from '../otlp/batch.ts'
import type { ShardKey } from '../otlp/shard-key.ts'
import type { Signal } from '../otlp/signal.ts'
import type { Logger } from '../self/log.ts'
import type { Meter } from '../self/meter.ts'
import type { Clock } from './clock.ts'

export type ComponentKind = 'receiver' | 'processor' | 'exporter' | 'connector' | 'extension'
export const COMPONENT_KINDS = ['receiver', 'processor', 'exporter', 'connector', 'extension'] as const

/** Where a batch goes next. Taking a batch means taking over its delivery record. */
export interface Output {
  send(batch: Batch): void
}

export interface Lifecycle {
  start?(): Promise<void> | void
  /** `deadline` aborts when the time for draining is over: settle what is left as refused and close. */
  stop?(deadline: AbortSignal): Promise<void> | void
}

export interface Receiver extends Lifecycle {}

export interface Processor extends Lifecycle {
  process(batch: Batch, out: Output): void
}

export interface Exporter extends Lifecycle {
  export(batch: Batch): void
}

/** The end of one pipeline and the start of others; `out` fans out to all pipelines that read from it. */
export interface Connector extends Lifecycle {
  process(batch: Batch, out: Output): void
}

/** `pipelinesStarted` and `pipelinesStopping` frame the time in which every pipeline runs. */
export interface Extension extends Lifecycle {
  pipelinesStarted?(): void
  pipelinesStopping?(): void
}

/** What the router is, for User-Agent, service.version and health pages. */
export interface BuildInfo {
  readonly command: string
  readonly description: string
  readonly version: string
}

/** What a component reports about itself; `fatal` stops the router (Collector reference 1.1). */
export type Status = 'starting' | 'ok' | 'recoverable' | 'permanent' | 'fatal' | 'stopping' | 'stopped'

/**
 * Which of the router's shards this is. Each of them runs every component; one that the plan puts into a single shard is
 * told that it is the only one.
 */
export interface ShardPlace {
  /** From 0. */
  readonly index: number
  readonly count: number
  /** Each listens on the same ports, and the system spreads connections; otherwise shard 0 listens for all of them. */
  readonly sharePorts: boolean
  /** None of the others runs yet: what holds a port that they are to share is a stranger. */
  readonly alone: boolean
  /** A UsageTable of the memory that they take; absent where there are no others. */
  readonly memory?: SharedArrayBuffer
}

export const ONLY_SHARD: ShardPlace = Object.freeze({ index: 0, count: 1, sharePorts: false, alone: true })

/** What one shard has of a bound that the configuration names for the whole router: at least 1. */
export const shareOf = (total: number, { count }: ShardPlace): number => Math.max(1, Math.ceil(total / count))

export interface ComponentContext {
  readonly kind: ComponentKind
  /** As the user wrote it, for example `otlp/2`; the value of the metric label named after the kind. */
  readonly id: string
  readonly log: Logger
  readonly meter: Meter
  readonly clock: Clock
  /** Uniform in [0, 1); seeded in tests. */
  readonly random: () => number
  readonly build: BuildInfo
  /** Feature gates that are on (src/config/gates.ts). */
  readonly gates: ReadonlySet<string>
  readonly shards: ShardPlace
  report(status: Status, error?: Error): void
  /** The running extension with that id, or undefined. Call it in start(), not in create(). */
  extension(id: string): Extension | undefined
}

/**
 * How the requests that come to a receiver are shared out when some shards have more to do than others: a connection stays
 * with the shard that the system gave it, what it carries need not.
 */
export interface Relief {
  /** The shard that should do what has just come; undefined: this one. */
  next(): number | undefined
  /**
   * Hands a request over as it came, and the bytes of its batch with it. The batch is settled when that shard has; refused,
   * to be sent again, when that shard dies. `note` is plain data for the receiver there.
   */
  hand(shard: number, batch: Batch, note: unknown): void
  /** From here on `take` gets what others hand over. Call it in start(). */
  serve(take: (batch: Batch, note: unknown) => void): void
}

export interface ReceiverContext extends ComponentContext {
  /** One output per signal that some pipeline takes from this receiver; the others are absent. */
  readonly outputs: Readonly<Partial<Record<Signal, Output>>>
  /** The pipelines that ReceiverFactory.apart names and that have this receiver, by name. */
  readonly apart?: ReadonlyMap<string, Output>
  /** Absent where there is one shard. */
  readonly relief?: Relief
}

export interface ProcessorContext extends ComponentContext {
  readonly signal: Signal
  /** The pipeline it stands in, for example `traces/2`. */
  readonly pipeline: string
}

export interface ExporterContext extends ComponentContext {
  /** The signals that pipelines send to this exporter. One instance per id serves them all. */
  readonly signals: readonly Signal[]
}

export interface ConnectorContext extends ComponentContext {
  readonly from: Signal
  readonly to: Signal
  /** The pipelines behind it, by name, for connectors that choose. It changes with a reload: look into it when you send. */
  readonly pipelines: ReadonlyMap<string, Output>
}

export interface ExtensionContext extends ComponentContext {
  /** What the whole shard knows of itself, for pages and health. */
  readonly shard: ShardView
}

/** Read-only facts about the running graph. */
export interface ShardView {
  readonly startedAtMs: number
  /** Pipelines by name with the ids in them. */
  readonly pipelines: readonly PipelineView[]
  readonly extensions: readonly string[]
  status(): readonly {
    readonly kind: ComponentKind
    readonly id: string
    readonly status: Status
    readonly error?: string
  }[]
}

export interface PipelineView {
  readonly name: string
  readonly signal: Signal
  readonly receivers: readonly string[]
  readonly processors: readonly string[]
  readonly exporters: readonly string[]
}

interface FactoryBase<Config> {
  /** The current type name, `lower_snake_case`. */
  readonly type: string
  /** Older spellings that are still accepted, each with one warning. */
  readonly aliases?: readonly string[]
  /** One sentence for `millrace components` and the README's first line. */
  readonly summary: string
  readonly stability?: 'development' | 'alpha' | 'beta' | 'stable'
  readonly config: Schema<Config>
  /**
   * Names of what only one instance can hold at a time, for example `file /out.jsonl`: a reload then stops the one that
   * holds it before it starts the one that wants it, and lets batches wait meanwhile. Ports and queues in a storage
   * extension (a key `storage`) need not be named. Of several shards only one has such a receiver or exporter.
   */
  exclusive?(config: Config): readonly string[]
  /** The same of what each shard can hold for itself, such as a client id with the shard's number. */
  exclusiveInShard?(config: Config): readonly string[]
}

export interface ReceiverFactory<Config = unknown> extends FactoryBase<Config> {
  readonly kind: 'receiver'
  readonly signals: readonly Signal[]
  /** Names of pipelines that get nothing of its outputs, only what it sends to them by name: for what it could not read. */
  apart?(config: Config): readonly string[]
  /** One instance per id, shared by all pipelines and signals that name it. */
  /** May load its code first: the supervisor reads the configuration of doors and never opens one. */
  create(config: Config, context: ReceiverContext): Receiver | Promise<Receiver>
}

export interface ProcessorFactory<Config = unknown> extends FactoryBase<Config> {
  readonly kind: 'processor'
  readonly signals: readonly Signal[]
  /** One instance per pipeline and id; with `shared`, one per id (memory_limiter). */
  readonly shared?: boolean
  /** What its state is divided by between shards; absent when it keeps none. */
  readonly key?: ShardKey
  create(config: Config, context: ProcessorContext): Processor
}

/**
 * Where a batch is once an exporter has settled it as delivered, or `memory` where it accepts batches before that: then
 * what is only in memory is lost with the process. `direct`: nothing is held, it is settled when it has been dealt with.
 */
export type Keeps = 'memory' | 'disk' | 'direct'

export interface ExporterFactory<Config = unknown> extends FactoryBase<Config> {
  readonly kind: 'exporter'
  readonly signals: readonly Signal[]
  /** `memory` where it is absent. */
  keeps?(config: Config): Keeps
  /** What must go out through one shard alone, in its order: the same key always does. Absent: each sends what comes to it. */
  readonly key?: ShardKey
  create(config: Config, context: ExporterContext): Exporter
}

export interface ConnectorFactory<Config = unknown> extends FactoryBase<Config> {
  readonly kind: 'connector'
  /** The pairs it can join, from the signal it takes to the signal it gives. */
  readonly pairs: readonly { readonly from: Signal; readonly to: Signal }[]
  /** What its state is divided by between shards; absent when it keeps none. */
  readonly key?: ShardKey
  create(config: Config, context: ConnectorContext): Connector
}

export interface ExtensionFactory<Config = unknown> extends FactoryBase<Config> {
  readonly kind: 'extension'
  /** What components may name it for, with this configuration; absent: they have nothing to ask of it. */
  roles?(config: Config): readonly ExtensionRole[]
  create(config: Config, context: ExtensionContext): Extension
}

export type AnyFactory =
  // biome-ignore-start lint/suspicious/noExplicitAny: a list of factories holds factories of every config type
  ReceiverFactory<any> | ProcessorFactory<any> | ExporterFactory<any> | ConnectorFactory<any> | ExtensionFactory<any>
// biome-ignore-end lint/suspicious/noExplicitAny: see above

type Defined<F extends { kind: ComponentKind }> = Omit<F, 'kind'>

export const defineReceiver = <C>(factory: Defined<ReceiverFactory<C>>): ReceiverFactory<C> => ({
  ...factory,
  kind: 'receiver',
})
export const defineProcessor = <C>(factory: Defined<ProcessorFactory<C>>): ProcessorFactory<C> => ({
  ...factory,
  kind: 'processor',
})
export const defineExporter = <C>(factory: Defined<ExporterFactory<C>>): ExporterFactory<C> => ({
  ...factory,
  kind: 'exporter',
})
export const defineConnector = <C>(factory: Defined<ConnectorFactory<C>>): ConnectorFactory<C> => ({
  ...factory,
  kind: 'connector',
})
export const defineExtension = <C>(factory: Defined<ExtensionFactory<C>>): ExtensionFactory<C> => ({
  ...factory,
  kind: 'extension',
})
