// One run: a router with a case's file between a load and a sink, each a process of its own, for so long; and its figures.
//
//   start sink, router, load -> warm up -> |<- measured: load runs, router drains ->| -> reconcile numbers
//
// CPU and memory are what the operating system says of each process (/proc, Linux only).

import type { BenchCase } from './case.ts'
import { wire } from './case.ts'
import { profiledFile, takeProfile } from './profile.ts'
import { ask, tryRequest } from './rig/first-request.ts'
import { Latencies, type LatencyFigures, latencyFigures } from './rig/latencies.ts'
import type { Encoding, Format, LoadReport, Protocol } from './rig/load.ts'
import { countMissing } from './rig/numbered.ts'
import { allocatedBytes } from './rig/own-metrics.ts'
import type { Signal } from './rig/payloads.ts'
import { freePort, LoadProcess, pause, RouterProcess, SinkProcess } from './rig/processes.ts'
import { laneKey, type SinkReport } from './rig/sink-report.ts'
import { machineCpuSeconds, type Usage } from './rig/usage.ts'
import type { Sut } from './suts.ts'

/** A case with everything decided. */
export interface Setting {
  readonly case: string
  /** Empty where the case has none. */
  readonly variant: string
  readonly definition: BenchCase
  readonly signal: Signal
  readonly input: Protocol
  readonly output: Protocol
  readonly format: Format
  readonly compression: Encoding
  readonly items: number
  readonly attributes: number
  /** Items a second; as fast as answers come when absent. */
  readonly rate?: number
  readonly sinkItemsPerSecond?: number
  readonly copies: number
  /** The share of the items that comes to the sink, about. */
  readonly kept: number
  readonly connections: number
  readonly inFlight: number
  readonly durationMs: number
  readonly warmUpMs: number
}

export interface RunFigures {
  readonly cpuSecondsPerMillionItems: number
  readonly itemsPerSecond: number
  readonly bytesPerSecond: number
  /** From when a request was due, or left in a closed loop, to its answer. */
  readonly answerMs: LatencyFigures
  /** Open loop: from when a request was due to its arrival at the sink. */
  readonly arrivalMs?: LatencyFigures
  readonly peakRssBytes: number
  /** The largest resident size in each third of the run: alike where memory is flat. */
  readonly rssBytesByThird: readonly [number, number, number]
  /** Allocated on the router's heaps, as it says itself, for each item. */
  readonly allocatedBytesPerItem?: number
  readonly items: number
  /** Items answered OK that never came; items that came again. */
  readonly lost: number
  readonly duplicates: number
  readonly refused: number
  /** Requests without an answer, and requests that an open loop could not send in time. */
  readonly unanswered: number
  readonly unsent: number
  /** Cores that each process was busy with. */
  readonly routerCores: number
  readonly loadCores: number
  readonly sinkCores: number
  /** What all other programs of the machine took meanwhile, interrupts included: with much of it, figures are disturbed. */
  readonly otherCores: number
  /** Open loop: how late the load was by itself, its 99th percentile. */
  readonly loadDelayP99Ms?: number
}

const SENDER = 1
const DRAIN_MS = 90_000
/** Longer than a router waits between two attempts: retry_on_failure's max_interval of 30 s, and half as much by chance. */
const OVERLOAD_QUIET_MS = 46_000
const QUIET_MS = 5_000
const SAMPLE_EVERY_MS = 100
/** Where a share comes, chance decides how much of it: so much of what is due has to be there. */
const LEAST_OF_SHARE = 0.8

