// The router as a whole, for the command line, the demo and tests: configuration in, running shards out.
//
// The main thread only supervises: it checks the configuration, hosts the shards, sums their metrics, answers health
// checks and reloads. Telemetry never passes through it.

import { randomUUID } from 'node:crypto'
import { normalize } from 'node:path'
import type { LoadOptions } from './config/load.ts'
import { ConfigError, formatProblem } from './config/problem.ts'
import { type Retriever, readOnce, retrieverOf } from './config/sources.ts'
import { FileWatch } from './config/watch.ts'
import { Generation, type GenerationHost, restartReason, type Settings } from './generation.ts'
import { systemClock } from './graph/clock.ts'
import type { BuildInfo } from './graph/component.ts'
import { type Configuration, loadConfiguration } from './graph/configuration.ts'
import { creationProblems } from './graph/create-all.ts'
import type { Health, LastReload, ReloadResult } from './graph/supervised.ts'
import { canSharePorts } from './net/listen.ts'
import { telemetryConfig } from './self/config.ts'
import { createLogger } from './self/logger.ts'
import type { Meter } from './self/meter.ts'
import { resourceAttributes } from './self/resource.ts'
import type { ShardLook } from './shards/messages.ts'
import type { Endpoint, RouterSnapshot } from './ui/snapshot.ts'

export type { ReloadResult } from './graph/supervised.ts'

export interface RouterOptions extends LoadOptions {
  readonly env?: Readonly<Record<string, string | undefined>>
  /** Reload when a file that the configuration was read from changes. */
  readonly watch?: boolean
  /** Keep the slowest recent trace for the live view. */
  readonly liveView?: boolean
  /** How long stopping, and each part that a reload takes out, waits for what is under way. Default 10 s. */
  readonly drainMs?: number
  /** URL of a shard thread's entry, instead of shards/worker.ts: for tests. */
  readonly worker?: string
  /** Told of every warning about the configuration, as a text of several lines. Default: they are logged. */
  readonly onWarning?: (text: string) => void
}

export const DRAIN_MS = 10_000

const STOPPING: ReloadResult = { ok: false, problem: 'the router is stopping' }

export class Router {
  readonly #options: RouterOptions
  readonly #host: GenerationHost
  readonly #instanceId = randomUUID()
  readonly #startedAt = systemClock.monotonic()
  readonly #drainMs: number
  #readyAtMs = systemClock.now()
  #ready = false
  #generation: Generation | undefined
  /** The start, then the last of the reloads: one runs at a time, and stopping comes after them. Never rejects. */
  #busy: Promise<unknown> = Promise.resolve()
  /** A reload that waits for the one that runs: whoever asks meanwhile gets its result. */
  #waiting: Promise<ReloadResult> | undefined
  readonly #reloads = { ok: 0, refused: 0 }
  #lastReload: LastReload | undefined
  /** When the configuration that runs was taken, in milliseconds since 1970. */
  #takenAtMs = systemClock.now()
  #watch: FileWatch | undefined
  #stopping: Promise<RouterSnapshot> | undefined
  #ended!: (how: { readonly failed: boolean }) => void
  /**
   * Resolves when the router has stopped. `failed` only where neither a new configuration nor the one before could be
   * started; a component that gives up at run time is a clean stop (Collector reference 1.1).
   */
  readonly ended: Promise<{ readonly failed: boolean }>

  private constructor(options: RouterOptions, build: BuildInfo) {
    this.#options = options
    this.#drainMs = options.drainMs ?? DRAIN_MS
    this.#host = {
      build,
      sharePorts: false,
      ...(options.worker === undefined ? {} : { worker: options.worker }),
      liveView: options.liveView ?? false,
      giveUp: (generation) => this.#giveUp(generation),
      health: (generation) => this.#health(generation),
      control: { reload: () => this.reload(), config: () => this.#printConfig() },
      observe: (meter) => this.#observe(meter),
      warn: (log, text) => (options.onWarning === undefined ? log.warn(text) : options.onWarning(text)),
    }
    this.ended = new Promise((resolve) => {
      this.#ended = resolve
    })
  }

  /** Throws a ConfigError with every problem of the configuration, or the reason why a component cannot start. */
  static async start(options: RouterOptions, build: BuildInfo): Promise<Router> {
    const router = new Router(options, build)
    if (options.watch === true)
      router.#watch = new FileWatch({ clock: systemClock, onChange: () => void router.reload() })
    try {
      const configuration = await router.#load()
      if (configuration.problems.length > 0) throw new ConfigError(configuration.problems)
      const started = router.#run(router.#settings(configuration))
      router.#busy = started.catch(() => {})
      await started
    } catch (error) {
      router.#watch?.close()
      throw error
    }
    return router
  }

