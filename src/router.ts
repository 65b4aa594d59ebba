// The router as a whole, for the command line, the demo and tests: configuration in, running shards out.
//
// The main thread only supervises: it checks the configuration, hosts the shards, sums their metrics, answers health
// checks and reloads. Telemetry never passes through it.

import { randomUUID } from 'node:crypto'
import type { LoadOptions } from './config/load.ts'
import { ConfigError, formatProblem } from './config/problem.ts'
import { readOnce, retrieverOf } from './config/sources.ts'
import { systemClock } from './graph/clock.ts'
import type { BuildInfo, Extension } from './graph/component.ts'
import { type Configuration, loadConfiguration } from './graph/configuration.ts'
import { creationProblems } from './graph/create-all.ts'
import { createNamedExtensions } from './graph/named-extensions.ts'
import { pipelineViews } from './graph/plan.ts'
import { findEntry } from './graph/registry.ts'
import type { Health } from './graph/supervised.ts'
import type { Logger } from './self/log.ts'
import { componentFields, createLogger, type RootLogger } from './self/logger.ts'
import type { Labels } from './self/meter.ts'
import { MeterRegistry } from './self/meter-registry.ts'
import { type MetricsServers, startMetricsServers } from './self/metrics-server.ts'
import { observeHeap, observeProcess } from './self/process-metrics.ts'
import { resourceAttributes } from './self/resource.ts'
import { ShardTotals } from './self/snapshot.ts'
import type { ShardLook } from './shards/messages.ts'
import { Supervisor } from './shards/supervisor.ts'
import type { Endpoint, RouterSnapshot } from './ui/snapshot.ts'

export interface RouterOptions extends LoadOptions {
  readonly env?: Readonly<Record<string, string | undefined>>
  /** Keep the slowest recent trace for the live view. */
  readonly watch?: boolean
  /** How long stopping waits for what is under way. Default 10 s. */
  readonly drainMs?: number
  /** Told of every warning about the configuration, as a text of several lines. Default: they are logged. */
  readonly onWarning?: (text: string) => void
}

export const DRAIN_MS = 10_000

/** One generation of the router: from one reading of the configuration to the next. */
interface Generation {
  readonly configuration: Configuration
  readonly log: RootLogger
  readonly supervisor: Supervisor
  readonly extensions: readonly { readonly id: string; readonly extension: Extension }[]
  readonly metrics: MetricsServers
}

export class Router {
  readonly #options: RouterOptions
  readonly #build: BuildInfo
  readonly #instanceId = randomUUID()
  readonly #startedAt = systemClock.monotonic()
  #readyAtMs = systemClock.now()
  #ready = false
  #generation: Generation | undefined
  /** The start, then the last of the reloads: one runs at a time, and stopping comes after them. Never rejects. */
  #reloading: Promise<boolean> = Promise.resolve(false)
  #stopping: Promise<RouterSnapshot> | undefined
  #ended!: (how: { readonly failed: boolean }) => void
  /**
   * Resolves when the router has stopped. `failed` only after a reload that could not start; a component that gives up
   * at run time is a clean stop (Collector reference 1.1).
   */
  readonly ended: Promise<{ readonly failed: boolean }>

  private constructor(options: RouterOptions, build: BuildInfo) {
    this.#options = options
    this.#build = build
    this.ended = new Promise((resolve) => {
      this.#ended = resolve
    })
  }

