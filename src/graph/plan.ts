// Configuration to plan: which component stands where, who feeds whom, in which order they start. Pure data that a
// thread can be handed and `millrace graph` prints; rules of reference/otelcol-core.md 1.8.
//
//   receivers --> pipeline: steps (processors, exchanges) --> exporters
//                    ^                                   \--> connectors --+
//                    +----------------------------------------------------+
//
// One receiver, exporter and extension per id; one processor per pipeline and id (or per id where its factory says
// shared); one connector per id and pair of signals.

import type { ShardKey } from '../otlp/shard-key.ts'
import type { Signal } from '../otlp/signal.ts'
import type { Keeps, PipelineView } from './component.ts'
import type { AnswersWhen } from './pipeline.ts'

export interface PlanPipeline {
  /** As written, for example `traces/2`. */
  readonly name: string
  readonly signal: Signal
  readonly receivers: readonly string[]
  readonly processors: readonly string[]
  readonly exporters: readonly string[]
}

/** What the plan needs to know of a component; loaded configurations fit it as they are. */
export interface PlanComponent {
  readonly type: string
  readonly factory: {
    readonly kind: string
    readonly signals?: readonly Signal[]
    readonly pairs?: readonly { readonly from: Signal; readonly to: Signal }[]
    readonly shared?: boolean
    readonly key?: ShardKey
    keeps?(config: never): Keeps
    exclusive?(config: never): readonly string[]
  }
  readonly config?: unknown
}

export interface PlanInput {
  readonly receivers: ReadonlyMap<string, PlanComponent>
  readonly processors: ReadonlyMap<string, PlanComponent>
  readonly exporters: ReadonlyMap<string, PlanComponent>
  readonly connectors: ReadonlyMap<string, PlanComponent>
  readonly service: {
    readonly delivery?: 'auto' | AnswersWhen
    readonly extensions: readonly string[]
    readonly pipelines: readonly PlanPipeline[]
  }
}

export type Step =
  | { readonly kind: 'processor'; readonly id: string; readonly instance: string }
  /** Hands each part of a batch to the shard that owns its key. Stands only where there is more than one shard. */
  | { readonly kind: 'exchange'; readonly key: ShardKey; readonly to: string }

export interface Plan {
  readonly shards: number
  /** Each with the pipelines that it feeds, by signal. */
  readonly receivers: readonly {
    readonly id: string
    readonly feeds: Readonly<Partial<Record<Signal, readonly string[]>>>
    /** The only shard that has it. */
    readonly shard?: number
  }[]
  /** Those at the end of the flow first: the order in which their processors start. */
  readonly pipelines: readonly {
    readonly name: string
    readonly signal: Signal
    readonly receivers: readonly string[]
    readonly steps: readonly Step[]
    readonly exporters: readonly string[]
    /** Instances of connectors that end this pipeline. */
    readonly connectors: readonly string[]
    readonly answersWhen: AnswersWhen
  }[]
  readonly connectors: readonly {
    readonly instance: string
    readonly id: string
    readonly from: Signal
    readonly to: Signal
    readonly feeds: readonly string[]
    /** There is an exchange in front of it. */
    readonly key?: ShardKey
  }[]
  readonly exporters: readonly {
    readonly id: string
    readonly signals: readonly Signal[]
    /** The only shard that has it, where not every one can hold what it holds; the others hand over to it. */
    readonly shard?: number
    /** There is an exchange in front of it. */
    readonly key?: ShardKey
  }[]
  readonly extensions: readonly string[]
}

/** Something about the graph that cannot be; `path` leads to the keys in the configuration that say so. */
export interface PlanProblem {
  readonly code: 'GRAPH_SIGNAL' | 'GRAPH_CONNECTOR' | 'GRAPH_CYCLE'
  readonly path: readonly string[]
  readonly what: string
  readonly fix: string
}

