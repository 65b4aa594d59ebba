// Runs a scenario: a router as a real process between numbered senders and a moody sink, a list of steps, and the books.
//
//   senders (this process) ──gRPC, HTTP──▶ router (bin/millrace.js) ──gRPC or HTTP──▶ sink (bench/rig/sink.ts)
//                                            ▲ SIGKILL, SIGTERM, SIGHUP                 ▲ moods
//
// After the last step the sink answers again, the senders wait for their last answers, what is held drains, and the router
// is told to end.

import { connect } from 'node:net'
import { join } from 'node:path'
import { countMissing } from '../../bench/rig/numbered.ts'
import { readPage, sumOnPage, sumSeries } from '../../bench/rig/own-metrics.ts'
import { pause, RouterProcess, SinkProcess, type StartOptions } from '../../bench/rig/processes.ts'
import type { SinkMode, SinkReport } from '../../bench/rig/sink.ts'
import { Random } from '../../src/send/random.ts'
import { freePorts } from '../support/router-process.ts'
import { type Places, type Plant, plantFile } from './plant.ts'
import { type Books, reconcile } from './reconcile.ts'
import { Sender } from './sender.ts'

export type Step =
  /** The router serves for so long. */
  | { readonly do: 'serve'; readonly forMs: number }
  | { readonly do: 'sink'; readonly mode: SinkMode }
  /** SIGKILL, and a start; with `againAfterMs` it is killed once more so long after its start, ready or not. */
  | { readonly do: 'kill'; readonly againAfterMs?: number }
  | { readonly do: 'restart' }
  /** SIGHUP with another file. */
  | { readonly do: 'reload'; readonly plant: Plant }
  /** Something that happens to the machine. */
  | { readonly do: 'call'; readonly what: string; readonly call: () => void }

export interface Scenario {
  /** A promise. */
  readonly name: string
  readonly plant: Plant
  readonly senders: readonly {
    readonly protocol: 'grpc' | 'http'
    readonly spansPerRequest: number
    readonly inFlight: number
    readonly pauseMs?: number
  }[]
  /** `random` is uniform in [0, 1). */
  readonly steps: (random: () => number, long: boolean) => readonly Step[]
  /** Something of the machine that the run needs, given back at its end; or the words why this machine has it not. */
  readonly needs?: () => Ground | string
  /** Left out of the short form. */
  readonly longOnly?: boolean
  /** The run is to lose what was answered OK, because it was in memory alone: the books have to show it. */
  readonly loses?: true
  /** Whether senders have to be refused, each time with a time to wait; or must not be. */
  readonly refuses?: 'sometimes' | 'with a hint' | 'never'
}

export interface Ground {
  /** For the disk queue, in place of a folder of the router's own. */
  readonly storageFolder?: string
  readonly start?: StartOptions
  release?(): void
}

/** What a `num_consumers` of 10 has under way (Collector reference 3.1). */
const EXPORTS_UNDER_WAY = 10
const DRAIN_WITHIN_MS = 20_000
const LAST_ANSWERS_WITHIN_MS = 20_000
const LOST_ITEMS = /^otelcol_exporter_(send_failed|rejected)_spans(_total|__spans__total)?$/
const REFUSED_ITEMS = /^otelcol_receiver_refused_spans(_total|__spans__total)?$/
const REFUSED_REQUESTS = /^otelcol_receiver_refused_requests(_total|__requests__total)?$/

const RELOADS = /^otelcol_config_reloads(_total|__reloads__total)?$/
const LAST_RELOAD = /^otelcol_config_last_reload_successful$/
const RELOAD_WITHIN_MS = 20_000

export interface Outcome {
  readonly books: Books
  /** Statuses that senders were refused with: how often, and how often with a hint when to come again. */
  readonly statuses: ReadonlyMap<number, { readonly times: number; readonly hinted: number }>
  /** Of the last life's end. */
  readonly exitCode: number | null
  /** The last that it printed. */
  readonly output: string
  /** What was done, in words. */
  readonly log: readonly string[]
}

