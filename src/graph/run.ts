// A plan becomes a running graph: components are created from exporters back to receivers, started in that order and
// stopped the other way round, with a drain between (reference/otelcol-core.md 1.8). A running graph becomes that of
// another plan by an update (update.ts), which keeps what is the same in both.

import { DeliveryError } from '../delivery/error.ts'
import type { Batch } from '../otlp/batch.ts'
import type { Logger } from '../self/log.ts'
import type { ComponentMeter } from '../self/meter-registry.ts'
import { type Assembly, type AssemblyHost, assemble } from './assembly.ts'
import type { Clock } from './clock.ts'
import type { BuildInfo, ComponentKind, Extension, ShardPlace, ShardView, Status } from './component.ts'
import type { Neighbours } from './exchange.ts'
import type { GraphConfig } from './identity.ts'
import type { Part } from './part.ts'
import type { PipelineTotals } from './pipeline.ts'
import { type Plan, pipelineViews } from './plan.ts'
import { aborted, type Changes, Update } from './update.ts'

export type { DeclaredComponent, GraphConfig } from './identity.ts'
export { BrokenUpdate, type Changes } from './update.ts'

/** What a graph is given by the shard that hosts it. */
export interface GraphServices {
  readonly log: Logger
  readonly meterFor: (kind: ComponentKind, id: string) => ComponentMeter
  readonly clock: Clock
  readonly random: () => number
  readonly build: BuildInfo
  readonly gates?: ReadonlySet<string>
  /** Default: the only one. */
  readonly shards?: ShardPlace
  /** The others, where there are several. */
  readonly neighbours?: Neighbours
  /** Told of every change of a component's status; `fatal` ends the router. */
  readonly onStatus: (kind: ComponentKind, id: string, status: Status, error?: Error) => void
  /** Sees every batch of traces that enters a pipeline, before anything else. For the live view only. */
  readonly watch?: (batch: Batch) => void
}

export interface UpdateOptions {
  /** Ids of extensions that run in the supervisor instead. */
  readonly elsewhere?: ReadonlySet<string>
  /** A signal that aborts when a wait for something to stop has taken long enough. Called for each wait. */
  readonly deadline: () => AbortSignal
}

/** How long a batch from another shard waits for a place that is not there yet. */
const EARLY_MS = 20_000

const EMPTY: Assembly = {
  plan: { shards: 1, receivers: [], pipelines: [], connectors: [], exporters: [], extensions: [] },
  config: {
    receivers: new Map(),
    processors: new Map(),
    exporters: new Map(),
    connectors: new Map(),
    extensions: new Map(),
  },
  parts: new Map(),
  entries: new Map(),
  places: new Map(),
}

export class Graph {
  readonly #services: GraphServices
  readonly #host: AssemblyHost
  readonly #statuses = new Map<string, { kind: ComponentKind; id: string; status: Status; error?: string }>()
  readonly #startedAtMs: number
  #assembly: Assembly = EMPTY
  /** Batches from other shards for places that are not there yet. */
  readonly #early = new Set<{ readonly place: string; readonly batch: Batch; readonly note: unknown }>()
  /** Of what the last update took out. Never rejects. */
  #draining: Promise<void> = Promise.resolve()

  /** Creates every component and opens nothing. Extensions named in `elsewhere` run in the supervisor instead. */
  static async create(
    plan: Plan,
    config: GraphConfig,
    services: GraphServices,
    elsewhere: ReadonlySet<string> = new Set(),
  ): Promise<Graph> {
    const graph = new Graph(services)
    graph.#assembly = { ...EMPTY, plan, config }
    graph.#assembly = await assemble(graph.#host, plan, config, elsewhere)
    return graph
  }

