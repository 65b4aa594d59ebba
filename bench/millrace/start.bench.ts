// From exec to the first accepted request, and what the router weighs when it has nothing to do.
//
//   launcher        bin/millrace.js, as users start it, after a start that filled the compile cache
//   launcher-cold   the first start after an installation: the compile cache is empty
//   sources         src/main.ts, after a start that filled the compile cache

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { measured } from '../functions/harness.ts'
import { median } from '../results.ts'
import { tryRequest } from '../rig/first-request.ts'
import { type Entry, freePort, pause, RouterProcess, SinkProcess } from '../rig/processes.ts'
import { routerConfig } from './router-config.ts'

const IDLE_MS = 3_000

interface Start {
  readonly startMs: number
  readonly idleBytes: number
  readonly peakBytes: number
  readonly cpuSeconds: number
}

// Node keeps the compile cache in the folder for temporary files: with one of its own, a case owns its cache.
async function startOnce(entry: Entry, temporary: string, exportPort: number, idleMs: number): Promise<Start> {
  const port = await freePort()
  const metricsPort = await freePort()
  const config = routerConfig({ protocol: 'grpc', port, exportPort, encoding: 'none', batching: true, metricsPort })
  const router = new RouterProcess()
  try {
    const startMs = await router.start(config, () => tryRequest('grpc', port), { entry, env: { TMPDIR: temporary } })
    const { cpuSeconds } = router.usage()
    await pause(idleMs)
    const { rssBytes, peakRssBytes } = router.usage()
    return { startMs, idleBytes: rssBytes, peakBytes: peakRssBytes, cpuSeconds }
  } finally {
    await router.stop()
  }
}

const CASES: readonly { readonly name: string; readonly entry: Entry; readonly cold: boolean }[] = [
  { name: 'start/launcher', entry: 'launcher', cold: false },
  { name: 'start/launcher-cold', entry: 'launcher', cold: true },
  { name: 'start/sources', entry: 'sources', cold: false },
]

export default CASES.map(({ name, entry, cold }) =>
  measured({
    name,
    measure: async ({ rounds }) => {
      const sink = await new SinkProcess().start()
      const folder = mkdtempSync(join(tmpdir(), 'millrace-bench-'))
      const starts: Start[] = []
      try {
        if (!cold) await startOnce(entry, folder, sink.grpcPort, 0)
        for (let round = 0; round < Math.min(5, rounds); round++) {
          const own = cold ? mkdtempSync(join(folder, 'cold-')) : folder
          starts.push(await startOnce(entry, own, sink.grpcPort, IDLE_MS))
        }
      } finally {
        sink.stop()
        rmSync(folder, { recursive: true, force: true })
      }
      const of = (value: (start: Start) => number): number => median(starts.map(value))
      return [
        {
          name,
          items: starts.length,
          peakRssBytes: of((start) => start.peakBytes),
          notes: {
            'first request ms': Math.round(of((start) => start.startMs)),
            'slowest ms': Math.round(Math.max(...starts.map((start) => start.startMs))),
            'idle MiB': Math.round(of((start) => start.idleBytes) / 2 ** 20),
            'CPU ms until then': Math.round(of((start) => start.cpuSeconds) * 1000),
          },
        },
      ]
    },
  }),
)