export class FaultRun {
  readonly #router = new RouterProcess()
  readonly #random: () => number
  readonly #log: string[] = []
  readonly #scenario: Scenario
  readonly #ground: Ground
  #sink: SinkProcess | undefined
  #senders: Sender[] = []
  #places: Places | undefined
  #plant: Plant
  #kills = 0
  #refusedBeforeLife = 0
  #unexplainedRefusals = 0
  #lostByExporters = 0

  constructor(scenario: Scenario, seed: number, ground: Ground = {}) {
    this.#ground = ground
    const random = new Random(seed)
    this.#random = () => random.next() / 2 ** 32
    this.#scenario = scenario
    this.#plant = scenario.plant
  }

  async run(long: boolean): Promise<Outcome> {
    const scenario = this.#scenario
    try {
      const [grpcPort = 0, httpPort = 0, metricsPort = 0, sinkGrpcPort = 0, sinkHttpPort = 0] = await freePorts(5)
      this.#places = {
        grpcPort,
        httpPort,
        metricsPort,
        sinkGrpcPort,
        sinkHttpPort,
        storageFolder: this.#ground.storageFolder ?? join(this.#router.folder, 'queue'),
      }
      this.#sink = await new SinkProcess({ ports: { grpc: sinkGrpcPort, http: sinkHttpPort } }).start()
      this.#senders = scenario.senders.map(
        (plan, index) =>
          new Sender({
            ...plan,
            id: index + 1,
            port: plan.protocol === 'grpc' ? grpcPort : httpPort,
            random: this.#random,
          }),
      )
      await this.#startRouter()
      for (const sender of this.#senders) sender.start()
      for (const step of scenario.steps(this.#random, long)) await this.#take(step)
      return await this.#end()
    } catch (error) {
      throw new Error(`${(error as Error).message}\n${this.#log.join('\n')}`, { cause: error })
    } finally {
      for (const sender of this.#senders) sender.close()
      await this.#router.end('SIGKILL')
      await this.#router.stop()
      this.#sink?.stop()
    }
  }

  async #take(step: Step): Promise<void> {
    this.#log.push(describe(step))
    if (step.do !== 'call' && !this.#router.running)
      throw new Error(`the router ended by itself:\n${this.#router.output}`)
    switch (step.do) {
      case 'serve':
        return pause(step.forMs)
      case 'sink':
        return this.#sink!.setMode(step.mode)
      case 'kill':
        await this.#kill()
        if (step.againAfterMs !== undefined) {
          await this.#startRouter(async () => true)
          await pause(step.againAfterMs)
          await this.#kill()
        }
        return this.#startRouter()
      case 'restart': {
        await this.#scrape()
        const code = await this.#router.end('SIGTERM')
        if (code !== 0) throw new Error(`SIGTERM ended the router with ${code}:\n${this.#router.output}`)
        return this.#startRouter()
      }
      case 'reload':
        return this.#reload(step.plant)
      case 'call':
        return step.call()
    }
  }

  async #kill(): Promise<void> {
    await this.#scrape()
    await this.#router.end('SIGKILL')
    this.#kills++
  }

  async #reload(plant: Plant): Promise<void> {
    const { metricsPort } = this.#places!
    const before = (await sumSeries(metricsPort, RELOADS)) ?? 0
    this.#plant = plant
    this.#router.writeConfig(plantFile(plant, this.#places!))
    this.#router.signal('SIGHUP')
    const until = performance.now() + RELOAD_WITHIN_MS
    while (((await sumSeries(metricsPort, RELOADS)) ?? 0) <= before) {
      if (performance.now() > until) throw new Error(`a reload does not end:\n${this.#router.output}`)
      await pause(20)
    }
    if ((await sumSeries(metricsPort, LAST_RELOAD)) !== 1) throw new Error(`a reload failed:\n${this.#router.output}`)
  }

