// What a queue on disk costs, and what it does for a start.
//
//   disk-queue/append           records of 430 KB, 16 of them waiting for the disk at a time, each answered when fdatasync has
//                               ended; in the notes a plain sequential write of the same disk, in the same minute
//   disk-queue/memory-1000      pass-through with a queue in memory, 1000 spans per request, 250,000 spans/s
//   disk-queue/disk-1000        the same with the queue on disk; in the notes the p99 of the answers
//   disk-queue/...-batched      the same behind memory_limiter and batch
//   disk-queue/start-2gib       a start with 2 GiB in the queue: ready, memory until all of it is sent
//
// BENCH_DIRECTORY names a directory on the disk to measure; by default the one for temporary files.

import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DiskQueue } from '../../src/storage/disk-queue.ts'
import { nodeFiles } from '../../src/storage/files.ts'
import { lockDirectory } from '../../src/storage/lock.ts'
import { QUEUE_BOUNDS } from '../../src/storage/queue-bounds.ts'
import { type BenchResult, type MeasureOptions, measured } from '../functions/harness.ts'
import { median } from '../results.ts'
import { tryRequest } from '../rig/first-request.ts'
import { Latencies } from '../rig/latencies.ts'
import { countMissing, findLastMark, NumberSet, writeMark } from '../rig/numbered.ts'
import { payloads } from '../rig/payloads.ts'
import { freePort, LoadProcess, pause, RouterProcess, SinkProcess } from '../rig/processes.ts'
import { routerConfig } from './router-config.ts'

const SPANS = 1000
const SPANS_PER_SECOND = 250_000
const ROUND_FACTOR = 12
const DRAIN_MS = 60_000
const APPEND_BYTES = 512 * 2 ** 20
const APPENDS_AT_ONCE = 16
const QUEUED_BYTES = 2 * 2 ** 30
const CAP_BYTES = 10 * 2 ** 30
const NO_META = new Uint8Array(0)

const ownDirectory = (): string => mkdtempSync(join(process.env.BENCH_DIRECTORY ?? tmpdir(), 'millrace-bench-disk-'))

async function openQueue(directory: string): Promise<DiskQueue> {
  mkdirSync(directory, { recursive: true })
  const lock = await lockDirectory(directory, { timeoutMs: 0, wait: () => Promise.resolve() })
  const events = { onReady() {}, onCut() {}, onLost() {} }
  return await DiskQueue.open({
    directory,
    files: nodeFiles,
    fsync: true,
    maxBytes: CAP_BYTES,
    lock,
    events,
    bounds: QUEUE_BOUNDS,
  })
}

/** Bytes per second of plain writes of 1 MiB and one fdatasync at the end. */
async function sequentialRate(directory: string): Promise<number> {
  const chunk = Buffer.alloc(2 ** 20, 'telemetry')
  const file = await open(join(directory, 'plain'), 'w')
  const from = performance.now()
  for (let written = 0; written < APPEND_BYTES; written += chunk.length) await file.write(chunk)
  await file.datasync()
  const rate = APPEND_BYTES / ((performance.now() - from) / 1000)
  await file.close()
  rmSync(join(directory, 'plain'))
  return rate
}

/** Appends until so many bytes are on disk; numbers in the first trace ids. */
async function fill(queue: DiskQueue, bytes: number, settle: boolean): Promise<{ records: number; tookMs: number }> {
  const requests = payloads({ items: SPANS, count: APPENDS_AT_ONCE }).map((request) => Buffer.from(request))
  const places = requests.map(findLastMark)
  const from = performance.now()
  let [left, records] = [bytes, 0]
  await new Promise<void>((resolve, reject) => {
    let waiting = 0
    const append = (slot: number): void => {
      if (left <= 0) {
        if (waiting === 0) resolve()
        return
      }
      const request = requests[slot]!
      writeMark(request, places[slot]!, 1, records++)
      left -= request.length
      waiting++
      // Copied: the queue keeps some of them in memory, and the request is numbered anew.
      const part = settle ? request : Buffer.from(request)
      queue.append({ items: SPANS, meta: NO_META, parts: [part] }, (error) => {
        waiting--
        if (error !== undefined) return reject(error)
        if (settle) for (let record = queue.take(); record !== undefined; record = queue.take()) queue.settle(record)
        append(slot)
      })
    }
    for (let slot = 0; slot < APPENDS_AT_ONCE; slot++) append(slot)
  })
  return { records, tookMs: performance.now() - from }
}

