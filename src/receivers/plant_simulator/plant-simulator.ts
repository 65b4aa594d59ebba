// The receiver: a plant whose time goes with the clock, and what its devices say in batches of OTLP.
//
//   simulation ──events──▶ words-to-otlp (bytes grow) ──after each second, or MAX_BATCH_BYTES──▶ way out ──▶ pipelines
//              ◀── waits while something is on its way ──────────────────────────────────────────────'
//
// So a pipeline that takes nothing makes time stand still in the plant: nothing is lost, and no more is held than the
// plant says in a second.

import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { ConfigError } from '../../config/problem.ts'
import type { Receiver, ReceiverContext } from '../../graph/component.ts'
import type { Signal } from '../../otlp/signal.ts'
import { loadScenario, tryStart } from '../../plant/run.ts'
import { type Scenario, withDevices } from '../../plant/scenario.ts'
import { Simulation } from '../../plant/simulation.ts'
import type { Counter } from '../../self/meter.ts'
import { type ReceiverMetrics, receiverMetrics } from '../../self/receiver-metrics.ts'
import { FailureLog } from '../../sending/failure-log.ts'
import type { PlantSimulatorConfig } from './config.ts'
import { WayOut } from './way-out.ts'
import { WordsToOtlp } from './words-to-otlp.ts'

/** A second of a large plant is cut into batches of about this size. */
const MAX_BATCH_BYTES = 1024 * 1024
const SIGNALS = ['metrics', 'logs'] as const

export class PlantSimulator implements Receiver {
  readonly #cfg: PlantSimulatorConfig
  readonly #context: ReceiverContext
  readonly #scenario: Scenario
  readonly #words: WordsToOtlp
  readonly #out: WayOut
  readonly #counted = new Map<Signal, ReceiverMetrics>()
  readonly #dropped: Counter
  readonly #refusals: FailureLog
  readonly #waits: FailureLog
  #simulation: Simulation | undefined
  #running: Promise<void> | undefined

  constructor(cfg: PlantSimulatorConfig, context: ReceiverContext) {
    const { outputs, log, clock, meter, random } = context
    this.#cfg = cfg
    this.#context = context
    const scenario = readScenarioFile(cfg.scenario, `receivers.${context.id}.scenario`)
    this.#scenario = cfg.devices.length === 0 ? scenario : withDevices(scenario, cfg.devices)
    this.#words = new WordsToOtlp({
      devices: this.#scenario.devices,
      takesMetrics: outputs.metrics !== undefined,
      takesLogs: outputs.logs !== undefined,
    })
    const postponed = meter.counter(
      'receiver_plant_simulator_postponed_batches',
      '{batch}',
      'Number of waits because a pipeline did not take a batch for now.',
    )
    this.#dropped = meter.counter(
      'receiver_plant_simulator_dropped_items',
      '{item}',
      'Number of readings and events that were dropped: no pipeline takes their signal, or the router stopped before one did.',
    )
    this.#refusals = new FailureLog(
      log,
      clock,
      'error',
      'a pipeline refused what the plant said for good',
      'dropped_items',
    )
    this.#waits = new FailureLog(log, clock, 'warn', 'a pipeline takes nothing now: the plant waits', 'waiting_items')
    this.#out = new WayOut({
      clock,
      random,
      backoff: cfg.retry,
      accepted: ({ signal, items }) => this.#metricsOf(signal).accepted.add(items),
      refused: ({ signal, items }, error) => {
        this.#metricsOf(signal).refused.add(items)
        this.#refusals.report(error, items, { signal })
      },
      postponed: ({ items }, error) => {
        postponed.add(1)
        this.#waits.report(error, items)
      },
    })
  }

  start(): void {
    const { clock, log } = this.#context
    const { seed = this.#scenario.seed, start, speed, durationMs } = this.#cfg
    const { readings } = this.#words
    const startMs = start === '' ? Math.floor(clock.now() / 1000) * 1000 : tryStart(start)!
    const simulation = new Simulation({
      scenario: this.#scenario,
      seed,
      startMs,
      speed,
      durationMs: durationMs === 0 ? Number.POSITIVE_INFINITY : durationMs,
      clock,
      take: (event) => {
        this.#words.take(event)
        if (readings.metrics.to + readings.logs.to > MAX_BATCH_BYTES) this.#flush()
      },
      told: () => this.#flush(),
      isHeld: () => this.#out.isBusy,
      settled: () => this.#out.idle(),
    })
    this.#simulation = simulation
    // A file that cannot be written is better known now than at the end.
    this.#writeTruth(simulation)
    log.info('the plant begins', { devices: simulation.devices.length, seed, start: new Date(startMs).toISOString() })
    this.#running = simulation.run().then(() => this.#ended(simulation))
  }

  async stop(deadline: AbortSignal): Promise<void> {
    this.#simulation?.stop()
    const isLate = new Promise<void>((resolve) => {
      if (deadline.aborted) resolve()
      else deadline.addEventListener('abort', () => resolve(), { once: true })
    })
    await Promise.race([this.#out.idle(), isLate])
    this.#dropped.add(this.#out.stop())
    await this.#running
    this.#refusals.flush()
    this.#waits.flush()
  }

  /** Once: by its duration, or because the router stops. */
  #ended(simulation: Simulation): void {
    this.#simulation = undefined
    try {
      this.#writeTruth(simulation)
    } catch (error) {
      this.#context.log.error('the ground truth could not be written', { error: (error as Error).message })
    }
    this.#context.log.info('the plant has come to its end', { seconds: simulation.truth().seconds })
  }

  #flush(): void {
    const { readings } = this.#words
    for (const signal of SIGNALS) {
      const { items } = readings[signal]
      const bytes = readings[signal].take()
      const output = this.#context.outputs[signal]
      if (bytes !== undefined && output !== undefined) this.#out.send({ signal, bytes, items, output })
    }
    this.#dropped.add(readings.dropped)
    readings.dropped = 0
  }

  #writeTruth(simulation: Simulation): void {
    const { groundTruth } = this.#cfg
    if (groundTruth === '') return
    mkdirSync(dirname(groundTruth), { recursive: true })
    writeFileSync(groundTruth, `${JSON.stringify(simulation.truth(), null, 2)}\n`)
  }

  #metricsOf(signal: Signal): ReceiverMetrics {
    let metrics = this.#counted.get(signal)
    if (metrics === undefined) {
      metrics = receiverMetrics(this.#context.meter, signal, 'plant_simulator')
      this.#counted.set(signal, metrics)
    }
    return metrics
  }
}

function readScenarioFile(path: string, key: string): Scenario {
  try {
    return loadScenario(path)
  } catch (error) {
    if (error instanceof ConfigError) throw error
    const what = `the scenario cannot be read: ${(error as Error).message}`
    throw new ConfigError([
      { code: 'CONFIG_INVALID', path: key, what, fix: 'name a file, or leave it out for a small plant' },
    ])
  }
}