  /** Throws a ConfigError with every problem of the configuration, or the reason why a component cannot start. */
  static async start(options: RouterOptions, build: BuildInfo): Promise<Router> {
    const router = new Router(options, build)
    const configuration = await router.#load()
    if (configuration.problems.length > 0) throw new ConfigError(configuration.problems)
    const started = router.#run(configuration)
    router.#reloading = started.then(
      () => true,
      () => false,
    )
    await started
    return router
  }

  async #load(): Promise<Configuration> {
    const retrieve = readOnce(retrieverOf({ env: this.#options.env ?? process.env }))
    const configuration = await loadConfiguration(this.#options, retrieve)
    if (configuration.problems.length > 0) return configuration
    return { ...configuration, problems: await creationProblems(configuration, this.#build, { receivers: false }) }
  }

  /** Throws when a file for logs cannot be opened. */
  #openLog({ loaded }: Configuration): { log: RootLogger; resource: Labels } {
    const { telemetry } = loaded.service
    const resource = resourceAttributes(telemetry.resource, this.#build, this.#instanceId)
    return { log: createLogger(telemetry.logs, { clock: systemClock, resource }), resource }
  }

  async #run(configuration: Configuration, { log, resource } = this.#openLog(configuration)): Promise<void> {
    const { plan, loaded, warnings } = configuration
    const { telemetry } = loaded.service
    const warn = this.#options.onWarning ?? ((text: string) => log.warn(text))
    for (const warning of warnings) warn(formatProblem(warning))
    log.info(`Starting ${this.#build.command}...`, { Version: this.#build.version, shards: plan.shards })

    const meters = new MeterRegistry(telemetry.metrics.level)
    const own = meters.meter()
    observeProcess(own, systemClock)
    observeHeap(own)
    const totals = new ShardTotals()
    const elsewhere = plan.extensions.filter((id) => findEntry('extension', loaded.extensions.get(id)!.type)?.supervise)
    const supervisor = new Supervisor({
      shards: plan.shards,
      init: {
        plan,
        tree: configuration.tree,
        build: this.#build,
        resource,
        elsewhere,
        watch: this.#options.watch ?? false,
      },
      clock: systemClock,
      log,
      onFatal: (id, message) => {
        log.error('Asynchronous error received, terminating process', { 'otelcol.component.id': id, error: message })
        this.#giveUp(supervisor)
      },
      onDied: (shard, last) => totals.died(shard, last),
    })

    const views = pipelineViews(plan)
    // First those that they name: an authenticator of health_check.
    const extensions: { id: string; extension: Extension }[] = createNamedExtensions(
      elsewhere,
      loaded.extensions,
      (id, find) => ({
        kind: 'extension',
        id,
        log: log.with(componentFields('extension', id)),
        meter: meters.component('extension', id),
        clock: systemClock,
        random: Math.random,
        build: this.#build,
        report: (_status, error) => {
          if (error !== undefined) log.error(error.message, componentFields('extension', id))
        },
        extension: find,
        shard: { startedAtMs: systemClock.now(), pipelines: views, extensions: plan.extensions, status: () => [] },
      }),
    )
    const named = new Map(extensions.map(({ id, extension }) => [id, extension]))
    for (const id of elsewhere) {
      const { type, config } = loaded.extensions.get(id)!
      const supervise = await findEntry('extension', type)!.supervise!()
      const extension = supervise(config as never, {
        id,
        log: log.with(componentFields('extension', id)),
        meter: meters.component('extension', id),
        clock: systemClock,
        build: this.#build,
        pipelines: views,
        report: (status, error) => {
          if (status === 'fatal') this.#giveUp(supervisor)
          if (error !== undefined) log.error(error.message, componentFields('extension', id))
        },
        extension: (name) => named.get(name),
        health: () => this.#health(supervisor),
      })
      extensions.push({ id, extension })
    }

    const collect = async () => {
      const looks = await supervisor.look(true)
      for (const [shard, look] of looks.entries()) if (look?.metrics !== undefined) totals.update(shard, look.metrics)
      return [meters.snapshot(), ...totals.snapshots()]
    }
    let metrics: MetricsServers | undefined
    try {
      for (const { extension } of extensions) await extension.start?.()
      metrics = await startMetricsServers(telemetry.metrics, {
        collect,
        resource,
        log,
        clock: systemClock,
        build: this.#build,
      })
      await supervisor.start()
    } catch (error) {
      log.error('Cannot start', { error: (error as Error).message })
      await metrics?.stop()
      for (const { extension } of extensions) await extension.stop?.(AbortSignal.abort())
      throw error
    }
    this.#generation = { configuration, log, supervisor, extensions, metrics }
    this.#readyAtMs = systemClock.now()
    this.#ready = true
    for (const { extension } of extensions) extension.pipelinesStarted?.()
    log.info('Everything is ready. Begin running and processing data.')
  }

  #health(supervisor: Supervisor): Health {
    return { ready: this.#ready, startedAtMs: this.#readyAtMs, shards: supervisor.states() }
  }

  /** What flows, now. */
  async snapshot(): Promise<RouterSnapshot> {
    const { supervisor } = this.#generation!
    return this.#snapshotOf(await supervisor.look(false))
  }

  #snapshotOf(looks: readonly (ShardLook | undefined)[]): RouterSnapshot {
    const { configuration, supervisor } = this.#generation!
    const pipelines = configuration.loaded.service.pipelines.map(({ name, signal }) => {
      const sum = { in: 0, delivered: 0, refused: 0, dropped: 0, inFlight: 0 }
      for (const look of looks) {
        const totals = look?.pipelines.find((p) => p.name === name)
        if (totals === undefined) continue
        for (const key of Object.keys(sum) as (keyof typeof sum)[]) sum[key] += totals[key]
      }
      return { name, signal, ...sum }
    })
    const slowest = looks
      .flatMap((look) => (look?.slowest === undefined ? [] : [look.slowest]))
      .sort((a, b) => b.durationMs - a.durationMs)[0]
    return {
      uptimeMs: systemClock.monotonic() - this.#startedAt,
      healthy: this.#ready && supervisor.states().every((shard) => shard.state === 'ready'),
      pipelines,
      endpoints: endpointsOf(configuration),
      slowest,
    }
  }

  /**
   * Reads the configuration again and starts over with it, in the same process. A configuration with problems changes
   * nothing: they are logged, and the router runs on as it was. Resolves to whether the new one runs.
   */
  reload(): Promise<boolean> {
    this.#reloading = this.#reloading.then(() => this.#reload())
    return this.#reloading
  }

  async #reload(): Promise<boolean> {
    const before = this.#generation
    if (before === undefined || this.#stopping !== undefined) return false
    before.log.info('Config updated, restart service')
    const next = await this.#prepare(before.log)
    if (next === undefined) {
      before.log.error('The new configuration was not taken: the one before runs on.')
      return false
    }
    try {
      await this.#stopGeneration(before)
      await this.#run(next.configuration, next.opened)
      return true
    } catch {
      this.#ended({ failed: true })
      return false
    }
  }

  /** All that can be known of a new configuration while the one before still runs; what is wrong with it goes to `log`. */
  async #prepare(log: Logger) {
    try {
      const configuration = await this.#load()
      if (configuration.problems.length === 0) return { configuration, opened: this.#openLog(configuration) }
      for (const problem of configuration.problems) log.error(formatProblem(problem))
    } catch (error) {
      log.error((error as Error).message)
    }
    return undefined
  }

  async #stopGeneration(generation: Generation): Promise<(ShardLook | undefined)[]> {
    const { log, supervisor, extensions, metrics } = generation
    this.#ready = false
    for (const { extension } of extensions) extension.pipelinesStopping?.()
    const looks = await supervisor.stop(this.#options.drainMs ?? DRAIN_MS)
    for (const { id, extension } of extensions) {
      try {
        await extension.stop?.(AbortSignal.timeout(1_000))
      } catch (error) {
        log.error('stopping failed', { ...componentFields('extension', id), error: (error as Error).message })
      }
    }
    await metrics.stop()
    log.info('Shutdown complete.')
    log.close()
    return looks
  }

  /** A component reported that it cannot go on, perhaps while others still start, or while a reload stops it. */
  #giveUp(supervisor: Supervisor): void {
    void this.#reloading.then(() => {
      if (this.#ready && this.#generation?.supervisor === supervisor) void this.stop()
    })
  }

  /** Drains and stops. Resolves to what was counted in the end; calling it again waits for the same. */
  stop(): Promise<RouterSnapshot> {
    this.#stopping ??= this.#reloading.then(async () => {
      const generation = this.#generation!
      // A reload that could not start has ended the router already.
      if (!this.#ready) return this.#snapshotOf([])
      generation.log.info('Starting shutdown...')
      const looks = await this.#stopGeneration(generation)
      const last = this.#snapshotOf(looks)
      this.#ended({ failed: false })
      return last
    })
    return this.#stopping
  }
}

/** Where OTLP comes in, for the words that tell people where to send. */
function endpointsOf({ loaded, plan }: Configuration): Endpoint[] {
  const endpoints: Endpoint[] = []
  for (const { id } of plan.receivers) {
    const { type, config } = loaded.receivers.get(id)!
    if (type !== 'otlp') continue
    const { protocols } = config as { protocols: Record<'grpc' | 'http', { endpoint: string } | undefined> }
    for (const protocol of ['grpc', 'http'] as const) {
      const address = protocols[protocol]?.endpoint.replace(/^(0\.0\.0\.0|\[::\])?:/, 'localhost:')
      if (address !== undefined) endpoints.push({ protocol, address })
    }
  }
  return endpoints
}