async function measureAppend(name: string, { rounds }: MeasureOptions): Promise<BenchResult[]> {
  const directory = ownDirectory()
  try {
    const plain: number[] = []
    const rates: number[] = []
    const cpu: number[] = []
    let items = 0
    for (let round = 0; round < Math.min(3, rounds); round++) {
      plain.push(await sequentialRate(directory))
      const queue = await openQueue(join(directory, 'queue'))
      const before = process.cpuUsage()
      const { records, tookMs } = await fill(queue, APPEND_BYTES, true)
      const used = process.cpuUsage(before)
      items += records * SPANS
      cpu.push((used.user + used.system) / (records * SPANS))
      rates.push(APPEND_BYTES / (tookMs / 1000))
      await queue.close()
    }
    return [
      {
        name,
        items,
        cpuSecondsPerMillionItems: median(cpu),
        bytesPerSecond: median(rates),
        peakRssBytes: process.resourceUsage().maxRSS * 1024,
        notes: { 'plain write MB/s': Math.round(median(plain) / 1e6) },
      },
    ]
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

async function measurePassing(
  name: string,
  onDisk: boolean,
  batching: boolean,
  options: MeasureOptions,
): Promise<BenchResult[]> {
  const directory = ownDirectory()
  const sink = await new SinkProcess().start()
  const router = new RouterProcess()
  const load = new LoadProcess()
  try {
    const [port, metricsPort] = [await freePort(), await freePort()]
    const config = routerConfig({
      protocol: 'grpc',
      port,
      exportPort: sink.grpcPort,
      encoding: 'none',
      batching,
      queued: true,
      metricsPort,
      ...(onDisk ? { queueDirectory: directory } : {}),
    })
    await router.start(config, () => tryRequest('grpc', port))
    await load.start({ protocol: 'grpc', port, itemsPerRequest: SPANS, encoding: 'none', inFlight: 64, sender: 1 })
    const paced = { requestsPerSecond: SPANS_PER_SECOND / SPANS }
    let sent = 1 + (await load.run({ forMs: options.warmUpMs * 4, ...paced })).ok * SPANS
    await sink.settled(sent, DRAIN_MS)
    const [cpu, rates, byteRates, p99]: number[][] = [[], [], [], []]
    let items = 0
    let refused = 0
    let okNumbers = new Uint8Array(0)
    for (let round = 0; round < Math.max(1, Math.min(3, options.rounds)); round++) {
      const before = router.usage().cpuSeconds
      const report = await load.run({ forMs: options.roundMs * ROUND_FACTOR, ...paced })
      const spans = report.ok * SPANS
      sent += spans
      const received = (await sink.settled(sent, DRAIN_MS)).items
      if (received < sent) throw new Error(`${name}: ${sent} spans answered OK, ${received} received\n${router.output}`)
      if (report.failed > 0) throw new Error(`${name}: ${report.failed} requests without an answer\n${router.output}`)
      cpu!.push(((router.usage().cpuSeconds - before) / spans) * 1e6)
      rates!.push(spans / (report.wallMs / 1000))
      byteRates!.push(report.okBytes / (report.wallMs / 1000))
      p99!.push(new Latencies(report.latencies).percentile(0.99))
      items += spans
      refused += report.refused
      okNumbers = new Uint8Array(report.okNumbers)
    }
    const missing = countMissing(okNumbers, (await sink.report()).numbers.get(1))
    if (missing > 0) throw new Error(`${name}: ${missing} requests answered OK never reached the sink`)
    return [
      {
        name,
        items,
        cpuSecondsPerMillionItems: median(cpu!),
        itemsPerSecond: median(rates!),
        bytesPerSecond: median(byteRates!),
        peakRssBytes: router.usage().peakRssBytes,
        notes: { 'p99 ms': Math.round(median(p99!) * 10) / 10, ...(refused > 0 ? { refused } : {}) },
      },
    ]
  } finally {
    load.stop()
    await router.stop()
    sink.stop()
    rmSync(directory, { recursive: true, force: true })
  }
}

async function measureStart(name: string): Promise<BenchResult[]> {
  const directory = ownDirectory()
  const sink = await new SinkProcess().start()
  const router = new RouterProcess()
  try {
    const queue = await openQueue(join(directory, 'exporter_otlp_grpc__traces.queue'))
    const { records } = await fill(queue, QUEUED_BYTES, false)
    await queue.close()
    sink.setMode('stall')
    const [port, metricsPort] = [await freePort(), await freePort()]
    const config = routerConfig({
      protocol: 'grpc',
      port,
      exportPort: sink.grpcPort,
      encoding: 'none',
      queued: true,
      metricsPort,
      queueDirectory: directory,
      exporter: ['  queue_size: 1000000'],
    })
    const startMs = await router.start(config, () => tryRequest('grpc', port))
    await pause(2_000)
    const idleBytes = router.usage().rssBytes
    const before = router.usage().cpuSeconds
    const from = performance.now()
    sink.setMode('answer')
    const report = await sink.settled(records * SPANS + 1, DRAIN_MS)
    const drainMs = performance.now() - from
    const expected = new NumberSet()
    for (let number = 0; number < records; number++) expected.add(number)
    const missing = countMissing(expected.bits, report.numbers.get(1))
    if (missing > 0) throw new Error(`${name}: ${missing} of ${records} requests never came\n${router.output}`)
    const { cpuSeconds, peakRssBytes } = router.usage()
    return [
      {
        name,
        items: records * SPANS,
        cpuSecondsPerMillionItems: ((cpuSeconds - before) / (records * SPANS)) * 1e6,
        itemsPerSecond: (records * SPANS) / (drainMs / 1000),
        bytesPerSecond: QUEUED_BYTES / (drainMs / 1000),
        peakRssBytes,
        notes: {
          'first request ms': Math.round(startMs),
          'before sending MiB': Math.round(idleBytes / 2 ** 20),
          lost: 0,
          'sent twice': report.requests - records - 1,
        },
      },
    ]
  } finally {
    await router.stop()
    sink.stop()
    rmSync(directory, { recursive: true, force: true })
  }
}

const passing = (name: string, onDisk: boolean, batching: boolean) =>
  measured({ name, measure: (options) => measurePassing(name, onDisk, batching, options) })

export default [
  measured({ name: 'disk-queue/append', measure: (options) => measureAppend('disk-queue/append', options) }),
  passing('disk-queue/memory-1000', false, false),
  passing('disk-queue/disk-1000', true, false),
  passing('disk-queue/memory-1000-batched', false, true),
  passing('disk-queue/disk-1000-batched', true, true),
  measured({ name: 'disk-queue/start-2gib', measure: () => measureStart('disk-queue/start-2gib') }),
]
