// The running router between two complete starts: the shards, what the supervisor runs beside them, and the log.
//
// A new configuration is taken while everything runs: first what the supervisor itself runs, then the shards; where one
// of them cannot, all goes back to what was. Only what a shard cannot change while it lives (restartReason) needs another
// generation.

import { isDeepStrictEqual } from 'node:util'
import { formatProblem } from './config/problem.ts'
import { systemClock } from './graph/clock.ts'
import { type BuildInfo, type Extension, type ExtensionContext, ONLY_SHARD } from './graph/component.ts'
import type { Configuration } from './graph/configuration.ts'
import { Comparison, type Declaration } from './graph/identity.ts'
import { createNamedExtensions } from './graph/named-extensions.ts'
import { pipelineViews } from './graph/plan.ts'
import { findEntry } from './graph/registry.ts'
import type { Changes } from './graph/run.ts'
import type { Health, ReloadResult, RouterControl, SupervisorContext } from './graph/supervised.ts'
import { telemetryConfig } from './self/config.ts'
import { componentFields, createLogger, type RootLogger } from './self/logger.ts'
import type { Labels, Meter } from './self/meter.ts'
import { type ComponentMeter, MeterRegistry } from './self/meter-registry.ts'
import { startMetricsServers } from './self/metrics-server.ts'
import { observeHeap, observeProcess } from './self/process-metrics.ts'
import { ShardTotals } from './self/snapshot.ts'
import { Changeover, Service } from './services.ts'
import type { ShardLook } from './shards/messages.ts'
import { Supervisor } from './shards/supervisor.ts'
import { RouterThreads } from './shards/threads.ts'
import type { ShardPlan } from './shards/worker.ts'

/** How long pages and extensions under way may take at the end. */
const STOP_MS = 1_000

/** What a generation is given by the router. */
export interface GenerationHost {
  readonly build: BuildInfo
  readonly liveView: boolean
  /** Several shards may listen on the same ports. */
  readonly sharePorts: boolean
  /** For tests: the entry of shards' threads. */
  readonly worker?: string
  /** A component gave up for good. */
  giveUp(generation: Generation): void
  health(generation: Generation): Health
  readonly control: RouterControl
  /** Adds what the router counts itself. */
  observe(meter: Meter): void
  warn(log: RootLogger, text: string): void
}

/** A configuration with the resource that it gives. */
export interface Settings {
  readonly configuration: Configuration
  readonly resource: Labels
}

/** What the ways out of our own metrics are made of, secrets as they are, for comparing. */
const metricsOf = ({ configuration, resource }: Settings): unknown => {
  const telemetry = telemetryConfig.print(configuration.loaded.service.telemetry, true) as { metrics: unknown }
  return [telemetry.metrics, resource]
}

const declared = ({ configuration }: Settings): Declaration => ({
  plan: configuration.plan,
  config: configuration.loaded,
})

/** Why `after` cannot be taken by a generation that runs `before`; undefined when it can. */
export function restartReason(before: Configuration, after: Configuration): string | undefined {
  if (before.plan.shards !== after.plan.shards) return 'the number of shards has changed'
  const levels = [before, after].map(({ loaded }) => loaded.service.telemetry.metrics.level)
  return levels[0] === levels[1] ? undefined : 'service.telemetry.metrics.level has changed'
}

const elsewhereOf = ({ plan, loaded }: Configuration): string[] =>
  plan.extensions.filter((id) => findEntry('extension', loaded.extensions.get(id)!.type)?.supervise)

const shardPlan = ({ configuration, resource }: Settings): ShardPlan => ({
  plan: configuration.plan,
  tree: configuration.tree,
  resource,
  elsewhere: elsewhereOf(configuration),
})

interface SupervisedService {
  readonly service: Service
  readonly meter: ComponentMeter
}

export class Generation {
  readonly log: RootLogger
  readonly supervisor: Supervisor
  readonly #host: GenerationHost
  readonly #meters: MeterRegistry
  readonly #totals = new ShardTotals()
  readonly #threads: RouterThreads
  #settings: Settings
  #extensions = new Map<string, SupervisedService>()
  #metrics: Service
  #ending: Promise<unknown> = Promise.resolve()