  async #startRouter(ready: () => Promise<boolean> = () => this.#isReady()): Promise<void> {
    // Answers of the life before have left its sockets by now: this is what the senders need to read them.
    await pause(10)
    this.#refusedBeforeLife = this.#refused()
    await this.#router.start(plantFile(this.#plant, this.#places!), ready, this.#ground.start)
  }

  async #isReady(): Promise<boolean> {
    const { grpcPort, httpPort } = this.#places!
    return (await accepts(grpcPort)) && (await accepts(httpPort))
  }

  #refused(): number {
    return this.#senders.reduce((sum, { fates }) => sum + fates.refused, 0)
  }

  /**
   * The counters of this life, before it ends. Every refusal that a sender has heard of by now is counted by then; where
   * the page does not answer (it was killed while it started) nothing is compared.
   */
  async #scrape(): Promise<void> {
    const heard = this.#refused() - this.#refusedBeforeLife
    const page = await readPage(this.#places!.metricsPort)
    if (page === '') return
    const inRequests = sumOnPage(page, REFUSED_REQUESTS) ?? 0
    const largest = Math.max(...this.#scenario.senders.map(({ spansPerRequest }) => spansPerRequest))
    const counted = (sumOnPage(page, REFUSED_ITEMS) ?? 0) + inRequests * largest
    this.#unexplainedRefusals += Math.max(0, heard - counted)
    this.#lostByExporters += sumOnPage(page, LOST_ITEMS) ?? 0
  }

  async #end(): Promise<Outcome> {
    this.#sink!.setMode('answer')
    const finished = await Promise.all(this.#senders.map((sender) => sender.finish(LAST_ANSWERS_WITHIN_MS)))
    if (finished.includes(false)) throw new Error(`a sender got no final answer:\n${this.#router.output}`)
    await this.#drained()
    await this.#scrape()
    const exitCode = await this.#router.end('SIGTERM')
    const report = await this.#sink!.report()
    const books = reconcile(this.#fates(), report, {
      kills: this.#kills,
      unexplainedRefusals: this.#unexplainedRefusals,
      lostByExporters: this.#lostByExporters,
      exportsUnderWay: EXPORTS_UNDER_WAY,
    })
    const statuses = new Map<number, { times: number; hinted: number }>()
    for (const { fates } of this.#senders) for (const [status, seen] of fates.statuses) statuses.set(status, seen)
    return { books, statuses, exitCode, output: this.#router.output, log: this.#log }
  }

  #fates(): Map<number, Sender['fates']> {
    return new Map(this.#senders.map(({ fates }, index) => [index + 1, fates]))
  }

  /** Waits until everything that was answered OK has arrived; where some may be lost, until nothing more arrives. */
  async #drained(): Promise<void> {
    const until = performance.now() + DRAIN_WITHIN_MS
    let before = -1
    while (performance.now() < until) {
      const report = await this.#sink!.report()
      const missing = this.#missing(report)
      if (missing === 0 || (this.#scenario.loses === true && missing === before)) return
      before = missing
      await pause(this.#scenario.loses === true ? 500 : 50)
    }
  }

  #missing(report: SinkReport): number {
    let missing = 0
    for (const [id, { acknowledged }] of this.#fates())
      missing += countMissing(acknowledged.bits, report.numbers.get(id), report.rejected.get(id))
    return missing
  }
}

const describe = (step: Step): string => {
  switch (step.do) {
    case 'serve':
      return `serve for ${Math.round(step.forMs)} ms`
    case 'sink':
      return `sink: ${step.mode}`
    case 'kill':
      return step.againAfterMs === undefined
        ? 'kill'
        : `kill, and again ${Math.round(step.againAfterMs)} ms after the start`
    case 'restart':
      return 'restart'
    case 'reload':
      return 'reload'
    case 'call':
      return step.what
  }
}

const accepts = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.destroy()
      resolve(true)
    })
    socket.on('error', () => resolve(false))
  })
