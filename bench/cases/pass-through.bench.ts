// What the whole router costs: a real process between a sender and a sink that are processes of their own.
//
//   load --(gRPC or HTTP)--> router --(the same)--> sink
//
// Figures are the router's alone: utime and stime of all its threads, VmHWM, what it says to have allocated on its heaps.
// A run that loses a span fails the case.

import { tryRequest } from '../first-request.ts'
import type { BenchResult, MeasureOptions } from '../harness.ts'
import { measured, median } from '../harness.ts'
import type { Encoding, Protocol } from '../load.ts'
import { countMissing } from '../numbered.ts'
import { allocatedBytes } from '../own-metrics.ts'
import { freePort, LoadProcess, RouterProcess, SinkProcess } from '../processes.ts'
import { routerConfig } from '../router-config.ts'

type Variant = 'direct' | 'batched' | 'insert'

interface Setting {
  readonly protocol: Protocol
  readonly spansPerRequest: number
  readonly encoding: Encoding
  readonly variant: Variant
}

/** A round of this many of the harness's rounds: start-up of connections must not count. */
const ROUND_FACTOR = 12
const SPANS_IN_FLIGHT = 16_000
const DRAIN_MS = 15_000

/**
 * Spans per second for a router with a queue, about half of what one core can do. A queue answers before the sink has,
 * so a sender that waits for nothing but answers runs ahead until memory_limiter refuses, and then the figure is that of
 * an overload (which has a case of its own).
 */
const PACE: Readonly<Record<number, number>> = { 10: 40_000, 100: 150_000, 1000: 250_000 }

async function measure(name: string, setting: Setting, options: MeasureOptions): Promise<BenchResult[]> {
  const { protocol, spansPerRequest, encoding, variant } = setting
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
      encoding,
      batching: variant === 'batched',
      insertAttribute: variant === 'insert',
      metricsPort,
    })
    await router.start(config, () => tryRequest(protocol, port))

    const inFlight = Math.max(16, Math.min(128, Math.floor(SPANS_IN_FLIGHT / spansPerRequest)))
    await load.start({ protocol, port, spansPerRequest, encoding, inFlight, sender: 1 })
    const pace = variant === 'batched' ? PACE[spansPerRequest] : undefined
    const paced = pace === undefined ? {} : { requestsPerSecond: pace / spansPerRequest }
    const warmUp = await load.run({ forMs: options.warmUpMs * 4, ...paced })
    // The request that showed that the router serves is one span more.
    let sent = 1 + warmUp.ok * spansPerRequest
    await sink.settled(sent, DRAIN_MS)

    const rounds = Math.max(1, Math.min(3, options.rounds))
    const cpu: number[] = []
    const rates: number[] = []
    const byteRates: number[] = []
    const allocated: number[] = []
    let items = 0
    let refused = 0
    let okNumbers: Uint8Array = new Uint8Array(0)
    for (let round = 0; round < rounds; round++) {
      const allocatedBefore = await allocatedBytes(metricsPort)
      const before = router.usage().cpuSeconds
      const report = await load.run({ forMs: options.roundMs * ROUND_FACTOR, ...paced })
      const spans = report.ok * spansPerRequest
      sent += spans
      // Plain requests are compared by number below; of packed ones only the sum is known.
      const received = (await sink.settled(sent, DRAIN_MS)).spans
      if (received < sent) throw new Error(`${name}: ${sent} spans answered OK, ${received} received\n${router.output}`)
      if (report.failed > 0) throw new Error(`${name}: ${report.failed} requests without an answer\n${router.output}`)
      cpu.push(((router.usage().cpuSeconds - before) / spans) * 1e6)
      const allocatedAfter = await allocatedBytes(metricsPort)
      if (allocatedBefore !== undefined && allocatedAfter !== undefined)
        allocated.push((allocatedAfter - allocatedBefore) / spans)
      rates.push(spans / (report.wallMs / 1000))
      byteRates.push(report.okBytes / (report.wallMs / 1000))
      items += spans
      refused += report.refused
      okNumbers = report.okNumbers
    }
    const missing = countMissing(okNumbers, (await sink.report()).numbers.get(1))
    // Another router may write a request anew, in which the number is no longer found; the sum of spans was compared.
    if (missing > 0 && process.env.BENCH_ROUTER === undefined)
      throw new Error(`${name}: ${missing} requests answered OK never reached the sink`)
    return [
      {
        name,
        items,
        cpuSecondsPerMillionItems: median(cpu),
        itemsPerSecond: median(rates),
        bytesPerSecond: median(byteRates),
        peakRssBytes: router.usage().peakRssBytes,
        ...(allocated.length === 0 ? {} : { allocatedBytesPerItem: median(allocated) }),
        notes: {
          lost: 0,
          ...(refused > 0 ? { refused } : {}),
          ...(pace === undefined ? {} : { 'paced spans/s': pace }),
        },
      },
    ]
  } finally {
    load.stop()
    await router.stop()
    sink.stop()
  }
}

const settings: Setting[] = []
for (const protocol of ['grpc', 'http'] as const)
  for (const spansPerRequest of [10, 100, 1000])
    for (const encoding of ['none', 'gzip', 'zstd'] as const)
      settings.push({ protocol, spansPerRequest, encoding, variant: 'direct' })
for (const variant of ['batched', 'insert'] as const)
  for (const protocol of ['grpc', 'http'] as const)
    for (const spansPerRequest of [10, 100, 1000])
      settings.push({ protocol, spansPerRequest, encoding: 'none', variant })

export default settings.map((setting) => {
  const { protocol, spansPerRequest, encoding, variant } = setting
  const name = `pass-through/${protocol}-${spansPerRequest}-${encoding === 'none' ? 'plain' : encoding}-${variant}`
  return measured({ name, measure: (options) => measure(name, setting, options) })
})