  async #load(): Promise<Configuration> {
    const files = new Map<string, string | undefined>()
    const retrieve = retrieverOf({ env: this.#options.env ?? process.env })
    const noting: Retriever = async (uri) => {
      const got = await retrieve(uri)
      if (uri.scheme === 'file') files.set(normalize(uri.opaque), got.ok ? got.text : undefined)
      return got
    }
    try {
      const configuration = await loadConfiguration(this.#options, readOnce(noting))
      if (configuration.problems.length > 0) return configuration
      const problems = await creationProblems(configuration, this.#host.build, { receivers: false })
      return { ...configuration, problems }
    } finally {
      this.#watch?.look(files)
    }
  }

  #settings(configuration: Configuration): Settings {
    const { resource } = configuration.loaded.service.telemetry
    return { configuration, resource: resourceAttributes(resource, this.#host.build, this.#instanceId) }
  }

  async #run(settings: Settings): Promise<void> {
    const { plan, tree } = settings.configuration
    const sharePorts = plan.shards > 1 && !tree.gates.has('millrace.shards.oneListener') && (await canSharePorts())
    const generation = new Generation({ ...this.#host, sharePorts }, settings)
    await generation.start()
    this.#generation = generation
    this.#readyAtMs = systemClock.now()
    this.#takenAtMs = this.#readyAtMs
    this.#ready = true
    generation.pipelinesStarted()
  }

  #observe(meter: Meter): void {
    for (const result of ['ok', 'refused'] as const) {
      const options = { labels: { result }, monotonic: true }
      const words = 'Reloads of the configuration, by what became of them.'
      meter.observe('config_reloads', '{reload}', words, () => this.#reloads[result], options)
    }
    const words = '1 when the last reload was taken, or there was none; 0 when it was refused and the one before runs.'
    meter.observe('config_last_reload_successful', '1', words, () => (this.#lastReload?.result.ok === false ? 0 : 1))
    const since = 'When the configuration that runs was taken, in seconds since 1970.'
    meter.observe('config_taken_at_seconds', 's', since, () => this.#takenAtMs / 1000)
  }

  #health({ supervisor }: Generation): Health {
    return {
      ready: this.#ready,
      startedAtMs: this.#readyAtMs,
      shards: supervisor.states(),
      lastReload: this.#lastReload,
    }
  }

  async #printConfig(): Promise<string> {
    const { printConfig } = await import('./config/print.ts')
    return printConfig(this.#generation!.configuration.loaded, telemetryConfig, { format: 'yaml', reveal: false })
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
   * Reads the configuration again and goes over to it while everything runs: what it leaves as it was notices nothing.
   * One that cannot be taken changes nothing; what is wrong with it is logged. One reload runs at a time, and all that
   * are asked for meanwhile become one more. Never rejects.
   */
  reload(): Promise<ReloadResult> {
    this.#waiting ??= this.#busy.then(async () => {
      this.#waiting = undefined
      const reloading = this.#reload()
      this.#busy = reloading
      return await reloading
    })
    return this.#waiting
  }

  async #reload(): Promise<ReloadResult> {
    const generation = this.#generation
    if (generation === undefined || !this.#ready || this.#stopping !== undefined) return STOPPING
    const { log } = generation
    log.info('Config updated, reloading.')
    const result = await this.#take(generation)
    this.#lastReload = { atMs: systemClock.now(), result }
    this.#reloads[result.ok ? 'ok' : 'refused']++
    if (result.ok) {
      this.#takenAtMs = this.#lastReload.atMs
      const { kept, started, stopped } = result
      this.#generation?.log.info('The new configuration runs.', {
        kept: kept.length,
        started: started.join(', '),
        stopped: stopped.join(', '),
      })
    } else {
      log.error(result.problem)
      log.error('The new configuration was not taken: the one before runs on.')
    }
    return result
  }

  async #take(generation: Generation): Promise<ReloadResult> {
    let next: Settings
    try {
      const configuration = await this.#load()
      if (configuration.problems.length > 0)
        return { ok: false, problem: configuration.problems.map(formatProblem).join('\n') }
      next = this.#settings(configuration)
      // A file for logs that cannot be opened is found here.
      createLogger(configuration.loaded.service.telemetry.logs, { clock: systemClock, resource: {} }).close()
    } catch (error) {
      return { ok: false, problem: (error as Error).message }
    }
    const reason = restartReason(generation.configuration, next.configuration)
    if (reason !== undefined) return await this.#startOver(generation, next, reason)
    const { broken, ...result } = await generation.reload(next, this.#drainMs)
    if (!broken) return result
    // What ran before is damaged: a complete start is all that is left.
    await this.#startOver(generation, generation.settings, 'the reload could not be taken back')
    return result
  }

  /** Stops everything and starts with `next`; where that fails, with what ran before. */
  async #startOver(generation: Generation, next: Settings, reason: string): Promise<ReloadResult> {
    generation.log.warn('Everything is stopped and started again: this cannot change while it runs.', { reason })
    this.#ready = false
    await generation.stop(this.#drainMs)
    try {
      await this.#run(next)
      return { ok: true, kept: [], started: ['everything'], stopped: ['everything'] }
    } catch (error) {
      try {
        await this.#run(generation.settings)
      } catch {
        this.#watch?.close()
        this.#ended({ failed: true })
      }
      return { ok: false, problem: (error as Error).message }
    }
  }

  /** A component reported that it cannot go on, perhaps while others still start, or while a reload stops it. */
  #giveUp(generation: Generation): void {
    void this.#busy.then(() => {
      if (this.#ready && this.#generation === generation) void this.stop()
    })
  }

  /** Drains and stops. Resolves to what was counted in the end; calling it again waits for the same. */
  stop(): Promise<RouterSnapshot> {
    this.#stopping ??= this.#busy.then(async () => {
      const generation = this.#generation!
      this.#watch?.close()
      // A reload that could not start has ended the router already.
      if (!this.#ready) return this.#snapshotOf([])
      generation.log.info('Starting shutdown...')
      this.#ready = false
      const last = this.#snapshotOf(await generation.stop(this.#drainMs))
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