  /** Throws when a file for logs cannot be opened. */
  constructor(host: GenerationHost, settings: Settings) {
    const { loaded, plan } = settings.configuration
    const { telemetry } = loaded.service
    this.#host = host
    this.#settings = settings
    this.log = createLogger(telemetry.logs, { clock: systemClock, resource: settings.resource })
    this.#meters = new MeterRegistry(telemetry.metrics.level)
    const own = this.#meters.meter()
    observeProcess(own, systemClock)
    observeHeap(own)
    host.observe(own)
    this.supervisor = new Supervisor({
      shards: plan.shards,
      sharePorts: host.sharePorts,
      ...(host.worker === undefined ? {} : { worker: host.worker }),
      init: { ...shardPlan(settings), build: host.build, watch: host.liveView },
      clock: systemClock,
      log: this.log,
      onFatal: (id, message) => {
        const fields = { 'otelcol.component.id': id, error: message }
        this.log.error('Asynchronous error received, terminating process', fields)
        host.giveUp(this)
      },
      onDied: (shard, last) => this.#totals.died(shard, last),
    })
    this.#threads = new RouterThreads(() => this.supervisor.threads(), systemClock)
    this.#metrics = this.#metricsService(settings)
  }

  get settings(): Settings {
    return this.#settings
  }

  get configuration(): Configuration {
    return this.#settings.configuration
  }

