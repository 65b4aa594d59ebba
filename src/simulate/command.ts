// `millrace simulate`: a plant's messages to a broker, progress on standard error, totals on standard output.

import { writeFileSync } from 'node:fs'
import { systemClock } from '../graph/clock.ts'
import { type PlantEvent, topicMessage } from '../plant/messages.ts'
import { Simulation } from '../plant/simulation.ts'
import { type BrokerOptions, readSimulateOptions, type SimulateOptions, SimulateUsageError } from './options.ts'
import { Publisher } from './publisher.ts'
import { SparkplugPublisher } from './sparkplug-publisher.ts'

const USAGE = 2
/** As fast as possible means: with so many messages under way. */
const UNDER_WAY = 2_000
/** What is under way at the end has so long to be acknowledged. */
const SETTLES_WITHIN_MS = 5_000

/** Resolves to the exit code. */
export async function run(argv: readonly string[]): Promise<number> {
  let options: SimulateOptions | string
  try {
    options = readSimulateOptions(argv, { env: process.env, nowMs: Date.now() })
  } catch (error) {
    if (!(error instanceof SimulateUsageError)) throw error
    process.stderr.write(`Error: ${error.message}\nmillrace simulate --help lists the flags.\n`)
    return USAGE
  }
  if (typeof options === 'string') {
    process.stdout.write(options)
    return 0
  }
  return await (options.broker === undefined ? print(options) : publish(options, publisherOf(options, options.broker)))
}

async function print(options: SimulateOptions): Promise<number> {
  let isFull = false
  const simulation = new Simulation({
    ...options,
    clock: systemClock,
    take: (event: PlantEvent) => {
      if (event.kind !== 'message') return
      const { topic, payload } = topicMessage(event)
      isFull = !process.stdout.write(`${topic} ${payload}\n`)
    },
    settled: async () => {
      if (isFull) await new Promise<void>((resolve) => process.stdout.once('drain', () => resolve()))
      isFull = false
    },
  })
  // The reader of a pipe may leave before the end.
  process.stdout.once('error', () => simulation.stop())
  await whileAlive(simulation, () => simulation.run())
  writeTruth(options, simulation)
  return 0
}

function publisherOf(options: SimulateOptions, broker: BrokerOptions): Publisher | SparkplugPublisher {
  const { sparkplugGroup: group, scenario, startMs } = options
  if (group === undefined) return new Publisher(broker)
  const ignored = (topic: string, why: string): void => void process.stderr.write(`${topic}: ignored; ${why}\n`)
  return new SparkplugPublisher({ broker, group, scenario, startMs, ignored })
}

async function publish(options: SimulateOptions, publisher: Publisher | SparkplugPublisher): Promise<number> {
  const simulation = new Simulation({
    ...options,
    clock: systemClock,
    take: (event) => publisher.take(event),
    settled: () => publisher.settled(UNDER_WAY),
  })
  const fromMs = systemClock.monotonic()
  const progress = setInterval(() => {
    const { totals } = publisher
    const seconds = ((systemClock.monotonic() - fromMs) / 1000).toFixed(0)
    const trouble = totals.connected === 0 && publisher.lastError !== '' ? `; ${publisher.lastError}` : ''
    process.stderr.write(
      `${seconds}s: ${totals.connected} connected, sent ${totals.sent}, waiting ${totals.waiting}, lost ${totals.lost}${trouble}\n`,
    )
  }, options.reportEveryMs)
  const refused = await whileAlive(simulation, async (stopped) => {
    try {
      await Promise.race([publisher.start(simulation.devices), stopped])
    } catch (error) {
      return (error as Error).message
    }
    await Promise.race([simulation.run(), stopped])
    await Promise.race([publisher.settled(), new Promise((resolve) => setTimeout(resolve, SETTLES_WITHIN_MS))])
    return undefined
  })
  clearInterval(progress)
  await publisher.stop()
  if (refused !== undefined) {
    process.stderr.write(`Error: ${options.broker?.url}: ${refused}\n`)
    return 1
  }
  writeTruth(options, simulation)
  const { totals } = publisher
  process.stdout.write(
    `${simulation.devices.length} devices to ${options.broker?.url}: sent ${totals.sent} messages, lost ${totals.lost}\n`,
  )
  return totals.sent === 0 ? 1 : 0
}

/** Runs `body` until Ctrl-C. The timers here keep the process alive, which the clock's own do not. */
async function whileAlive<T>(simulation: Simulation, body: (stopped: Promise<void>) => Promise<T>): Promise<T> {
  const { promise, resolve } = Promise.withResolvers<void>()
  const alive = setInterval(() => {}, 60_000)
  const stop = (): void => {
    simulation.stop()
    resolve()
  }
  process.once('SIGINT', stop)
  process.once('SIGTERM', stop)
  const result = await body(promise)
  process.off('SIGINT', stop)
  process.off('SIGTERM', stop)
  clearInterval(alive)
  return result
}

function writeTruth({ truthFile }: SimulateOptions, simulation: Simulation): void {
  if (truthFile !== undefined) writeFileSync(truthFile, `${JSON.stringify(simulation.truth(), null, 2)}\n`)
}
