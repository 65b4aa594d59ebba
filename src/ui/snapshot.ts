// What the live view knows of a running router: plain data, taken once a second or so.

import type { PipelineTotals } from '../graph/pipeline.ts'
import type { SlowTrace } from './slowest-trace.ts'

export interface Endpoint {
  readonly protocol: 'grpc' | 'http'
  /** `host:port` as a client on this machine reaches it. */
  readonly address: string
}

export interface RouterSnapshot {
  readonly uptimeMs: number
  readonly healthy: boolean
  /** In the configuration's order; counts since the start, in items. */
  readonly pipelines: readonly PipelineTotals[]
  /** Where OTLP is received. */
  readonly endpoints: readonly Endpoint[]
  /** Absent without `watch`, and while no trace came. */
  readonly slowest?: SlowTrace | undefined
}

export interface PipelineRates {
  readonly inPerSecond: number
  readonly outPerSecond: number
}

/** Items per second between two snapshots; zero where a pipeline is new, or was counted anew after a restart. */
export function pipelineRates(
  before: RouterSnapshot | undefined,
  now: RouterSnapshot,
): ReadonlyMap<string, PipelineRates> {
  const seconds = before === undefined ? 0 : (now.uptimeMs - before.uptimeMs) / 1000
  const rates = new Map<string, PipelineRates>()
  for (const pipeline of now.pipelines) {
    const earlier = before?.pipelines.find((other) => other.name === pipeline.name)
    const rate = (value: number, then: number | undefined): number =>
      then === undefined || seconds <= 0 ? 0 : Math.max(0, value - then) / seconds
    rates.set(pipeline.name, {
      inPerSecond: rate(pipeline.in, earlier?.in),
      outPerSecond: rate(pipeline.delivered, earlier?.delivered),
    })
  }
  return rates
}