export async function runOnce(sut: Sut, setting: Setting, profile?: string): Promise<RunFigures> {
  const { definition, signal, input, output, compression, variant } = setting
  const arrivals = setting.rate !== undefined
  const sink = await new SinkProcess({ signal, lanes: setting.copies, arrivals, itemsANumber: setting.items }).start()
  const router = new RouterProcess()
  const load = new LoadProcess()
  try {
    const ports = {
      input: await freePort(),
      metrics: await freePort(),
      output: sink.lanes.map((lane) => lane[output]),
    }
    const file = definition.file(wire({ signal, variant, input, output, compression }, ports))
    const profilePort = profile === undefined ? 0 : await freePort()
    await router.start(
      profile === undefined ? file : profiledFile(file, profilePort),
      () => tryRequest(input, ports.input, signal),
      { command: sut.command },
    )
    await load.start({
      protocol: input,
      port: ports.input,
      itemsPerRequest: setting.items,
      encoding: compression,
      inFlight: setting.inFlight,
      connections: setting.connections,
      sender: SENDER,
      signal,
      attributes: setting.attributes,
      format: setting.format,
    })
    const paced = setting.rate === undefined ? {} : { requestsPerSecond: setting.rate / setting.items }
    const warmUp = await router.during(load.run({ forMs: setting.warmUpMs, ...paced }))
    const warm = await sink.settled(itemsDue(setting, 1 + warmUp.ok * setting.items), DRAIN_MS, QUIET_MS)

    if (setting.sinkItemsPerSecond !== undefined) sink.setMode('answer', setting.sinkItemsPerSecond)
    // Costs the router something too, so it is asked outside of what is measured.
    const allocatedBefore = await allocatedBytes(ports.metrics)
    const before = usages({ router, load, sink })
    const machineBefore = machineCpuSeconds()
    const memory = sampleMemory(router, setting.durationMs)
    const profiling = profile === undefined ? undefined : takeProfile(profilePort, setting.durationMs, profile)
    const [report] = await router.during(Promise.all([load.run({ forMs: setting.durationMs, ...paced }), profiling]))
    if (report.ok === 0) {
      const answer = JSON.stringify(await ask(input, ports.input, signal, setting.items))
      const { refused, failed } = report
      throw new Error(
        `no request was answered OK: ${refused} refused, ${failed} without an answer. One alone: ${answer}`,
      )
    }
    const afterLoad = usages({ router, load, sink })
    const machineCores = (machineCpuSeconds() - machineBefore) / (report.wallMs / 1000)
    const rssBytesByThird = memory.stop()
    if (setting.sinkItemsPerSecond !== undefined) sink.setMode('answer')
    const expected = warm.distinctItems + itemsDue(setting, report.ok * setting.items)
    const quietMs = setting.sinkItemsPerSecond === undefined ? QUIET_MS : OVERLOAD_QUIET_MS
    const received = await router.during(sink.settled(expected, DRAIN_MS, quietMs))
    const after = router.usage()
    const allocatedAfter = await allocatedBytes(ports.metrics)
    const items = report.ok * setting.items
    const wallSeconds = report.wallMs / 1000
    const cores = (name: 'router' | 'load' | 'sink'): number =>
      (afterLoad[name].cpuSeconds - before[name].cpuSeconds) / wallSeconds
    return {
      cpuSecondsPerMillionItems: ((after.cpuSeconds - before.router.cpuSeconds) / items) * 1e6,
      itemsPerSecond: items / wallSeconds,
      bytesPerSecond: report.okBytes / wallSeconds,
      answerMs: latencyFigures(new Latencies(report.latencies)),
      ...(setting.rate === undefined ? {} : await openLoopFigures(sink, report, setting)),
      peakRssBytes: after.peakRssBytes,
      rssBytesByThird,
      ...(allocatedBefore === undefined || allocatedAfter === undefined
        ? {}
        : { allocatedBytesPerItem: (allocatedAfter - allocatedBefore) / items }),
      items,
      ...reconcile(setting, report.okNumbers, received, expected),
      refused: report.refused * setting.items,
      unanswered: report.failed,
      unsent: report.unsent,
      routerCores: cores('router'),
      loadCores: cores('load'),
      sinkCores: cores('sink'),
      otherCores: Math.max(0, machineCores - cores('router') - cores('load') - cores('sink')),
    }
  } catch (error) {
    const { message } = error as Error
    throw new Error((message.endsWith(router.output) ? message : `${message}\n${router.output}`).trimEnd())
  } finally {
    load.stop()
    await router.stop()
    sink.stop()
  }
}

/** Items that have to come to the sink, of so many that were answered OK. */
const itemsDue = ({ copies, kept }: Pick<Setting, 'copies' | 'kept'>, items: number): number =>
  kept === 1 ? items * copies : Math.floor(items * copies * kept * LEAST_OF_SHARE)

/** What was answered OK against what came, by numbers and by the sum of items; in items, over all copies. */
export function reconcile(
  { items, copies, kept }: Pick<Setting, 'items' | 'copies' | 'kept'>,
  okNumbers: Uint8Array,
  received: Pick<SinkReport, 'distinctItems' | 'numbers' | 'duplicates'>,
  expectedItems: number,
): { lost: number; duplicates: number } {
  // Which items come only the router knows: then the sum alone tells, within bounds.
  if (kept < 1) return { lost: Math.max(expectedItems - received.distinctItems, 0), duplicates: 0 }
  let missing = 0
  for (let lane = 0; lane < copies; lane++)
    missing += countMissing(okNumbers, received.numbers.get(laneKey(lane, SENDER)))
  // A part of a request may be lost while its number came: then only the sum tells.
  return {
    lost: Math.max(missing * items, expectedItems - received.distinctItems, 0),
    duplicates: received.duplicates * items,
  }
}

async function openLoopFigures(sink: SinkProcess, report: LoadReport, { rate, items }: Setting) {
  const perSecond = rate! / items
  const { firstNumber, fromMs } = report
  const count = report.ok + report.refused + report.failed
  const arrivals = await sink.arrivals({ sender: SENDER, firstNumber, count, fromMs, perSecond })
  return {
    arrivalMs: latencyFigures(arrivals),
    loadDelayP99Ms: new Latencies(report.delays).percentile(0.99),
  }
}

interface Processes {
  readonly router: RouterProcess
  readonly load: LoadProcess
  readonly sink: SinkProcess
}

const usages = ({ router, load, sink }: Processes): Readonly<Record<keyof Processes, Usage>> => ({
  router: router.usage(),
  load: load.usage(),
  sink: sink.usage(),
})

function sampleMemory(router: RouterProcess, forMs: number): { stop(): [number, number, number] } {
  const most: [number, number, number] = [0, 0, 0]
  const fromMs = performance.now()
  let sampling = true
  void (async () => {
    while (sampling && router.running) {
      const third = Math.min(2, Math.floor(((performance.now() - fromMs) / forMs) * 3))
      most[third] = Math.max(most[third]!, router.usage().rssBytes)
      await pause(SAMPLE_EVERY_MS)
    }
  })()
  return {
    stop: () => {
      sampling = false
      return most
    },
  }
}
