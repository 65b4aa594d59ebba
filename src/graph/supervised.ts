// Extensions that run on the supervisor instead of in a shard, because they must answer while a shard cannot.
//
// Such an extension's folder has, next to factory.ts, a supervise.ts with `supervise`. The factory still decodes its
// configuration in the usual way; the supervisor then runs supervise() once, and no shard runs create().

import type { HeapInfo } from 'node:v8'
import type { Logger } from '../self/log.ts'
import type { Meter } from '../self/meter.ts'
import type { Clock } from './clock.ts'
import type { BuildInfo, ComponentKind, Extension, ExtensionContext, PipelineView, Status } from './component.ts'
import type { PipelineTotals } from './pipeline.ts'

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
  /** What it had counted when it last reported, since it was started. */
  readonly pipelines: readonly PipelineTotals[]
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

/** A thread of the router: a shard by its number, or the main thread. */
export type ThreadName = number | 'supervisor'

export type ProfileSubject =
  /** Where processor time goes, a sample every so often. */
  | { readonly kind: 'cpu'; readonly intervalMs: number }
  /** What is allocated meanwhile and stays; with `garbage` what went, too. */
  | { readonly kind: 'heap'; readonly garbage: boolean }

export interface ThreadUsage {
  readonly heap: HeapInfo
  readonly cpuSeconds: number
}

/** Why a thread could not be looked into. */
export class ThreadError extends Error {
  /** `unavailable`: it does not run, or does not let itself be interrupted. */
  readonly reason: 'unknown' | 'busy' | 'unavailable'

  constructor(reason: ThreadError['reason'], message: string) {
    super(message)
    this.name = 'ThreadError'
    this.reason = reason
  }
}

/**
 * What can be asked of a thread without its help, even while it is stuck in a loop. All of it rejects with a ThreadError
 * within seconds where the thread is not there, ends, or waits for the system.
 */
export interface Threads {
  /** One profile of a thread at a time, for `ms`, or until `signal` aborts. JSON as Chrome DevTools and speedscope read it. */
  profile(thread: ThreadName, subject: ProfileSubject, ms: number, signal: AbortSignal): Promise<string>
  usage(thread: ThreadName): Promise<ThreadUsage>
}

export interface SupervisorContext {
  readonly id: string
  readonly log: Logger
  readonly meter: Meter
  readonly clock: Clock
  readonly build: BuildInfo
  /** The pipelines of the plan that runs; every shard has them all. Changes with a reload. */
  readonly pipelines: readonly PipelineView[]
  /** Ids of all extensions of that plan, wherever they run. */
  readonly extensions: readonly string[]
  /** `fatal` stops the router. */
  report(status: Status, error?: Error): void
  /** An extension that runs on the supervisor because this one names it, such as its authenticator. */
  extension(id: string): Extension | undefined
  /** Cheap: what the supervisor knows now, without asking anybody. */
  health(): Health
  readonly router: RouterControl
  readonly threads: Threads
}

/** Start before the shards, stop after them. `pipelinesStarted` and `pipelinesStopping` are called as in a shard. */
export type Supervise<Config> = (config: Config, context: SupervisorContext) => Extension

/** For a shard without a supervisor, which a test may run: it answers for itself. */
export function withoutSupervisor(context: ExtensionContext, isReady = () => true): SupervisorContext {
  const { id, log, meter, clock, build, shard } = context
  const unavailable = (): Promise<never> => Promise.reject(new ThreadError('unavailable', 'there is no supervisor'))
  return {
    id,
    log,
    meter,
    clock,
    build,
    get pipelines() {
      return shard.pipelines
    },
    get extensions() {
      return shard.extensions
    },
    report: (status, error) => context.report(status, error),
    extension: (name) => context.extension(name),
    health: () => ({
      ready: isReady(),
      startedAtMs: shard.startedAtMs,
      shards: [{ index: 0, state: isReady() ? 'ready' : 'starting', components: shard.status(), pipelines: [] }],
    }),
    router: {
      reload: async () => ({ ok: false, problem: 'there is no supervisor' }),
      config: async () => '',
    },
    threads: { profile: unavailable, usage: unavailable },
  }
}
