// A sink that stalls for a minute under senders that push as hard as they can, and one that takes a third of what comes
// while the queue is on disk and reaches its bound. BENCH_STALL_SECONDS makes both shorter.

import { measured } from '../functions/harness.ts'
import { type OverloadOptions, runOverload } from './overload.ts'

const stallSeconds = Number(process.env.BENCH_STALL_SECONDS ?? 60)

/** Leaves room under 300 MiB, and under 256 MiB with the queue on disk, for code, stacks and what is on its way. */
const MEMORY_LIMIT_MIB = 40
/** What a further shard keeps of the limit for its heap. */
const SHARD_HEAP_MIB = 20
/** With less it is memory that refuses before the disk is full, over HTTP, where a request of 8192 spans is copied once. */
const DISK_MEMORY_LIMIT_MIB = 60
const forcedLimitMib = process.env.BENCH_MEMORY_LIMIT_MIB

const SPANS_PER_REQUEST = 100
const SINK_SPANS_PER_SECOND = 8_000
/** Full after some ten seconds: 16,000 spans a second, of 430 bytes each, come that the sink does not take. */
const DISK_QUEUE_BYTES = 64 * 2 ** 20

type Variant = Pick<
  OverloadOptions,
  'memoryLimitMib' | 'shards' | 'sinkSpansPerSecond' | 'pushedSpansPerSecond' | 'diskQueueBytes'
>

const VARIANTS: Readonly<Record<string, Variant>> = {
  stalled: { memoryLimitMib: MEMORY_LIMIT_MIB },
  'stalled-2-shards': { memoryLimitMib: MEMORY_LIMIT_MIB + SHARD_HEAP_MIB, shards: 2 },
  'threefold-disk': {
    memoryLimitMib: DISK_MEMORY_LIMIT_MIB,
    sinkSpansPerSecond: SINK_SPANS_PER_SECOND,
    pushedSpansPerSecond: 3 * SINK_SPANS_PER_SECOND,
    diskQueueBytes: DISK_QUEUE_BYTES,
  },
}

const mib = (bytes: number): number => Math.round(bytes / 2 ** 20)

export default (['grpc', 'http'] as const).flatMap((protocol) =>
  Object.entries(VARIANTS).map(([words, variant]) => {
    const name = `overload/${protocol}-${words}-${stallSeconds}s`
    return measured({
      name,
      measure: async () => {
        const report = await runOverload({
          protocol,
          stallMs: stallSeconds * 1000,
          spansPerRequest: SPANS_PER_REQUEST,
          inFlight: 64,
          // A retry waits up to 30 s (retry_on_failure.max_interval), and half as much again by its randomization.
          drainWithinMs: 90_000,
          ...variant,
          ...(forcedLimitMib === undefined ? {} : { memoryLimitMib: Number(forcedLimitMib) }),
        })
        const spans = (report.ok + report.refused) * SPANS_PER_REQUEST
        return [
          {
            name,
            items: spans,
            cpuSecondsPerMillionItems: (report.cpuSeconds / spans) * 1e6,
            peakRssBytes: report.peakRssBytes,
            notes: {
              'stalled MiB': mib(report.stalledRssBytes),
              'by third MiB': report.rssBytesByThird.map(mib).join(' '),
              ok: report.ok,
              refused: report.refused,
              unanswered: report.failed,
              missing: report.missing,
              'refused: queue full': report.queueFullSpans,
              'refused: memory': report.memoryLimitedSpans,
              'counted lost spans': report.countedLostSpans,
              statuses: [...report.statuses].map(([status, count]) => `${status}x${count}`).join(' '),
              'with a hint': report.hinted,
              'drain s': Math.round(report.drainMs / 1000),
            },
          },
        ]
      },
    })
  }),
)
