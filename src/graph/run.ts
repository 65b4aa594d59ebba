// A plan becomes a running graph: components are created from exporters back to receivers, started in that order and
// stopped the other way round, with a drain between (reference/otelcol-core.md 1.8).

import type { Batch } from '../otlp/batch.ts'
import { SIGNALS, type Signal } from '../otlp/signal.ts'
import type { Logger } from '../self/log.ts'
import { componentFields } from '../self/logger.ts'
import type { Meter } from '../self/meter.ts'
import { processorMetrics } from '../self/processor-metrics.ts'
import type { Clock } from './clock.ts'
import type {
  AnyFactory,
  BuildInfo,
  ComponentContext,
  ComponentKind,
  Connector,
  Exporter,
  Extension,
  Lifecycle,
  Output,
  Processor,
  Receiver,
  ShardView,
  Status,
} from './component.ts'
import { Guard } from './guard.ts'
import { connectorEnd, exporterEnd, fanOut, PipelineEntry, type PipelineTotals, ProcessorStep } from './pipeline.ts'
import { type Plan, pipelineViews } from './plan.ts'

/** A component as the configuration declares it: its factory and its own typed configuration. */
export interface DeclaredComponent {
  readonly type: string
  readonly factory: AnyFactory
  readonly config: unknown
}

export interface GraphConfig {
  readonly receivers: ReadonlyMap<string, DeclaredComponent>
  readonly processors: ReadonlyMap<string, DeclaredComponent>
  readonly exporters: ReadonlyMap<string, DeclaredComponent>
  readonly connectors: ReadonlyMap<string, DeclaredComponent>
  readonly extensions: ReadonlyMap<string, DeclaredComponent>
}

/** What a graph is given by the shard that hosts it. */
export interface GraphServices {
  readonly log: Logger
  readonly meterFor: (kind: ComponentKind, id: string) => Meter
  readonly clock: Clock
  readonly random: () => number
  readonly build: BuildInfo
  readonly gates?: ReadonlySet<string>
  /** Told of every change of a component's status; `fatal` ends the router. */
  readonly onStatus: (kind: ComponentKind, id: string, status: Status, error?: Error) => void
  /** Sees every batch of traces that enters a pipeline, before anything else. For the live view only. */
  readonly watch?: (batch: Batch) => void
}

const NO_GATES: ReadonlySet<string> = new Set()

interface Running {
  readonly kind: ComponentKind
  readonly id: string
  readonly component: Lifecycle
}

export class Graph {
  readonly #services: GraphServices
  readonly #plan: Plan
  readonly #extensions: Running[] = []
  readonly #receivers: Running[] = []
  /** Exporters first, then processors and connectors against the flow. */
  readonly #behind: Running[] = []
  readonly #started: Running[] = []
  readonly #entries = new Map<string, PipelineEntry>()
  readonly #statuses = new Map<string, { kind: ComponentKind; id: string; status: Status; error?: string }>()
  readonly #running = new Map<string, Extension>()
  readonly #startedAtMs: number

  /** Creates every component and opens nothing. Extensions named in `elsewhere` run in the supervisor instead. */
  static async create(
    plan: Plan,
    config: GraphConfig,
    services: GraphServices,
    elsewhere: ReadonlySet<string> = new Set(),
  ): Promise<Graph> {
    const graph = new Graph(plan, config, services, elsewhere)
    await graph.#createReceivers(config)
    return graph
  }