  /** Rejects with the reason why something cannot start, after the rest has stopped. */
  async start(): Promise<void> {
    const { configuration } = this.#settings
    this.#warn(configuration)
    const { command, version } = this.#host.build
    this.log.info(`Starting ${command}...`, { Version: version, shards: configuration.plan.shards })
    if (configuration.plan.shards > 1 && !this.#host.sharePorts)
      this.log.warn('Only shard 0 listens, and hands over what the others can do: here a port is for one listener.')
    for (const id of elsewhereOf(configuration)) this.#extensions.set(id, this.#extension(id, configuration))
    const services = [...[...this.#extensions.values()].map(({ service }) => service), this.#metrics]
    const started: Service[] = []
    try {
      for (const service of services) {
        await service.start()
        started.push(service)
      }
      await this.supervisor.start()
    } catch (error) {
      this.log.error('Cannot start', { error: (error as Error).message })
      for (const service of started.reverse()) await service.stop(AbortSignal.abort())
      this.log.close()
      throw error
    }
  }

  /** To be called when everything runs, and the router says so. */
  pipelinesStarted(): void {
    for (const { service } of this.#extensions.values()) service.pipelinesStarted()
    this.log.info('Everything is ready. Begin running and processing data.')
  }

  /**
   * Takes another configuration while everything runs. When it cannot, the one before runs on, except after `broken`:
   * then the generation is to be stopped.
   */
  async reload(next: Settings, drainMs: number): Promise<ReloadResult & { readonly broken?: boolean }> {
    const before = this.#settings
    const comparison = new Comparison(declared(before), declared(next))
    const extensions = new Map<string, SupervisedService>()
    for (const id of elsewhereOf(next.configuration)) {
      const old = this.#extensions.get(id)
      const keeps = old !== undefined && comparison.same('extension', id)
      extensions.set(id, keeps ? old : this.#extension(id, next.configuration))
    }
    const kept = new Set(this.#extensions.values()).intersection(new Set(extensions.values()))
    const fresh = [...extensions].filter(([, extension]) => !kept.has(extension))
    const gone = [...this.#extensions].filter(([, extension]) => !kept.has(extension))
    const keepsMetrics = isDeepStrictEqual(metricsOf(before), metricsOf(next))
    const metrics = keepsMetrics ? this.#metrics : this.#metricsService(next)

    const changeover = new Changeover(drainMs)
    const goneServices = gone.map(([, { service }]) => service)
    if (!keepsMetrics) goneServices.push(this.#metrics)
    let refusal: { problem: string; broken?: boolean } | undefined
    let changes: Changes | undefined
    try {
      for (const [, { service }] of fresh) await changeover.replace(goneServices, service)
      if (!keepsMetrics) await changeover.replace(goneServices, metrics)
      const taken = await this.supervisor.reload(shardPlan(next), drainMs)
      if (taken.outcome === 'ok') changes = taken.changes
      else refusal = { problem: taken.message, broken: taken.outcome === 'broken' }
    } catch (error) {
      refusal = { problem: (error as Error).message }
    }
    if (changes === undefined) {
      try {
        await changeover.undo()
      } catch (error) {
        refusal = { problem: `${refusal?.problem}; ${(error as Error).message}`, broken: true }
      }
      for (const [, { meter }] of fresh) meter.release()
      return { ok: false, problem: 'it could not be started', ...refusal }
    }

    this.#settings = next
    this.#extensions = extensions
    this.#metrics = metrics
    this.#reconfigureLog(next)
    this.#warn(next.configuration)
    for (const [id, { service, meter }] of gone) {
      service.pipelinesStopping()
      if (extensions.has(id)) meter.retire()
    }
    for (const [, { service }] of fresh) service.pipelinesStarted()
    for (const service of goneServices) changeover.stop(service)
    this.#ending = Promise.all([this.#ending, ...changeover.ending]).then(() => {
      for (const [, { meter }] of gone) meter.release()
    })
    const names = (list: Iterable<readonly [string, unknown]>): string[] => [...list].map(([id]) => `extension ${id}`)
    return {
      ok: true,
      kept: [...names([...extensions].filter(([, one]) => kept.has(one))), ...changes.kept],
      started: [...names(fresh), ...changes.started],
      stopped: [...names(gone), ...changes.stopped],
    }
  }

  /** Drains and stops everything. Never rejects. Resolves to what each shard saw last. */
  async stop(drainMs: number): Promise<(ShardLook | undefined)[]> {
    const extensions = [...this.#extensions.values()]
    for (const { service } of extensions) service.pipelinesStopping()
    const looks = await this.supervisor.stop(drainMs)
    await Promise.all(extensions.map(({ service }) => service.stop(AbortSignal.timeout(STOP_MS))))
    await this.#metrics.stop(AbortSignal.timeout(STOP_MS))
    await Promise.race([this.#ending, new Promise((resolve) => systemClock.after(STOP_MS, () => resolve(undefined)))])
    this.log.info('Shutdown complete.')
    this.log.close()
    return looks
  }

  #reconfigureLog({ configuration, resource }: Settings): void {
    try {
      this.log.reconfigure(configuration.loaded.service.telemetry.logs, resource)
    } catch (error) {
      this.log.error('The log goes on as it was.', { error: (error as Error).message })
    }
  }

  #warn({ warnings }: Configuration): void {
    for (const warning of warnings) this.#host.warn(this.log, formatProblem(warning))
  }

  #extension(id: string, { loaded }: Configuration): SupervisedService {
    const { type, config } = loaded.extensions.get(id)!
    const log = this.log.with(componentFields('extension', id))
    const meter = this.#meters.component('extension', id)
    const settings = (): Settings => this.#settings
    // What it names, such as its authenticator, runs here beside it.
    const named = new Map<string, Extension>()
    const context: SupervisorContext = {
      id,
      log,
      meter,
      clock: systemClock,
      build: this.#host.build,
      get pipelines() {
        return pipelineViews(settings().configuration.plan)
      },
      get extensions() {
        return settings().configuration.plan.extensions
      },
      report: (status, error) => {
        if (status === 'fatal') this.#host.giveUp(this)
        if (error !== undefined) log.error(error.message)
      },
      extension: (name) => named.get(name),
      health: () => this.#host.health(this),
      router: this.#host.control,
      threads: this.#threads,
    }
    const service = new Service(id, this.log, async () => {
      const companions = createNamedExtensions([id], loaded.extensions, (name, find) => this.#companion(name, find))
      named.clear()
      for (const { id: name, extension } of companions) named.set(name, extension)
      const supervise = await findEntry('extension', type)!.supervise!()
      const own = supervise(config as never, context)
      const all = [...companions.map(({ extension }) => extension), own]
      const stop = async (deadline: AbortSignal): Promise<void> => {
        for (const extension of all.toReversed()) await extension.stop?.(deadline)
      }
      try {
        for (const extension of all) await extension.start?.()
      } catch (error) {
        await stop(AbortSignal.abort())
        throw error
      }
      return {
        stop,
        pipelinesStarted: () => own.pipelinesStarted?.(),
        pipelinesStopping: () => own.pipelinesStopping?.(),
      }
    })
    return { service, meter }
  }

  #companion(id: string, find: (id: string) => Extension | undefined): ExtensionContext {
    const log = this.log.with(componentFields('extension', id))
    const settings = (): Settings => this.#settings
    return {
      kind: 'extension',
      id,
      log,
      // Its own is counted in the shards, where it runs too.
      meter: new MeterRegistry('none').component('extension', id),
      clock: systemClock,
      random: Math.random,
      build: this.#host.build,
      gates: settings().configuration.tree.gates,
      shards: ONLY_SHARD,
      report: (_status, error) => {
        if (error !== undefined) log.error(error.message)
      },
      extension: find,
      shard: {
        startedAtMs: systemClock.now(),
        get pipelines() {
          return pipelineViews(settings().configuration.plan)
        },
        get extensions() {
          return settings().configuration.plan.extensions
        },
        status: () => [],
      },
    }
  }

  #metricsService({ configuration, resource }: Settings): Service {
    const { metrics } = configuration.loaded.service.telemetry
    const collect = async () => {
      const looks = await this.supervisor.look(true)
      for (const [shard, look] of looks.entries())
        if (look?.metrics !== undefined) this.#totals.update(shard, look.metrics)
      return [this.#meters.snapshot(), ...this.#totals.snapshots()]
    }
    const context = { collect, resource, log: this.log, clock: systemClock, build: this.#host.build }
    return new Service('metrics', this.log, () => startMetricsServers(metrics, context))
  }
}
