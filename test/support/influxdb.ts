// InfluxDB 1 and VictoriaMetrics as Debian has them, on loopback, with data of the test's own.

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { ownDirectory } from './disk.ts'
import { freePorts } from './router-process.ts'
import { type Server, serverProcess } from './server-process.ts'

export interface Store {
  readonly url: string
  readonly server: Server
}

/** For `packageMissing`: package and program. */
export const INFLUXDB_1 = ['influxdb', 'influxd'] as const
export const VICTORIA_METRICS = ['victoria-metrics', 'victoria-metrics'] as const

/** InfluxDB 1.6: `/write` and `/query`. With `user`, an administrator of that name and password is asked for. */
export async function influxdb1(t: TestContext, auth = false): Promise<Store> {
  const [port, backup] = (await freePorts(2)) as [number, number]
  const directory = ownDirectory(t)
  const file = join(directory, 'influxdb.conf')
  const url = `http://127.0.0.1:${port}`
  writeFileSync(
    file,
    `
reporting-disabled = true
bind-address = "127.0.0.1:${backup}"
[meta]
dir = "${directory}/meta"
[data]
dir = "${directory}/data"
wal-dir = "${directory}/wal"
[http]
bind-address = "127.0.0.1:${port}"
log-enabled = false
auth-enabled = ${auth}
`,
  )
  const ready = async (): Promise<boolean> => (await fetch(`${url}/ping`)).status === 204
  return { url, server: await serverProcess(t, ready, ['influxd', 'run', '-config', file]) }
}

/** VictoriaMetrics: `/api/v2/write` of InfluxDB 2, remote write, and PromQL. */
/** VictoriaMetrics shows what it has taken after some seconds, or at once when it is asked to. */
export async function showAtOnce({ url }: Store): Promise<void> {
  await fetch(`${url}/internal/force_flush`)
}

export async function victoriaMetrics(t: TestContext): Promise<Store> {
  const [port] = (await freePorts(1)) as [number]
  const url = `http://127.0.0.1:${port}`
  const args = [
    `-storageDataPath=${ownDirectory(t)}`,
    `-httpListenAddr=127.0.0.1:${port}`,
    '-search.latencyOffset=0s',
    '-retentionPeriod=100y',
  ]
  const ready = async (): Promise<boolean> => (await fetch(`${url}/health`)).ok
  return { url, server: await serverProcess(t, ready, ['victoria-metrics', ...args]) }
}

type Rows = readonly (readonly unknown[])[]

/** The rows of an InfluxQL query, with the columns' names in front of them; times in nanoseconds. */
export async function influxQl(store: Store, db: string, query: string): Promise<Rows> {
  const url = `${store.url}/query?${new URLSearchParams({ db, q: query, epoch: 'ns' })}`
  // Times in nanoseconds are beyond what JSON.parse keeps.
  const text = (await (await fetch(url)).text()).replaceAll(/([[,:])(\d{16,})(?=[\],}])/g, '$1"$2"')
  const { results } = JSON.parse(text) as {
    results: { series?: { columns: string[]; values: unknown[][] }[]; error?: string }[]
  }
  if (results[0]?.error !== undefined) throw new Error(results[0].error)
  const series = results[0]?.series?.[0]
  return series === undefined ? [] : [series.columns, ...series.values]
}
