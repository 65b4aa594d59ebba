// Extensions that run on the supervisor instead of in a shard, because they must answer while a shard cannot.
//
// Such an extension's folder has, next to factory.ts, a supervise.ts with `supervise`. The factory still decodes its
// configuration in the usual way; the supervisor then runs supervise() once, and no shard runs create().

import type { Logger } from '../self/log.ts'
import type { Meter } from '../self/meter.ts'
import type { Clock } from './clock.ts'
import type { BuildInfo, ComponentKind, Extension, PipelineView, Status } from './component.ts'

export type ShardHealthState = 'starting' | 'ready' | 'stuck' | 'dead' | 'stopping' | 'stopped'

export interface ComponentHealth {
  readonly kind: ComponentKind
  readonly id: string
  readonly status: Status
  readonly error?: string
}

export interface ShardHealth {
  readonly index: number
  readonly state: ShardHealthState
  /** As the shard last reported them; empty before its first answer. */
  readonly components: readonly ComponentHealth[]
}

/** What became of a reload. */
export type ReloadResult =
  | {
      readonly ok: true
      /** Names of components, as `receiver otlp`. */
      readonly kept: readonly string[]
      readonly started: readonly string[]
      readonly stopped: readonly string[]
    }
  /** What is wrong, in the words and lines that the log has. The configuration before runs on. */
  | { readonly ok: false; readonly problem: string }

/** The last reload; absent before the first one. */
export interface LastReload {
  /** When it ended, in milliseconds since 1970. */
  readonly atMs: number
  readonly result: ReloadResult
}

export interface Health {
  /** True between the moment when every shard's pipelines run and the moment when stopping begins. */
  readonly ready: boolean
  /** When the router last became ready (or was started, before that), in milliseconds since 1970. */
  readonly startedAtMs: number
  readonly shards: readonly ShardHealth[]
  readonly lastReload?: LastReload | undefined
}

/** What the router does for extensions that steer it. */
export interface RouterControl {
  /** Reads the configuration again. Never rejects. */
  reload(): Promise<ReloadResult>
  /** The configuration that runs as YAML, with all defaults and without secrets. */
  config(): Promise<string>
}

export interface SupervisorContext {
  readonly id: string
  readonly log: Logger
  readonly meter: Meter
  readonly clock: Clock
  readonly build: BuildInfo
  /** The pipelines of the plan that runs; every shard has them all. Changes with a reload. */
  readonly pipelines: readonly PipelineView[]
  /** `fatal` stops the router. */
  report(status: Status, error?: Error): void
  /** An extension that runs on the supervisor because this one names it, such as its authenticator. */
  extension(id: string): Extension | undefined
  /** Cheap: what the supervisor knows now, without asking anybody. */
  health(): Health
  readonly router: RouterControl
}

/** Start before the shards, stop after them. `pipelinesStarted` and `pipelinesStopping` are called as in a shard. */
export type Supervise<Config> = (config: Config, context: SupervisorContext) => Extension
