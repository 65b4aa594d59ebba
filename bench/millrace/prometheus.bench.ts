// OTLP over gRPC in, the prometheus exporter, 10,000 series updated over and over, and a scraper every second: what it costs the
// router, and the Collector beside it where bench/peers/otelcol is built.

import { parseConfig } from '../../src/config/testing.ts'
import { Delivery } from '../../src/delivery/delivery.ts'
import { factory } from '../../src/exporters/otlp_grpc/factory.ts'
import { Batch } from '../../src/otlp/batch.ts'
import { type BenchResult, type MeasureOptions, measured } from '../functions/harness.ts'
import { median } from '../results.ts'
import { exporterContext } from '../rig/exporter-context.ts'
import { tryRequest } from '../rig/first-request.ts'
import { freePort, pause, RouterProcess } from '../rig/processes.ts'
import { seriesRequests } from '../rig/series.ts'
import { builtCollector, findSut, type Sut } from '../suts.ts'

const SERIES = 10_000
const POINTS = 1000
const IN_FLIGHT = 8
const SCRAPE_EVERY_MS = 1000
const MOST_ROUNDS = 3
const ROUND_FACTOR = 16

const context = exporterContext('metrics')

const file = (input: number, scraped: number): string => `
receivers: { otlp: { protocols: { grpc: { endpoint: "127.0.0.1:${input}" } } } }
exporters: { prometheus: { endpoint: "127.0.0.1:${scraped}" } }
service:
  telemetry: { logs: { level: warn }, metrics: { level: none } }
  pipelines: { metrics: { receivers: [otlp], exporters: [prometheus] } }
`

/** Sends requests as fast as answers come; returns how many. */
async function load(port: number, requests: readonly Uint8Array[], forMs: number): Promise<number> {
  const exporter = factory.create(
    parseConfig(factory.config, {
      endpoint: `127.0.0.1:${port}`,
      compression: 'none',
      tls: { insecure: true },
      sending_queue: { num_consumers: IN_FLIGHT },
    }),
    context,
  )
  await exporter.start?.()
  const end = performance.now() + forMs
  let sent = 0
  await new Promise<void>((resolve, reject) => {
    let open = 0
    const next = (): void => {
      if (performance.now() > end) {
        if (open === 0) resolve()
        return
      }
      open++
      const onDelivered = (): void => {
        open--
        sent++
        next()
      }
      const delivery = new Delivery({ onDelivered, onRefused: reject })
      exporter.export(new Batch('metrics', [requests[(sent + open) % requests.length]!], POINTS, delivery))
    }
    for (let i = 0; i < IN_FLIGHT; i++) next()
  })
  await exporter.stop?.(AbortSignal.timeout(5_000))
  return sent
}

async function scrapeEverySecond(port: number, over: { is: boolean }): Promise<number[]> {
  const took: number[] = []
  while (!over.is) {
    const from = performance.now()
    const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text()
    took.push(performance.now() - from)
    if (!text.includes('sensor_id="sensor-9999"')) throw new Error('a series is missing in a scrape')
    await pause(SCRAPE_EVERY_MS)
  }
  return took
}

async function measure(name: string, sut: Sut, options: MeasureOptions): Promise<BenchResult[]> {
  const requests = seriesRequests(SERIES, POINTS)
  const router = new RouterProcess()
  try {
    const [input, scraped] = [await freePort(), await freePort()]
    await router.start(file(input, scraped), () => tryRequest('grpc', input, 'metrics'), { command: sut.command })
    await load(input, requests, options.warmUpMs * 4)
    const cpu: number[] = []
    const rates: number[] = []
    const scrapes: number[] = []
    let items = 0
    for (let round = 0; round < Math.max(1, Math.min(MOST_ROUNDS, options.rounds)); round++) {
      const over = { is: false }
      const scraper = scrapeEverySecond(scraped, over)
      const before = router.usage()
      const from = performance.now()
      const points = (await load(input, requests, options.roundMs * ROUND_FACTOR)) * POINTS
      const after = router.usage()
      rates.push(points / ((performance.now() - from) / 1000))
      cpu.push(((after.cpuSeconds - before.cpuSeconds) / points) * 1e6)
      over.is = true
      scrapes.push(...(await scraper))
      items += points
    }
    return [
      {
        name,
        items,
        cpuSecondsPerMillionItems: median(cpu),
        itemsPerSecond: median(rates),
        peakRssBytes: router.usage().peakRssBytes,
        notes: { 'scrape ms': Math.round(median(scrapes)), series: SERIES },
      },
    ]
  } finally {
    await router.stop()
  }
}

const beside = (name: string, find: () => Sut) =>
  measured({ name, measure: (options) => measure(name, find(), options) })

export default [
  beside('prometheus/grpc-1000', () => findSut('millrace', console.error) as Sut),
  ...(builtCollector() === undefined
    ? []
    : [beside('prometheus/grpc-1000-otelcol', () => findSut('otelcol', console.error) as Sut)]),
]
