// A plan put together: every component in its seat, and the ways between them.
//
// Putting together a plan while another runs keeps the parts that are the same in both. Nothing that runs is touched
// until relink() is called: until then the new parts stand beside the old ones, with their ways into what lives on.

import { isDeepStrictEqual } from 'node:util'
import type { Batch } from '../otlp/batch.ts'
import { type ShardKey, shardKeying } from '../otlp/shard-key.ts'
import { SIGNALS, type Signal } from '../otlp/signal.ts'
import type { ComponentMeter } from '../self/meter-registry.ts'
import {
  type ComponentContext,
  type ComponentKind,
  type Lifecycle,
  ONLY_SHARD,
  type Output,
  type ShardPlace,
  type ShardView,
} from './component.ts'
import {
  connectorPlace,
  Exchange,
  exporterPlace,
  handover,
  type Neighbours,
  ReliefAt,
  receiverPlace,
  stepPlace,
  type Take,
} from './exchange.ts'
import type { Guard } from './guard.ts'
import { Comparison, type DeclaredComponent, exclusivesOf, type GraphConfig, namedExtensions } from './identity.ts'
import { ConnectorWay, ExporterWay, NoWay, Part, type PartHost, ProcessorWay, ReceiverWay, type Way } from './part.ts'
import { fanOut, PipelineEntry } from './pipeline.ts'
import type { Plan } from './plan.ts'

export interface Assembly {
  readonly plan: Plan
  readonly config: GraphConfig
  /** By key, in the order of starting: extensions, exporters, processors and connectors against the flow, receivers. */
  readonly parts: ReadonlyMap<string, Part>
  /** The ways into pipelines, also into those that a reload has taken out: one that comes back goes on counting. */
  readonly entries: ReadonlyMap<string, PipelineEntry>
  /** Where other shards hand batches over to this one. */
  readonly places: ReadonlyMap<string, Take>
}

export interface Draft extends Assembly {
  /** Made and not started. */
  readonly created: readonly Part[]
  /** Points everything that lives on to where this plan wants it. Throws nothing. */
  relink(): void
}

export interface AssemblyHost extends PartHost {
  view(): ShardView
}

type PlanPipeline = Plan['pipelines'][number]
type Create<W> = (declared: DeclaredComponent, context: ComponentContext, way: W) => Lifecycle | Promise<Lifecycle>

interface Seat {
  readonly kind: ComponentKind
  readonly id: string
  readonly instance: string
  readonly built: unknown
}

/** Creates what `before` does not have and opens nothing. Rejects with the reason why a component cannot be made. */
export async function assemble(
  host: AssemblyHost,
  plan: Plan,
  config: GraphConfig,
  elsewhere: ReadonlySet<string>,
  before?: Assembly,
): Promise<Draft> {
  const assembler = new Assembler(host, plan, config, before)
  try {
    await assembler.assemble(elsewhere)
  } catch (error) {
    for (const part of assembler.created) part.meter.release()
    throw error
  }
  return assembler
}

class Assembler implements Draft {
  readonly plan: Plan
  readonly config: GraphConfig
  readonly parts = new Map<string, Part>()
  readonly entries: Map<string, PipelineEntry>
  readonly places = new Map<string, Take>()
  readonly created: Part[] = []
  readonly #host: AssemblyHost
  readonly #before: Assembly | undefined
  readonly #comparison: Comparison | undefined
  readonly #extensions = new Map<string, Part>()
  readonly #links: (() => void)[] = []

  constructor(host: AssemblyHost, plan: Plan, config: GraphConfig, before: Assembly | undefined) {
    this.#host = host
    this.plan = plan
    this.config = config
    this.#before = before
    this.#comparison = before === undefined ? undefined : new Comparison(before, this)
    this.entries = new Map(before?.entries)
  }

  relink(): void {
    for (const part of this.parts.values()) part.extensions = this.#extensions
    for (const link of this.#links) link()
  }

  async assemble(elsewhere: ReadonlySet<string>): Promise<void> {
    for (const id of this.plan.extensions) if (!elsewhere.has(id)) await this.#extension(id)
    for (const exporter of this.plan.exporters) if (this.#isHere(exporter)) await this.#exporter(exporter)
    for (const pipeline of this.plan.pipelines) await this.#pipeline(pipeline)
    for (const receiver of this.plan.receivers) if (this.#isHere(receiver)) await this.#receiver(receiver)
  }

  #isHere({ shard }: { readonly shard?: number }): boolean {
    return shard === undefined || shard === this.#place.index
  }

  get #place(): ShardPlace {
    return this.#host.services.shards ?? ONLY_SHARD
  }

  /** As the component sees it: nobody shares with one that stands in a single shard. */
  #placeOf({ shard }: { readonly shard?: number }): ShardPlace {
    return shard === undefined ? this.#place : ONLY_SHARD
  }

