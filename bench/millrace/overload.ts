// The overload run: the sink stalls, or takes less than comes, while senders push; then it recovers.
//
//   normal | sink stalled or slow, senders push: RSS sampled, a probe asks for the status | sink answers, all drains
//
// What was answered OK has to arrive in the end, request by request, unless a counter of the router says why not.

import { ask, tryRequest } from '../rig/first-request.ts'
import type { Protocol } from '../rig/load.ts'
import { countMissing } from '../rig/numbered.ts'
import { sumSeries } from '../rig/own-metrics.ts'
import { freePort, LoadProcess, pause, RouterProcess, SinkProcess } from '../rig/processes.ts'
import { routerConfig } from './router-config.ts'

export interface OverloadOptions {
  readonly protocol: Protocol
  /** How long senders push while the sink stalls, or is slow. */
  readonly stallMs: number
  /** What the sink takes meanwhile; nothing by default. */
  readonly sinkSpansPerSecond?: number
  /** As hard as it goes by default. */
  readonly pushedSpansPerSecond?: number
  /** The queue is on disk, and holds so many bytes. */
  readonly diskQueueBytes?: number
  readonly spansPerRequest: number
  readonly inFlight: number
  /** How long the router may take to bring everything over once the sink is back. */
  readonly drainWithinMs: number
  /** Of the memory_limiter, whose check_interval is 1 s. */
  readonly memoryLimitMib: number
  readonly shards?: number
  /** More lines for the exporter. */
  readonly exporter?: readonly string[]
}

export interface OverloadReport {
  /** The largest resident size seen while the sink was stalled, and the kernel's own high-water mark. */
  readonly stalledRssBytes: number
  /** The same of the second and the last third of that time: alike where memory is flat. */
  readonly rssBytesByThird: readonly [number, number]
  readonly peakRssBytes: number
  /** Requests, of numbered ones, answered OK and refused. */
  readonly ok: number
  readonly refused: number
  /** Without an answer. */
  readonly failed: number
  /** Statuses that the probe was answered with while the sink was stalled, with how often. */
  readonly statuses: ReadonlyMap<number, number>
  /** How many of the probe's refusals said when to come again. */
  readonly hinted: number
  /** Requests answered OK that never arrived. */
  readonly missing: number
  /** Spans that the router counts as given up by its exporter or refused behind a queue. */
  readonly countedLostSpans: number
  /** Spans refused because the queue was full, and because memory was short. */
  readonly queueFullSpans: number
  readonly memoryLimitedSpans: number
  readonly drainMs: number
  readonly cpuSeconds: number
}

const OK = { grpc: 0, http: 200 } as const
const SAMPLE_EVERY_MS = 100
const PROBE_EVERY_MS = 250

export async function runOverload(options: OverloadOptions): Promise<OverloadReport> {
  const { protocol, stallMs, spansPerRequest, inFlight, diskQueueBytes } = options
  const sink = await new SinkProcess().start()
  const router = new RouterProcess()
  const load = new LoadProcess()
  try {
    const port = await freePort()
    const metricsPort = await freePort()
    const config = routerConfig({
      protocol,
      port,
      exportPort: protocol === 'grpc' ? sink.grpcPort : sink.httpPort,
      encoding: 'none',
      batching: true,
      memoryLimitMib: options.memoryLimitMib,
      shards: options.shards ?? 1,
      metricsPort,
      ...(diskQueueBytes === undefined ? {} : { queueDirectory: router.folder }),
      exporter: [
        // Of sending_queue, which stands before them.
        ...(diskQueueBytes === undefined
          ? []
          : ['  sizer: bytes', `  queue_size: ${diskQueueBytes}`, '  num_consumers: 4']),
        ...(options.exporter ?? []),
      ],
    })
    await router.start(config, () => tryRequest(protocol, port))
    await load.start({ protocol, port, itemsPerRequest: spansPerRequest, encoding: 'none', inFlight, sender: 1 })
    const before = await load.run({ forMs: Math.min(1_000, stallMs) })

    if (options.sinkSpansPerSecond === undefined) sink.setMode('stall')
    else sink.setMode('answer', options.sinkSpansPerSecond)
    const cpuBefore = router.usage().cpuSeconds
    const statuses = new Map<number, number>()
    const rssBytes: [number, number, number] = [0, 0, 0]
    let stalled = true
    let hinted = 0
    const stalledFrom = performance.now()
    const sample = (async () => {
      while (stalled) {
        const third = Math.min(2, Math.floor(((performance.now() - stalledFrom) / stallMs) * 3))
        rssBytes[third] = Math.max(rssBytes[third]!, router.usage().rssBytes)
        await pause(SAMPLE_EVERY_MS)
      }
    })()
    const probe = (async () => {
      while (stalled) {
        const answer = await ask(protocol, port)
        const status = answer.kind === 'ok' ? OK[protocol] : answer.kind === 'refused' ? answer.status : undefined
        if (status !== undefined && stalled) {
          statuses.set(status, (statuses.get(status) ?? 0) + 1)
          if (answer.kind === 'refused' && answer.retryAfterMs !== undefined) hinted++
        }
        await pause(PROBE_EVERY_MS)
      }
    })()
    const pushed = await load.run({
      forMs: stallMs,
      ...(options.pushedSpansPerSecond === undefined
        ? {}
        : { requestsPerSecond: options.pushedSpansPerSecond / spansPerRequest }),
    })
    stalled = false
    const cpuSeconds = router.usage().cpuSeconds - cpuBefore

    sink.setMode('answer')
    const drainFrom = performance.now()
    let missing = 0
    do {
      missing = countMissing(pushed.okNumbers, (await sink.report()).numbers.get(1))
      if (missing > 0) await pause(100)
    } while (missing > 0 && performance.now() - drainFrom < options.drainWithinMs)
    const drainMs = performance.now() - drainFrom
    const count = async (series: RegExp): Promise<number> => (await sumSeries(metricsPort, series)) ?? 0
    await Promise.all([sample, probe])
    return {
      stalledRssBytes: Math.max(...rssBytes),
      rssBytesByThird: [rssBytes[1], rssBytes[2]],
      peakRssBytes: router.usage().peakRssBytes,
      ok: before.ok + pushed.ok,
      refused: before.refused + pushed.refused,
      failed: before.failed + pushed.failed,
      statuses,
      hinted,
      missing,
      countedLostSpans: await count(LOST),
      queueFullSpans: await count(QUEUE_FULL),
      memoryLimitedSpans: await count(MEMORY_LIMITED),
      drainMs,
      cpuSeconds,
    }
  } finally {
    load.stop()
    await router.stop()
    sink.stop()
  }
}

// As the router's own metrics count them (Collector reference 6.3); the first are spans lost after they were accepted.
const LOST = /^otelcol_exporter_send_failed_spans(?:_total|__spans__total)?$/
const QUEUE_FULL = /^otelcol_exporter_enqueue_failed_spans(?:_total|__spans__total)?$/
const MEMORY_LIMITED = /^otelcol_processor(?:_memory_limiter)?_refused_spans(?:_total|__spans__total)?$/
