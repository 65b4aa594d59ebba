// What the whole router costs: a real process between a sender and a sink that are processes of their own.
//
//   load --(gRPC or HTTP)--> router --(the same)--> sink
//
// Figures are the router's alone (utime and stime of all its threads, VmHWM). A run that loses a span fails the case.

import { tryRequest } from '../first-request.ts'
import type { BenchResult, MeasureOptions } from '../harness.ts'
import { measured, median } from '../harness.ts'
import type { Encoding, Protocol } from '../load.ts'
import { countMissing } from '../numbered.ts'
import { freePort, LoadProcess, pause, RouterProcess, SinkProcess } from '../processes.ts'
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

async function measure(name: string, setting: Setting, options: MeasureOptions): Promise<BenchResult[]> {
  const { protocol, spansPerRequest, encoding, variant } = setting
  const sink = await new SinkProcess().start()
  const router = new RouterProcess()
  const load = new LoadProcess()
  try {
    const port = await freePort()
    const config = routerConfig({
      protocol,
      port,
      exportPort: protocol === 'grpc' ? sink.grpcPort : sink.httpPort,
      encoding,
      batching: variant === 'batched',
      insertAttribute: variant === 'insert',
      metricsPort: await freePort(),
    })
    const startMs = await router.start(config, () => tryRequest(protocol, port))
    await pause(500)
    const idleBytes = router.usage().rssBytes

    const inFlight = Math.max(16, Math.min(128, Math.floor(SPANS_IN_FLIGHT / spansPerRequest)))
    await load.start({ protocol, port, spansPerRequest, encoding, inFlight, sender: 1 })
    const warmUp = await load.run({ forMs: options.warmUpMs * 4 })
    // The request that showed that the router serves is one span more.
    let sent = 1 + warmUp.ok * spansPerRequest
    await sink.settled(sent, DRAIN_MS)

    const rounds = Math.max(1, Math.min(3, options.rounds))
    const cpu: number[] = []
    const rates: number[] = []
    const byteRates: number[] = []
    let items = 0
    let refused = 0
    let okNumbers: Uint8Array = new Uint8Array(0)
    for (let round = 0; round < rounds; round++) {
      const before = router.usage().cpuSeconds
      const report = await load.run({ forMs: options.roundMs * ROUND_FACTOR })
      const spans = report.ok * spansPerRequest
      sent += spans
      // Plain requests are compared by number below; of packed ones only the sum is known.
      const received = (await sink.settled(sent, DRAIN_MS)).spans
      if (received < sent) throw new Error(`${name}: ${sent} spans answered OK, ${received} received\n${router.output}`)
      if (report.failed > 0) throw new Error(`${name}: ${report.failed} requests without an answer\n${router.output}`)
      cpu.push(((router.usage().cpuSeconds - before) / spans) * 1e6)
      rates.push(spans / (report.wallMs / 1000))
      byteRates.push(report.okBytes / (report.wallMs / 1000))
      items += spans
      refused += report.refused
      okNumbers = report.okNumbers
    }
    const missing = countMissing(okNumbers, (await sink.report()).numbers.get(1))
    if (missing > 0) throw new Error(`${name}: ${missing} requests answered OK never reached the sink`)
    return [
      {
        name,
        items,
        cpuSecondsPerMillionItems: median(cpu),
        itemsPerSecond: median(rates),
        bytesPerSecond: median(byteRates),
        peakRssBytes: router.usage().peakRssBytes,
        notes: {
          lost: 0,
          ...(refused > 0 ? { refused } : {}),
          'idle MiB': Math.round(idleBytes / 2 ** 20),
          'first request ms': Math.round(startMs),
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
