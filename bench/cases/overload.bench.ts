// A sink that stalls for a minute under senders that push as hard as they can. BENCH_STALL_SECONDS makes it shorter.

import { measured } from '../harness.ts'
import { runOverload } from '../overload.ts'

const stallSeconds = Number(process.env.BENCH_STALL_SECONDS ?? 60)

/** Leaves room under 300 MiB for code, stacks and what is on its way. */
const MEMORY_LIMIT_MIB = Number(process.env.BENCH_MEMORY_LIMIT_MIB ?? 40)

export default (['grpc', 'http'] as const).map((protocol) => {
  const name = `overload/${protocol}-stalled-${stallSeconds}s`
  return measured({
    name,
    measure: async () => {
      const spansPerRequest = 100
      const report = await runOverload({
        protocol,
        stallMs: stallSeconds * 1000,
        spansPerRequest,
        inFlight: 64,
        memoryLimitMib: MEMORY_LIMIT_MIB,
        // A retry waits up to 30 s (retry_on_failure.max_interval), and half as much again by its randomization.
        drainWithinMs: 90_000,
      })
      const spans = (report.ok + report.refused) * spansPerRequest
      return [
        {
          name,
          items: spans,
          cpuSecondsPerMillionItems: (report.cpuSeconds / spans) * 1e6,
          peakRssBytes: report.peakRssBytes,
          notes: {
            'stalled MiB': Math.round(report.stalledRssBytes / 2 ** 20),
            ok: report.ok,
            refused: report.refused,
            unanswered: report.failed,
            missing: report.missing,
            'counted lost spans': report.countedLostSpans,
            statuses: [...report.statuses].map(([status, count]) => `${status}x${count}`).join(' '),
            'drain s': Math.round(report.drainMs / 1000),
          },
        },
      ]
    },
  })
})
