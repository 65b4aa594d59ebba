// Stores that take remote write, on loopback: Prometheus 2 as Debian has it, and 3 where `npm run interop` has built it.
// VictoriaMetrics is in influxdb.ts.

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { ownDirectory } from './disk.ts'
import type { Store } from './influxdb.ts'
import { freePorts } from './router-process.ts'
import { serverProcess } from './server-process.ts'

/** Off by default in Prometheus 2; 3 has them by itself. */
const FEATURES = ['exemplar-storage', 'native-histograms']

/** It scrapes nothing. */
export async function prometheusStore(
  t: TestContext,
  program = 'prometheus',
  features: readonly string[] = [],
): Promise<Store> {
  const directory = ownDirectory(t)
  const [port] = (await freePorts(1)) as [number]
  const file = join(directory, 'prometheus.yml')
  writeFileSync(file, 'storage: { exemplars: { max_exemplars: 1000 } }\n')
  const args = [
    `--config.file=${file}`,
    `--storage.tsdb.path=${join(directory, 'data')}`,
    `--web.listen-address=127.0.0.1:${port}`,
    '--web.enable-remote-write-receiver',
    `--enable-feature=${[...FEATURES, ...features].join(',')}`,
  ]
  const url = `http://127.0.0.1:${port}`
  const ready = async (): Promise<boolean> => (await fetch(`${url}/-/ready`)).ok
  return { url, server: await serverProcess(t, ready, [program, ...args]) }
}

// biome-ignore lint/suspicious/noExplicitAny: whatever the API answers
export async function askProm(store: Store, path: string, parameters: Record<string, string>): Promise<any> {
  const response = await fetch(`${store.url}/api/v1/${path}?${new URLSearchParams(parameters)}`)
  const { data, error } = (await response.json()) as { data: unknown; error?: string }
  if (error !== undefined) throw new Error(error)
  return data
}

/** All samples of what `selector` names in the last hour, as `name{labels}: value@seconds ...`, sorted. */
export async function storedSamples(store: Store, selector: string, atSeconds: number): Promise<string[]> {
  const { result } = await askProm(store, 'query', { query: `${selector}[1h]`, time: String(atSeconds) })
  return result
    .map(({ metric, values = [], histograms = [] }: Stored) => {
      const { __name__: name, ...labels } = metric
      const pairs = Object.entries(labels).map(([key, value]) => `${key}=${value}`)
      const samples = [
        ...values.map(([time, value]) => `${value}@${time}`),
        ...histograms.map(([time, value]) => `${JSON.stringify(value)}@${time}`),
      ]
      return `${name}{${pairs.sort().join(',')}}: ${samples.join(' ')}`
    })
    .sort()
}

interface Stored {
  readonly metric: Readonly<Record<string, string>>
  readonly values?: readonly [number, string][]
  readonly histograms?: readonly [number, object][]
}
