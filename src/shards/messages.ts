// What the supervisor and a shard say to each other over their port. All of it is plain data.

import type { MessagePort } from 'node:worker_threads'
import type { ComponentKind, Status } from '../graph/component.ts'
import type { PipelineTotals } from '../graph/pipeline.ts'
import type { Changes } from '../graph/run.ts'
import type { Snapshot } from '../self/snapshot.ts'
import type { SlowTrace } from '../ui/slowest-trace.ts'
import type { ShardPlan } from './worker.ts'

/** One end of a way to another shard (link.ts). */
export interface LinkEnd {
  readonly shard: number
  readonly port: MessagePort
}

export interface ComponentStatus {
  readonly kind: ComponentKind
  readonly id: string
  readonly status: Status
  readonly error?: string
}

/** A shard's answer to `look`. */
export interface ShardLook {
  readonly pipelines: readonly PipelineTotals[]
  readonly components: readonly ComponentStatus[]
  readonly metrics: Snapshot | undefined
  readonly slowest: SlowTrace | undefined
}

export type ToShard =
  /** Answered by `look` with the same number, as soon as the shard's event loop comes round: the heartbeat, too. */
  | { readonly kind: 'look'; readonly number: number; readonly metrics: boolean }
  /** Go over to this plan while batches pass. Answered by `reloaded` with the same number. */
  | { readonly kind: 'reload'; readonly number: number; readonly next: ShardPlan; readonly drainMs: number }
  /** Another shard runs, for the first time or again: the way to it. The port is transferred. */
  | { readonly kind: 'link'; readonly end: LinkEnd }
  /** All shards have come to that meeting point on the way to their end. */
  | { readonly kind: 'go on'; readonly point: number }
  /** Drain for at most that long, then end. */
  | { readonly kind: 'stop'; readonly drainMs: number }

/** How a shard took another plan. `broken`: it did not, and cannot go on with the one before either. */
export type ShardReload =
  | { readonly outcome: 'ok'; readonly changes: Changes }
  | { readonly outcome: 'refused' | 'broken'; readonly message: string }

export type FromShard =
  | { readonly kind: 'ready' }
  /** The graph could not be started; the thread ends. */
  | { readonly kind: 'failed'; readonly message: string }
  | { readonly kind: 'look'; readonly number: number; readonly look: ShardLook }
  | { readonly kind: 'reloaded'; readonly number: number; readonly result: ShardReload }
  /** On the way to its end it waits for the others at this meeting point, counted from 1. */
  | { readonly kind: 'met'; readonly point: number }
  | { readonly kind: 'fatal'; readonly id: string; readonly message: string }
  | { readonly kind: 'stopped'; readonly look: ShardLook }
