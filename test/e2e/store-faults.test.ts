// A real InfluxDB that is not there at the start, is killed while points come, and comes back: every point that was accepted is
// there in the end, once.
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { ownDirectory } from '../support/disk.ts'
import { INFLUXDB_1, influxdb1, influxQl } from '../support/influxdb.ts'
import { freePorts, startProcess } from '../support/router-process.ts'
import { packageMissing } from '../support/server-process.ts'
import { until } from '../support/until.ts'

const skip = packageMissing(...INFLUXDB_1)
const NOW_MS = Date.now()

const request = (n: number): string =>
  JSON.stringify({
    resourceMetrics: [
      {
        resource: { attributes: [{ key: 'device.id', value: { stringValue: 'cnc-1' } }] },
        scopeMetrics: [
          {
            metrics: [
              { name: 'n', gauge: { dataPoints: [{ timeUnixNano: `${NOW_MS + n}000000`, asInt: String(n) }] } },
            ],
          },
        ],
      },
    ],
  })

describe('a store', { concurrency: true }, () => {
  for (const storage of ['memory', 'disk'] as const)
    test(`a store that is away at the start, and is killed under load, has every point in the end: queue in ${storage}`, {
      skip,
    }, async (t) => {
      const directory = ownDirectory(t)
      const [http, metrics] = (await freePorts(2)) as [number, number]
      const store = await influxdb1(t)
      await store.server.stop()
      const config = join(directory, 'router.yaml')
      writeFileSync(
        config,
        `
extensions: { file_storage: { directory: "${directory}/queue", create_directory: true } }
receivers: { otlp: { protocols: { http: { endpoint: "127.0.0.1:${http}" } } } }
exporters:
  influxdb:
    endpoint: ${store.url}
    v1_compatibility: { enabled: true, db: plant, create_database: true }
    schema: plant
    precision: ms
    timeout: 2s
    sending_queue: { queue_size: 10000${storage === 'disk' ? ', storage: file_storage' : ''} }
    retry_on_failure: { initial_interval: 100ms, max_interval: 500ms, max_elapsed_time: 0 }
service:
  extensions: [file_storage]
  telemetry: { metrics: { readers: [ { pull: { exporter: { prometheus: { host: 127.0.0.1, port: ${metrics} } } } } ] } }
  pipelines: { metrics: { receivers: [otlp], exporters: [influxdb] } }
`,
      )
      const router = startProcess(t, ['--config', config])
      await router.until('Everything is ready')
      let sent = 0
      const send = async (count: number): Promise<void> => {
        for (let i = 0; i < count; i++) {
          const answer = await fetch(`http://127.0.0.1:${http}/v1/metrics`, {
            method: 'POST',
            headers: { 'content-type': 'application/json' },
            body: request(sent),
          })
          assert.equal(answer.status, 200)
          await answer.arrayBuffer()
          sent++
        }
      }
      const stored = async (): Promise<number> => {
        const rows = await influxQl(store, 'plant', 'SELECT count(value) FROM device_metrics').catch(() => [])
        return Number(rows[1]?.[1] ?? 0)
      }
      await send(100)
      await store.server.start()
      await until(async () => (await stored()) === 100, 30_000)
      const sending = send(600)
      await until(() => sent > 200)
      await store.server.stop('SIGKILL')
      await sending
      await store.server.start()
      await until(async () => (await stored()) === 700, 30_000)
      assert.equal(await router.stop(), 0, router.said())
    })
})
