// The short form of `npm run bench -- overload`: real processes, a sink that stalls for two seconds.

import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { test } from 'node:test'
import { type OverloadReport, runOverload } from '../../bench/millrace/overload.ts'

// The kernel's books of a process: /proc exists on Linux only.
const skip = existsSync('/proc/self/stat') ? false : 'needs /proc'
const UNAVAILABLE = { grpc: 14, http: 503 } as const

/** What limit_mib has to leave each shard for its heap, and what a further shard keeps resident. */
const SHARD_HEAP_MIB = 20
const SHARD_RSS_MIB = 70

const VARIANTS = [
  { protocol: 'grpc', shards: 1 },
  { protocol: 'http', shards: 1 },
  { protocol: 'grpc', shards: 2 },
] as const

for (const { protocol, shards } of VARIANTS)
  test(`over ${protocol}, shards: ${shards}: a stalled sink makes senders wait and tells them how long, memory stays bounded, and what was answered OK arrives`, {
    skip,
    timeout: 110_000,
  }, async () => {
    const spansPerRequest = 100
    const run = (stallMs: number): Promise<OverloadReport> =>
      runOverload({
        protocol,
        shards,
        stallMs,
        spansPerRequest,
        inFlight: 32,
        memoryLimitMib: 20 + shards * SHARD_HEAP_MIB,
        drainWithinMs: 20_000,
        // A small queue is full at once; short waits end the test sooner.
        exporter: ['timeout: 1s', 'retry_on_failure:', '  initial_interval: 100ms', '  max_interval: 300ms'],
      })
    let report = await run(2_000)
    // A machine that has other work to do needs longer until all is full.
    if ((report.statuses.get(UNAVAILABLE[protocol]) ?? 0) === 0) report = await run(10_000)
    assert.ok(report.ok > 0, 'nothing was accepted')
    assert.equal(report.failed, 0)
    const boundBytes = (300 + (shards - 1) * SHARD_RSS_MIB) * 2 ** 20
    assert.ok(report.stalledRssBytes < boundBytes, `${report.stalledRssBytes} bytes resident`)
    const refusals = report.statuses.get(UNAVAILABLE[protocol]) ?? 0
    assert.ok(refusals > 0, JSON.stringify([...report.statuses]))
    assert.equal(report.hinted, refusals, 'refusals without a time to wait')
    assert.ok(report.missing * spansPerRequest <= report.countedLostSpans, JSON.stringify({ ...report, statuses: [] }))
  })
