// One running component in its place: how it is made, started and stopped, what leads into it, and its status.
//
//   made ---start()---> started ---stop()---> stopped
//     ^                                          |
//     +----------------- make() -----------------+      when a reload is taken back, or a port was not free yet
//
// The way into it is closed until it has started. What leads out of it is the assembly's, which alone knows who stands
// behind whom.

import { DeliveryError } from '../delivery/error.ts'
import type { Signal } from '../otlp/signal.ts'
import type { Logger } from '../self/log.ts'
import { componentFields } from '../self/logger.ts'
import type { ComponentMeter } from '../self/meter-registry.ts'
import { processorMetrics } from '../self/processor-metrics.ts'
import type {
  ComponentContext,
  ComponentKind,
  Connector,
  Exporter,
  Extension,
  Lifecycle,
  Output,
  Processor,
  Status,
} from './component.ts'
import { ONLY_SHARD } from './component.ts'
import type { ReliefAt } from './exchange.ts'
import { Guard } from './guard.ts'
import type { DeclaredComponent } from './identity.ts'
import { connectorEnd, exporterEnd, fanOut, Gate, type Heir, ProcessorStep } from './pipeline.ts'
import type { GraphServices } from './run.ts'

/** What a part is given by the graph that holds it. */
const NO_GATES: ReadonlySet<string> = new Set()

export interface PartHost {
  readonly services: GraphServices
  report(part: Part, status: Status, error?: Error): void
}

export interface PartFacts {
  readonly kind: ComponentKind
  readonly id: string
  /** Kind and instance: the same seat in every plan. */
  readonly key: string
  readonly declared: DeclaredComponent
  /** What it is built with besides its configuration. Plain data. */
  readonly built: unknown
  readonly exclusive: readonly string[]
  /** Ids of extensions that it names. */
  readonly uses: readonly string[]
}

/** What leads into a component. */
export interface Way {
  open(component: Lifecycle): void
  /** Batches that come from here on wait. */
  close(): void
  /** What leads in here leads into `successor` from here on, what waits included; without one it is refused. */
  forwardTo(successor: Way | undefined): void
}

export class Part<W extends Way = Way> {
  readonly facts: PartFacts
  readonly way: W
  readonly meter: ComponentMeter
  readonly guard: Guard
  /** The extensions that it finds: those of the graph that it stands in now. */
  extensions: ReadonlyMap<string, Part> = new Map()
  component: Lifecycle = {}
  status: Status | undefined
  error: Error | undefined
  /** Taken out by a reload: what it says of itself is not heard any more. */
  retired = false
  readonly #host: PartHost
  readonly #log: Logger
  readonly #create: (context: ComponentContext) => Lifecycle | Promise<Lifecycle>
  #started = false
  #stopping: Promise<void> | undefined

  constructor(
    facts: PartFacts,
    host: PartHost,
    wayOf: (part: { readonly meter: ComponentMeter; readonly guard: Guard }) => W,
    create: (context: ComponentContext) => Lifecycle | Promise<Lifecycle>,
  ) {
    const { kind, id } = facts
    this.facts = facts
    this.#host = host
    this.#create = create
    this.meter = host.services.meterFor(kind, id)
    this.#log = host.services.log.with(componentFields(kind, id))
    this.guard = new Guard(kind, id, this.#log, this.meter)
    this.way = wayOf(this)
  }

  get isStarted(): boolean {
    return this.#started
  }

  get isStopping(): boolean {
    return this.#stopping !== undefined
  }

  /** Creates the component, again when it had been stopped. Opens nothing. */
  async make(): Promise<void> {
    const { kind, id } = this.facts
    const { clock, random, build, gates = NO_GATES, shards = ONLY_SHARD } = this.#host.services
    const report = (status: Status, error?: Error): void => this.#host.report(this, status, error)
    const extension = (name: string): Extension | undefined => this.extensions.get(name)?.component
    const own = { kind, id, log: this.#log, meter: this.meter, report, extension }
    const context = { ...own, clock, random, build, gates, shards }
    this.component = await this.#create(context)
    this.#stopping = undefined
  }

  /** Rejects with the component's id and reason, after it was stopped. */
  async start(): Promise<void> {
    const { kind, id } = this.facts
    this.#host.report(this, 'starting')
    this.#started = true
    try {
      await this.component.start?.()
    } catch (error) {
      const reason = error instanceof Error ? error : new Error(String(error))
      this.#host.report(this, 'permanent', reason)
      await this.stop(AbortSignal.abort())
      throw new Error(`cannot start ${kind} ${id}: ${reason.message}`, { cause: error })
    }
    this.way.open(this.component)
    if (this.status === 'starting') this.#host.report(this, 'ok')
  }

  /** Never rejects: a failure is logged. Does nothing unless it runs. */
  stop(deadline: AbortSignal): Promise<void> {
    if (this.#started) {
      this.#started = false
      this.#stopping = this.#stop(deadline)
    }
    return this.#stopping ?? Promise.resolve()
  }

  async #stop(deadline: AbortSignal): Promise<void> {
    const wasRunning = this.status !== 'permanent'
    if (wasRunning) this.#host.report(this, 'stopping')
    try {
      await this.component.stop?.(deadline)
    } catch (error) {
      this.#log.error('stopping failed', { error: error instanceof Error ? error.message : String(error) })
    }
    if (wasRunning) this.#host.report(this, 'stopped')
  }
}

/** Refuses what waited for a component that is gone and has no successor: its sender may try again. */
const GONE: Output = {
  send(batch) {
    const text = 'the component that it waited for was taken out of the configuration'
    batch.delivery.refuse(new DeliveryError('GRAPH_CHANGED', text, { retry: 'backoff' }))
  },
}

/** Nothing leads into receivers and extensions. */
export class NoWay implements Way {
  open(): void {}
  close(): void {}
  forwardTo(): void {}
}

export interface ReceiverOutputs {
  readonly bySignal: ReadonlyMap<Signal, Output>
  readonly apart: ReadonlyMap<string, Output>
}

/** A receiver's ways lead out of it, but for what other shards hand over to it. */
export class ReceiverWay extends NoWay {
  readonly outputs = new Map<Signal, Gate>()
  /** Pipelines that it sends to by name alone. */
  readonly apart = new Map<string, Gate>()
  /** Undefined where no other shard can help. */
  readonly relief: ReliefAt | undefined