  /** The others; undefined where there are none. */
  get #neighbours(): Neighbours | undefined {
    return this.#place.count === 1 ? undefined : this.#host.services.neighbours
  }

  async #extension(id: string): Promise<void> {
    const create: Create<NoWay> = ({ factory, config }, context) => {
      if (factory.kind !== 'extension') throw new Error(`invariant: ${id} is not an extension`)
      return factory.create(config, { ...context, shard: this.#host.view() })
    }
    const { part } = await this.#seat({ kind: 'extension', id, instance: id, built: {} }, () => new NoWay(), create)
    this.#extensions.set(id, part)
  }

  async #exporter(exporter: Plan['exporters'][number]): Promise<void> {
    const { id, signals } = exporter
    const built = { ...exporter, signals: [...signals].sort() }
    const create: Create<ExporterWay> = ({ factory, config }, context) => {
      if (factory.kind !== 'exporter') throw new Error(`invariant: ${id} is not an exporter`)
      return factory.create(config, { ...context, shards: this.#placeOf(exporter), signals })
    }
    await this.#seat({ kind: 'exporter', id, instance: id, built }, ({ guard }) => new ExporterWay(guard), create)
  }

  /** Into an exporter of this shard, of the one that has it, or of those that own what comes. */
  #end(id: string, signal: Signal): Output {
    const { shard, key } = this.plan.exporters.find((exporter) => exporter.id === id)!
    const place = exporterPlace(id)
    if (shard !== undefined && shard !== this.#place.index) return handover(this.#neighbours!, shard, place)
    const { input } = this.#way<ExporterWay>('exporter', id)
    if (key !== undefined) return this.#exchange(key, signal, place, input)
    if (shard !== undefined) this.places.set(place, (batch) => input.send(batch))
    return input
  }

  /** In front of a component that keeps state, or order, by `key`. */
  #exchange(key: ShardKey, signal: Signal, place: string, here: Output): Output {
    this.places.set(place, (batch) => here.send(batch))
    const keying = shardKeying(key, signal, this.#place.count)
    return new Exchange({ neighbours: this.#neighbours!, place, here }, keying, this.#place)
  }

  async #pipeline(pipeline: PlanPipeline): Promise<void> {
    const { name, signal, answersWhen } = pipeline
    const ends = pipeline.exporters.map((id) => this.#end(id, signal))
    for (const instance of pipeline.connectors) ends.push(await this.#connector(instance))
    let next = fanOut(ends)
    for (const step of [...pipeline.steps].reverse()) next = await this.#step(step, pipeline, next)
    const first = next
    const entry = this.entries.get(name)
    if (entry === undefined) this.entries.set(name, new PipelineEntry(name, signal, first, answersWhen))
    else {
      this.#links.push(() => {
        entry.first = first
        entry.answersWhen = answersWhen
      })
    }
  }

  /** The way into the step. */
  async #step(step: PlanPipeline['steps'][number], { name, signal }: PlanPipeline, next: Output): Promise<Output> {
    if (step.kind === 'exchange') return this.#exchange(step.key, signal, stepPlace(name, step.to), next)
    const { id, instance } = step
    const { factory } = this.config.processors.get(id)!
    if (factory.kind !== 'processor') throw new Error(`invariant: ${id} is not a processor`)
    const seat = { kind: 'processor', id, instance, built: factory.shared === true ? step : { step, name } } as const
    const create: Create<ProcessorWay> = ({ config }, context) =>
      factory.create(config, { ...context, signal, pipeline: name })
    const { part } = await this.#seat(seat, ({ meter, guard }) => new ProcessorWay(meter, guard), create)
    const known = part.way.steps.get(name)
    if (known === undefined) return part.way.add(name, signal, next).input
    this.#links.push(() => {
      known.next = next
    })
    return known.input
  }

  /** The way into the connector. */
  async #connector(instance: string): Promise<Output> {
    const { feeds, key, ...built } = this.plan.connectors.find((c) => c.instance === instance)!
    const { id, from, to } = built
    const create: Create<ConnectorWay> = ({ factory, config }, context, { pipelines }) => {
      if (factory.kind !== 'connector') throw new Error(`invariant: ${id} is not a connector`)
      return factory.create(config, { ...context, from, to, pipelines })
    }
    const seat = { kind: 'connector', id, instance, built } as const
    const pipelines = feeds.map((name) => [name, this.entries.get(name)! as Output] as const)
    const wayOf = ({ guard }: { guard: Guard }): ConnectorWay => new ConnectorWay(guard, pipelines)
    const { part, isNew } = await this.#seat(seat, wayOf, create)
    if (!isNew) this.#links.push(() => part.way.lead(pipelines))
    if (key === undefined) return part.way.input
    return this.#exchange(key, from, connectorPlace(instance), part.way.input)
  }

  async #receiver({ feeds, ...others }: Plan['receivers'][number]): Promise<void> {
    const { id } = others
    const { watch } = this.#host.services
    const declared = this.config.receivers.get(id)!
    const apartNames = declared.factory.kind === 'receiver' ? (declared.factory.apart?.(declared.config) ?? []) : []
    const bySignal = new Map<Signal, Output>()
    const apart = new Map<string, Output>()
    for (const signal of SIGNALS) {
      const names = feeds[signal] ?? []
      for (const name of names) if (apartNames.includes(name)) apart.set(name, this.entries.get(name)!)
      const together = names.filter((name) => !apart.has(name))
      if (together.length === 0) continue
      const output = fanOut(together.map((name) => this.entries.get(name)!))
      bySignal.set(signal, signal === 'traces' && watch !== undefined ? watched(output, watch) : output)
    }
    const outputs = { bySignal, apart }
    const create: Create<ReceiverWay> = ({ factory, config }, context, way) => {
      if (factory.kind !== 'receiver') throw new Error(`invariant: ${id} is not a receiver`)
      const relief = way.relief === undefined ? {} : { relief: way.relief }
      return factory.create(config, {
        ...context,
        ...relief,
        shards: this.#placeOf(others),
        outputs: Object.fromEntries(way.outputs),
        apart: way.apart,
      })
    }
    const seat = {
      kind: 'receiver',
      id,
      instance: id,
      built: { ...others, signals: [...bySignal.keys()], apart: [...apart.keys()] },
    } as const
    const neighbours = others.shard === undefined ? this.#neighbours : undefined
    const wayOf = (): ReceiverWay =>
      new ReceiverWay(outputs, neighbours === undefined ? undefined : new ReliefAt(neighbours, id))
    const { part, isNew } = await this.#seat(seat, wayOf, create)
    if (!isNew) this.#links.push(() => part.way.lead(outputs))
    const { relief } = part.way
    if (relief !== undefined) this.places.set(receiverPlace(id), relief.taken)
  }

  /** The part of that seat: the one before where it is the same, else a new one. */
  async #seat<W extends Way>(
    { kind, id, instance, built }: Seat,
    wayOf: (part: { meter: ComponentMeter; guard: Guard }) => W,
    create: Create<W>,
  ): Promise<{ part: Part<W>; isNew: boolean }> {
    const key = `${kind} ${instance}`
    const placed = this.parts.get(key)
    if (placed !== undefined) return { part: placed as Part<W>, isNew: this.created.includes(placed) }
    const old = this.#before?.parts.get(key)
    if (old !== undefined && isDeepStrictEqual(old.facts.built, built) && this.#comparison?.same(kind, id) === true) {
      this.parts.set(key, old)
      return { part: old as Part<W>, isNew: false }
    }
    const declared = this.config[`${kind}s`].get(id)!
    const exclusive = exclusivesOf(kind, id, key, this.config)
    const uses = namedExtensions(declared, this.config)
    const facts = { kind, id, key, declared, built, exclusive, uses }
    const part: Part<W> = new Part(facts, this.#host, wayOf, (context) => create(declared, context, part.way))
    part.extensions = this.#extensions
    this.created.push(part)
    await part.make()
    this.parts.set(key, part)
    return { part, isNew: true }
  }

  #way<W extends Way>(kind: ComponentKind, instance: string): W {
    return this.parts.get(`${kind} ${instance}`)!.way as W
  }
}

const watched = (output: Output, watch: (batch: Batch) => void): Output => ({
  send(batch) {
    watch(batch)
    output.send(batch)
  },
})