/** The plan, or every problem in its way. `shards` is at least 1. */
export function makePlan(input: PlanInput, shards = 1): { plan: Plan; problems: PlanProblem[] } {
  const problems: PlanProblem[] = []
  const { pipelines } = input.service
  checkSignals(input, problems)
  const connectors = joinConnectors(input, problems, shards)
  const order = sortPipelines(pipelines, connectors, problems)

  const receivers = new Map<string, Partial<Record<Signal, string[]>>>()
  const exporters = new Map<string, Signal[]>()
  for (const pipeline of pipelines) {
    for (const id of pipeline.receivers) {
      if (input.connectors.has(id)) continue
      const feeds = receivers.get(id) ?? {}
      receivers.set(id, feeds)
      ;(feeds[pipeline.signal] ??= []).push(pipeline.name)
    }
    for (const id of pipeline.exporters) {
      if (input.connectors.has(id)) continue
      const signals = exporters.get(id) ?? []
      exporters.set(id, signals)
      if (!signals.includes(pipeline.signal)) signals.push(pipeline.signal)
    }
  }

  const plan: Plan = {
    shards,
    receivers: [...receivers].map(([id, feeds], i) => ({ id, feeds, ...placed(input.receivers.get(id), i, shards) })),
    pipelines: order.map((pipeline) => ({
      name: pipeline.name,
      signal: pipeline.signal,
      receivers: pipeline.receivers,
      steps: pipeline.processors.flatMap((id) => stepsOf(id, pipeline, input, shards)),
      exporters: pipeline.exporters.filter((id) => !input.connectors.has(id)),
      connectors: connectors
        .filter((c) => c.from === pipeline.signal && pipeline.exporters.includes(c.id))
        .map((c) => c.instance),
      answersWhen: answersWhen(pipeline, input, connectors),
    })),
    connectors,
    exporters: [...exporters].map(([id, signals], i) => ({
      id,
      signals,
      ...placedExporter(input.exporters.get(id), i, shards),
    })),
    extensions: input.service.extensions,
  }
  return { plan, problems }
}

/**
 * `auto` waits for delivery where that costs a write to disk at most: every exporter that the pipeline leads to, through
 * connectors too, keeps its queue on disk or holds nothing, and at least one has such a queue.
 */
function answersWhen(pipeline: PlanPipeline, input: PlanInput, connectors: Plan['connectors']): AnswersWhen {
  const { delivery = 'auto', pipelines } = input.service
  if (delivery !== 'auto') return delivery
  const behind = new Set([pipeline.name])
  const kept = new Set<Keeps>()
  for (const name of behind) {
    const { signal, exporters } = pipelines.find((p) => p.name === name)!
    for (const id of exporters) {
      const exporter = input.exporters.get(id)
      if (exporter !== undefined) kept.add(exporter.factory.keeps?.(exporter.config as never) ?? 'memory')
      else for (const c of connectors) if (c.id === id && c.from === signal) for (const to of c.feeds) behind.add(to)
    }
  }
  return kept.has('disk') && !kept.has('memory') ? 'delivered' : 'accepted'
}

function stepsOf(id: string, pipeline: PlanPipeline, input: PlanInput, shards: number): Step[] {
  const factory = input.processors.get(id)?.factory
  const step: Step = { kind: 'processor', id, instance: factory?.shared === true ? id : `${pipeline.name}/${id}` }
  if (factory?.key === undefined || shards === 1) return [step]
  return [{ kind: 'exchange', key: factory.key, to: step.instance }, step]
}

/** What only one instance can hold at a time is held by one shard; such components are spread over them. */
function placed(component: PlanComponent | undefined, position: number, shards: number): { shard?: number } {
  if (shards === 1 || component === undefined) return {}
  const exclusive = component.factory.exclusive?.(component.config as never) ?? []
  return exclusive.length === 0 ? {} : { shard: position % shards }
}

/** What stands in one shard keeps the order by that. */
function placedExporter(
  component: PlanComponent | undefined,
  position: number,
  shards: number,
): { shard?: number; key?: ShardKey } {
  const place = placed(component, position, shards)
  const key = component?.factory.key
  return key === undefined || shards === 1 || place.shard !== undefined ? place : { key }
}

function checkSignals(input: PlanInput, problems: PlanProblem[]): void {
  for (const pipeline of input.service.pipelines) {
    for (const section of ['receivers', 'processors', 'exporters'] as const) {
      for (const id of pipeline[section]) {
        const signals = input[section].get(id)?.factory.signals
        if (signals === undefined || signals.includes(pipeline.signal)) continue
        problems.push({
          code: 'GRAPH_SIGNAL',
          path: ['service', 'pipelines', pipeline.name, section],
          what: `${id} does not support ${pipeline.signal}`,
          fix: `take it out of this pipeline; it supports ${signals.join(', ')}`,
        })
      }
    }
  }
}

