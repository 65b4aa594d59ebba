// A scrape of 100,000 series whose values are new each time, over HTTP: the CPU that it takes of the thread that shows them, and
// how long everything else on its event loop waits meanwhile. The scraper is a thread of its own.

import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { parseConfig } from '../../src/config/testing.ts'
import { Delivery } from '../../src/delivery/delivery.ts'
import { factory } from '../../src/exporters/prometheus/factory.ts'
import type { Prometheus } from '../../src/exporters/prometheus/prometheus.ts'
import { Batch } from '../../src/otlp/batch.ts'
import { type BenchResult, type MeasureOptions, measured } from '../functions/harness.ts'
import { median } from '../results.ts'
import { exporterContext } from '../rig/exporter-context.ts'
import type { Scraped, ScraperOptions } from '../rig/scraper.ts'
import { seriesRequests } from '../rig/series.ts'

const SERIES = 100_000
const POINTS = 1000
const WARM_UPS = 8
const SCRAPES = 9

const context = exporterContext('metrics')

/** Asks for the longest time between two rounds of the event loop since it was begun. */
function watchRounds(): () => number {
  let longest = 0
  let last = performance.now()
  let isOver = false
  const look = (): void => {
    const now = performance.now()
    longest = Math.max(longest, now - last)
    last = now
    if (!isOver) setImmediate(look)
  }
  setImmediate(look)
  return () => {
    isOver = true
    return longest
  }
}

async function measure(
  name: string,
  headers: Readonly<Record<string, string>>,
  options: MeasureOptions,
): Promise<BenchResult[]> {
  const config = parseConfig(factory.config, { endpoint: '127.0.0.1:0', enable_open_metrics: true })
  const exporter = factory.create(config, context) as Prometheus
  await exporter.start()
  const turns = [0, 1].map((turn) => seriesRequests(SERIES, POINTS, turn))
  const workerData: ScraperOptions = { port: exporter.address!.port, headers }
  const scraper = new Worker(new URL('../rig/scraper.ts', import.meta.url), { workerData })
  let turn = 0
  let bytes = 0
  const update = async (): Promise<void> => {
    for (const request of turns[turn++ % turns.length]!)
      exporter.export(new Batch('metrics', [request], POINTS, Delivery.none()))
    globalThis.gc?.()
    // What was thrown away on the way in is no matter of the scrape.
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  const scrape = async (): Promise<void> => {
    scraper.postMessage('scrape')
    const [scraped] = (await once(scraper, 'message')) as [Scraped]
    bytes = scraped.bytes
  }
  const scrapes = Math.max(3, Math.min(SCRAPES, options.rounds * 3))
  const busy: number[] = []
  let cpu = 0
  const took: number[] = []
  const waits: number[] = []
  for (let n = -WARM_UPS; n < scrapes; n++) {
    await update()
    const before = process.threadCpuUsage()
    const loop = performance.eventLoopUtilization()
    const from = performance.now()
    await scrape()
    const wall = performance.now() - from
    const { active } = performance.eventLoopUtilization(loop)
    const used = process.threadCpuUsage(before)
    await update()
    const longest = watchRounds()
    await scrape()
    const wait = longest()
    if (n < 0) continue
    waits.push(wait)
    busy.push(active)
    cpu += (used.user + used.system) / 1000
    took.push(wall)
  }
  await scraper.terminate()
  await exporter.stop(AbortSignal.timeout(1000))
  const tenths = (value: number): number => Math.round(value * 10) / 10
  return [
    {
      name,
      items: scrapes * SERIES,
      cpuSecondsPerMillionItems: (cpu * 1000) / (scrapes * SERIES),
      itemsPerSecond: SERIES / (median(took) / 1000),
      bytesPerSecond: bytes / (median(took) / 1000),
      peakRssBytes: process.resourceUsage().maxRSS * 1024,
      notes: {
        'event loop ms': tenths(median(busy)),
        'least ms': tenths(Math.min(...busy)),
        'CPU ms': tenths(cpu / scrapes),
        'scrape ms': tenths(median(took)),
        'longest wait ms': tenths(median(waits)),
        'worst wait ms': tenths(Math.max(...waits)),
        MB: tenths(bytes / 1e6),
      },
    },
  ]
}

const FORMS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  text: {},
  openmetrics: { accept: 'application/openmetrics-text;version=1.0.0' },
  protobuf: {
    accept: 'application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited',
  },
  gzip: { 'accept-encoding': 'gzip' },
}

export default Object.entries(FORMS).map(([form, headers]) => {
  const name = `prometheus/http/${form}-100000`
  return measured({ name, measure: (options) => measure(name, headers, options) })
})