  private constructor(services: GraphServices) {
    this.#services = services
    this.#startedAtMs = services.clock.now()
    this.#host = {
      services,
      report: (part, status, error) => this.#report(part, status, error),
      view: () => this.view(),
    }
  }

  #report(part: Part, status: Status, error?: Error): void {
    if (part.retired) return
    part.status = status
    part.error = error
    // Those of an update come in when it is done.
    if (this.#assembly.parts.get(part.facts.key) === part) this.#publish(part)
  }

  #publish({ facts, status, error }: Part): void {
    const { kind, id } = facts
    if (status === undefined) return
    this.#statuses.set(`${kind} ${id}`, { kind, id, status, ...(error === undefined ? {} : { error: error.message }) })
    this.#services.onStatus(kind, id, status, error)
  }

  /** Starts extensions, exporters, processors and connectors, receivers. When one fails, what had started is stopped. */
  async start(): Promise<void> {
    for (const part of this.#assembly.parts.values()) {
      try {
        await part.start()
      } catch (error) {
        await this.stop(AbortSignal.abort())
        throw error
      }
    }
    for (const { component } of this.#parts('extension')) (component as Extension).pipelinesStarted?.()
  }

  /**
   * Goes over to another plan while batches pass. Resolves when it runs; what it took out drains from then on. Rejects
   * when it cannot be, with everything as it was, or with a BrokenUpdate. One at a time.
   */
  async update(plan: Plan, config: GraphConfig, { elsewhere = new Set(), deadline }: UpdateOptions): Promise<Changes> {
    await this.#draining
    const draft = await assemble(this.#host, plan, config, elsewhere, this.#assembly)
    const update = new Update(this.#assembly, draft, deadline, this.#services.log)
    await update.prepare()
    update.commit()
    this.#assembly = draft
    this.#takeEarly()
    this.#statuses.clear()
    for (const part of draft.parts.values()) this.#publish(part)
    for (const part of draft.created)
      if (part.facts.kind === 'extension') (part.component as Extension).pipelinesStarted?.()
    for (const part of update.removed)
      if (part.facts.kind === 'extension') (part.component as Extension).pipelinesStopping?.()
    this.#draining = update.drain()
    return update.changes
  }

  /** Resolves when what the last update took out has drained. */
  drained(): Promise<void> {
    return this.#draining
  }

  /**
   * Stops receivers, then processors and connectors in the order of flow, then exporters, then extensions. Each flushes
   * what it holds and settles it; `deadline` ends the waiting. Failures are logged and stop nothing.
   */
  async stop(deadline: AbortSignal): Promise<void> {
    const extensions = this.#parts('extension')
    for (const { component } of extensions) (component as Extension).pipelinesStopping?.()
    await Promise.all(this.#parts('receiver').map((part) => part.stop(deadline)))
    await Promise.race([this.#draining, aborted(deadline)])
    await this.#meet(deadline)
    // Shards go step by step: what one of them flushes may belong to another, which still has to be there.
    for (const part of this.#parts('processor', 'connector').reverse()) {
      await part.stop(deadline)
      await this.#meet(deadline)
    }
    for (const part of this.#parts('exporter').reverse()) await part.stop(deadline)
    await Promise.race([this.#idle(), aborted(deadline)])
    await this.#meet(deadline)
    for (const part of extensions.reverse()) await part.stop(deadline)
  }

  async #meet(deadline: AbortSignal): Promise<void> {
    const { neighbours } = this.#services
    if (neighbours !== undefined) await Promise.race([neighbours.meet(), aborted(deadline)])
  }

  /** A batch from another shard. A place that is not there yet comes with the reload that the other has had already. */
  take(place: string, batch: Batch, note?: unknown): void {
    const take = this.#assembly.places.get(place)
    if (take !== undefined) {
      take(batch, note)
      return
    }
    const early = { place, batch, note }
    this.#early.add(early)
    this.#services.clock.after(EARLY_MS, () => {
      if (!this.#early.delete(early)) return
      const text = `this shard has no ${place}`
      batch.delivery.refuse(new DeliveryError('GRAPH_CHANGED', text, { retry: 'backoff' }))
    })
  }

  #takeEarly(): void {
    for (const early of this.#early) {
      const take = this.#assembly.places.get(early.place)
      if (take === undefined) continue
      this.#early.delete(early)
      take(early.batch, early.note)
    }
  }

  /** In the order of starting. */
  #parts(...kinds: readonly ComponentKind[]): Part[] {
    return [...this.#assembly.parts.values()].filter((part) => kinds.includes(part.facts.kind))
  }

  async #idle(): Promise<void> {
    await Promise.all([...this.#assembly.entries.values()].map((entry) => entry.idle()))
  }

  totals(): PipelineTotals[] {
    const { entries, plan } = this.#assembly
    return plan.pipelines.map(({ name }) => entries.get(name)!.totals())
  }

  /** Shows the graph as it is at each look, also after an update. */
  view(): ShardView {
    const assembly = (): Assembly => this.#assembly
    return {
      startedAtMs: this.#startedAtMs,
      get pipelines() {
        return pipelineViews(assembly().plan)
      },
      get extensions() {
        return assembly().plan.extensions
      },
      status: () => [...this.#statuses.values()],
    }
  }
}