  private constructor(plan: Plan, config: GraphConfig, services: GraphServices, elsewhere: ReadonlySet<string>) {
    this.#plan = plan
    this.#services = services
    this.#startedAtMs = services.clock.now()

    const exporters = new Map<string, Output>()
    for (const { id, signals } of plan.exporters) {
      const { factory, config: own } = config.exporters.get(id)!
      if (factory.kind !== 'exporter') throw new Error(`invariant: ${id} is not an exporter`)
      const exporter: Exporter = factory.create(own, { ...this.#context('exporter', id), signals })
      exporters.set(id, exporterEnd(exporter, this.#guard('exporter', id)))
      this.#behind.push({ kind: 'exporter', id, component: exporter })
    }

    const shared = new Map<string, Processor>()
    const connectors = new Map<string, Output>()
    for (const pipeline of plan.pipelines) {
      const ends: Output[] = pipeline.exporters.map((id) => exporters.get(id)!)
      for (const instance of pipeline.connectors) {
        let end = connectors.get(instance)
        if (end === undefined) {
          end = this.#createConnector(instance, config)
          connectors.set(instance, end)
        }
        ends.push(end)
      }
      let next = fanOut(ends)
      for (const step of [...pipeline.steps].reverse()) {
        if (step.kind === 'exchange') throw new Error('invariant: an exchange needs more than one shard')
        const { factory, config: own } = config.processors.get(step.id)!
        if (factory.kind !== 'processor') throw new Error(`invariant: ${step.id} is not a processor`)
        let processor = factory.shared ? shared.get(step.instance) : undefined
        if (processor === undefined) {
          const context = { ...this.#context('processor', step.id), signal: pipeline.signal, pipeline: pipeline.name }
          processor = factory.create(own, context)
          shared.set(step.instance, processor)
          this.#behind.push({ kind: 'processor', id: step.id, component: processor })
        }
        const { incoming, outgoing } = processorMetrics(services.meterFor('processor', step.id), pipeline.signal)
        next = new ProcessorStep(processor, incoming, outgoing, next, this.#guard('processor', step.id))
      }
      this.#entries.set(pipeline.name, new PipelineEntry(pipeline.name, pipeline.signal, next, pipeline.answersWhen))
    }

    for (const id of plan.extensions) {
      if (elsewhere.has(id)) continue
      const { factory, config: own } = config.extensions.get(id)!
      if (factory.kind !== 'extension') throw new Error(`invariant: ${id} is not an extension`)
      const extension = factory.create(own, { ...this.#context('extension', id), shard: this.view() })
      this.#extensions.push({ kind: 'extension', id, component: extension })
      this.#running.set(id, extension)
    }
  }

  async #createReceivers(config: GraphConfig): Promise<void> {
    const { watch } = this.#services
    for (const { id, feeds } of this.#plan.receivers) {
      const { factory, config: own } = config.receivers.get(id)!
      if (factory.kind !== 'receiver') throw new Error(`invariant: ${id} is not a receiver`)
      const outputs: Partial<Record<Signal, Output>> = {}
      for (const signal of SIGNALS) {
        const names = feeds[signal]
        if (names === undefined) continue
        const output = fanOut(names.map((name) => this.#entries.get(name)!))
        outputs[signal] = signal === 'traces' && watch !== undefined ? watched(output, watch) : output
      }
      const receiver: Receiver = await factory.create(own, { ...this.#context('receiver', id), outputs })
      this.#receivers.push({ kind: 'receiver', id, component: receiver })
    }
  }

  #createConnector(instance: string, config: GraphConfig): Output {
    const { id, from, to, feeds } = this.#plan.connectors.find((c) => c.instance === instance)!
    const { factory, config: own } = config.connectors.get(id)!
    if (factory.kind !== 'connector') throw new Error(`invariant: ${id} is not a connector`)
    const pipelines = new Map(feeds.map((name) => [name, this.#entries.get(name)! as Output]))
    const connector: Connector = factory.create(own, { ...this.#context('connector', id), from, to, pipelines })
    this.#behind.push({ kind: 'connector', id, component: connector })
    return connectorEnd(connector, fanOut([...pipelines.values()]), this.#guard('connector', id))
  }

  #context(kind: ComponentKind, id: string): ComponentContext {
    const { log, meterFor, clock, random, build, gates = NO_GATES } = this.#services
    return {
      kind,
      id,
      log: log.with(componentFields(kind, id)),
      meter: meterFor(kind, id),
      clock,
      random,
      build,
      gates,
      report: (status, error) => this.#report(kind, id, status, error),
      extension: (name) => this.#running.get(name),
    }
  }

  #guard(kind: ComponentKind, id: string): Guard {
    const { log, meterFor } = this.#services
    return new Guard(kind, id, log.with(componentFields(kind, id)), meterFor(kind, id))
  }

  #report(kind: ComponentKind, id: string, status: Status, error?: Error): void {
    this.#statuses.set(`${kind} ${id}`, { kind, id, status, ...(error === undefined ? {} : { error: error.message }) })
    this.#services.onStatus(kind, id, status, error)
  }

  /** Starts extensions, exporters, processors and connectors, receivers. When one fails, what had started is stopped. */
  async start(): Promise<void> {
    for (const running of [...this.#extensions, ...this.#behind, ...this.#receivers]) {
      this.#report(running.kind, running.id, 'starting')
      try {
        this.#started.push(running)
        await running.component.start?.()
      } catch (error) {
        const reason = error instanceof Error ? error : new Error(String(error))
        this.#report(running.kind, running.id, 'permanent', reason)
        await this.stop(AbortSignal.abort())
        throw new Error(`cannot start ${running.kind} ${running.id}: ${reason.message}`, { cause: error })
      }
      if (this.#statuses.get(`${running.kind} ${running.id}`)?.status === 'starting') {
        this.#report(running.kind, running.id, 'ok')
      }
    }
    for (const { component } of this.#extensions) (component as Extension).pipelinesStarted?.()
  }

  /**
   * Stops receivers, then processors and connectors in the order of flow, then exporters, then extensions. Each flushes
   * what it holds and settles it; `deadline` ends the waiting. Failures are logged and stop nothing.
   */
  async stop(deadline: AbortSignal): Promise<void> {
    const stop = async (running: Running): Promise<void> => {
      const at = this.#started.indexOf(running)
      if (at < 0) return
      this.#started.splice(at, 1)
      this.#report(running.kind, running.id, 'stopping')
      try {
        await running.component.stop?.(deadline)
      } catch (error) {
        this.#services.log.error('stopping failed', {
          ...componentFields(running.kind, running.id),
          error: error instanceof Error ? error.message : String(error),
        })
      }
      this.#report(running.kind, running.id, 'stopped')
    }
    for (const { component } of this.#extensions) (component as Extension).pipelinesStopping?.()
    await Promise.all(this.#receivers.map(stop))
    for (const running of [...this.#behind].reverse()) await stop(running)
    await Promise.race([this.#drained(), aborted(deadline)])
    for (const running of [...this.#extensions].reverse()) await stop(running)
  }

  async #drained(): Promise<void> {
    await Promise.all([...this.#entries.values()].map((entry) => entry.idle()))
  }

  totals(): PipelineTotals[] {
    return [...this.#entries.values()].map((entry) => entry.totals())
  }

  view(): ShardView {
    return {
      startedAtMs: this.#startedAtMs,
      pipelines: pipelineViews(this.#plan),
      extensions: this.#plan.extensions,
      status: () => [...this.#statuses.values()],
    }
  }
}

const watched = (output: Output, watch: (batch: Batch) => void): Output => ({
  send(batch) {
    watch(batch)
    output.send(batch)
  },
})

const aborted = (signal: AbortSignal): Promise<void> =>
  signal.aborted
    ? Promise.resolve()
    : new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