type End = 'receiver' | 'exporter'

/** One instance per id and supported pair of signals that pipelines use on both ends. */
function joinConnectors(input: PlanInput, problems: PlanProblem[], shards: number): Plan['connectors'][number][] {
  const joined: Plan['connectors'][number][] = []
  for (const [id, connector] of input.connectors) {
    const before = input.service.pipelines.filter((p) => p.exporters.includes(id))
    const behind = input.service.pipelines.filter((p) => p.receivers.includes(id))
    const pairs = connector.factory.pairs ?? []
    for (const { from, to } of pairs) {
      const feeds = behind.filter((p) => p.signal === to).map((p) => p.name)
      if (feeds.length === 0 || !before.some((p) => p.signal === from)) continue
      const { key } = connector.factory
      const keyed = key === undefined || shards === 1 ? {} : { key }
      joined.push({ instance: `${id} (${from} to ${to})`, id, from, to, feeds, ...keyed })
    }
    const lacks = (p: PlanPipeline, used: End, other: End, wanted: readonly Signal[], none: string): PlanProblem => ({
      code: 'GRAPH_CONNECTOR',
      path: ['service', 'pipelines', p.name, `${used}s`],
      what: `connector ${id} is used as ${used} in ${p.name} but not as ${other} in any pipeline that it could join`,
      fix: wanted.length === 0 ? none : `name it under ${other}s of a pipeline for ${wanted.join(' or ')}`,
    })
    for (const p of before) {
      if (joined.some((c) => c.id === id && c.from === p.signal)) continue
      const wanted = pairs.filter((pair) => pair.from === p.signal).map((pair) => pair.to)
      problems.push(lacks(p, 'exporter', 'receiver', wanted, `it takes no ${p.signal}`))
    }
    for (const p of behind) {
      if (joined.some((c) => c.id === id && c.to === p.signal)) continue
      const wanted = pairs.filter((pair) => pair.to === p.signal).map((pair) => pair.from)
      problems.push(lacks(p, 'receiver', 'exporter', wanted, `it gives no ${p.signal}`))
    }
  }
  return joined
}

/** Pipelines with those that others feed first. A cycle is a problem; its pipelines then stand as written. */
function sortPipelines(
  pipelines: readonly PlanPipeline[],
  connectors: readonly Plan['connectors'][number][],
  problems: PlanProblem[],
): PlanPipeline[] {
  const byName = new Map(pipelines.map((p) => [p.name, p]))
  const sorted: PlanPipeline[] = []
  const path: { pipeline: string; connector: string }[] = []
  const state = new Map<string, 'open' | 'done'>()

  const visit = (pipeline: PlanPipeline): void => {
    state.set(pipeline.name, 'open')
    for (const connector of connectors) {
      if (connector.from !== pipeline.signal || !pipeline.exporters.includes(connector.id)) continue
      for (const name of connector.feeds) {
        const next = byName.get(name)
        if (next === undefined) continue
        path.push({ pipeline: pipeline.name, connector: connector.id })
        if (state.get(name) === 'open') {
          const start = path.findIndex((edge) => edge.pipeline === name)
          const loop = path.slice(start).map((edge) => `pipeline ${edge.pipeline} -> connector ${edge.connector}`)
          problems.push({
            code: 'GRAPH_CYCLE',
            path: ['service', 'pipelines', pipeline.name, 'exporters'],
            what: `cycle detected: ${loop.join(' -> ')} -> pipeline ${name}`,
            fix: `take ${connector.id} out of the exporters of ${pipeline.name}, or out of the receivers of ${name}`,
          })
        } else if (!state.has(name)) visit(next)
        path.pop()
      }
    }
    state.set(pipeline.name, 'done')
    sorted.push(pipeline)
  }
  for (const pipeline of pipelines) if (!state.has(pipeline.name)) visit(pipeline)
  return sorted
}

/** The pipelines as people know them: ids only, connectors among the exporters. */
export function pipelineViews(plan: Plan): PipelineView[] {
  return plan.pipelines.map((p) => ({
    name: p.name,
    signal: p.signal,
    receivers: p.receivers,
    processors: p.steps.flatMap((step) => (step.kind === 'processor' ? [step.id] : [])),
    exporters: [...p.exporters, ...plan.connectors.filter((c) => p.connectors.includes(c.instance)).map((c) => c.id)],
  }))
}