  constructor(outputs: ReceiverOutputs, relief: ReliefAt | undefined) {
    super()
    this.relief = relief
    for (const signal of outputs.bySignal.keys()) this.outputs.set(signal, new Gate())
    for (const name of outputs.apart.keys()) this.apart.set(name, new Gate())
    this.lead(outputs)
  }

  /** For the same signals and names as before. */
  lead({ bySignal, apart }: ReceiverOutputs): void {
    for (const [signal, output] of bySignal) this.outputs.get(signal)!.open(output)
    for (const [name, output] of apart) this.apart.get(name)!.open(output)
  }
}

export class ExporterWay implements Way {
  readonly input = new Gate()
  readonly heir: Heir = { next: undefined, items: 0 }
  readonly #guard: Guard

  constructor(guard: Guard) {
    this.#guard = guard
  }

  open(exporter: Lifecycle): void {
    this.input.open(exporterEnd(exporter as Exporter, this.heir, this.#guard))
  }

  close(): void {
    this.input.close()
  }

  forwardTo(successor: Way | undefined): void {
    this.input.open(successor instanceof ExporterWay ? successor.input : GONE)
  }
}

type Pipelines = readonly (readonly [name: string, entry: Output])[]

export class ConnectorWay implements Way {
  readonly input = new Gate()
  readonly output = new Gate()
  /** Those behind it by name: the connector holds this very map. */
  readonly pipelines = new Map<string, Output>()
  readonly #guard: Guard

  constructor(guard: Guard, pipelines: Pipelines) {
    this.#guard = guard
    this.lead(pipelines)
  }

  lead(pipelines: Pipelines): void {
    this.pipelines.clear()
    for (const [name, entry] of pipelines) this.pipelines.set(name, entry)
    this.output.open(fanOut([...this.pipelines.values()]))
  }

  open(connector: Lifecycle): void {
    this.input.open(connectorEnd(connector as Connector, this.output, this.#guard))
  }

  close(): void {
    this.input.close()
  }

  forwardTo(successor: Way | undefined): void {
    this.input.open(successor instanceof ConnectorWay ? successor.input : GONE)
  }
}

/** One step in each pipeline that has the processor: several where it is shared. */
export class ProcessorWay implements Way {
  readonly steps = new Map<string, ProcessorStep>()
  readonly #meter: ComponentMeter
  readonly #guard: Guard
  #processor: Processor | undefined

  constructor(meter: ComponentMeter, guard: Guard) {
    this.#meter = meter
    this.#guard = guard
  }

  /** A further pipeline that has it. */
  add(pipeline: string, signal: Signal, next: Output): ProcessorStep {
    const step = new ProcessorStep(processorMetrics(this.#meter, signal), next, this.#guard)
    this.steps.set(pipeline, step)
    if (this.#processor !== undefined) step.open(this.#processor)
    return step
  }

  open(processor: Lifecycle): void {
    this.#processor = processor as Processor
    for (const step of this.steps.values()) step.open(this.#processor)
  }

  close(): void {
    this.#processor = undefined
    for (const step of this.steps.values()) step.input.close()
  }

  forwardTo(successor: Way | undefined): void {
    const others = successor instanceof ProcessorWay ? successor.steps : undefined
    for (const [pipeline, step] of this.steps) step.input.open(others?.get(pipeline)?.input ?? GONE)
  }
}
