// Several shards and a store that wants the samples of a series in their order.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readRequest } from '../../src/exporters/prometheus_remote_write/testing.ts'
import { freePorts, startRouterProcess } from '../support/router-process.ts'
import { reply, scriptedHttp } from '../support/scripted-http.ts'
import { until } from '../support/until.ts'

const SERVICES = Array.from({ length: 6 }, (_, n) => `press-${n}`)
const REQUESTS = 60
const FROM_MS = 1_767_225_600_000

const attribute = (key: string, stringValue: string): object => ({ key, value: { stringValue } })

/** A point of each service's series. */
const points = (n: number): object => ({
  resourceMetrics: SERVICES.map((name) => ({
    resource: { attributes: [attribute('service.name', name), attribute('run', `${n}`)] },
    scopeMetrics: [
      {
        metrics: [{ name: 'speed', gauge: { dataPoints: [{ timeUnixNano: `${FROM_MS + n}000000`, asInt: `${n}` }] } }],
      },
    ],
  })),
})

test('with several shards the samples of a series arrive in their order, over whichever connections they came', async (t) => {
  let answered = 0
  // Some answers are late, so that what one shard sends could overtake what another does.
  const store = await scriptedHttp(t, (question, response) => {
    setTimeout(() => reply(204)(question, response), (answered++ % 3) * 20)
  })
  const [port, metrics] = (await freePorts(2)) as [number, number]
  const router = await startRouterProcess(
    t,
    `
receivers: { otlp: { protocols: { http: { endpoint: "127.0.0.1:${port}" } } } }
exporters: { prometheus_remote_write: { endpoint: ${store.url}, target_info: { enabled: false } } }
service:
  shards: 2
  telemetry: { metrics: { readers: [ { pull: { exporter: { prometheus: { host: 127.0.0.1, port: ${metrics} } } } } ] } }
  pipelines: { metrics: { receivers: [otlp], exporters: [prometheus_remote_write] } }`,
  )
  for (let n = 1; n <= REQUESTS; n++) {
    const { status } = await fetch(`http://127.0.0.1:${port}/v1/metrics`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', connection: 'close' },
      body: JSON.stringify(points(n)),
    })
    assert.equal(status, 200)
  }
  const arrived = (): Map<string, number[]> => {
    const times = new Map<string, number[]>()
    for (const { body, headers } of store.asked)
      for (const { name, samples } of readRequest(body, String(headers['x-prometheus-remote-write-version'])).series)
        times.set(name, [...(times.get(name) ?? []), ...samples.map(({ time }) => time - FROM_MS)])
    return times
  }
  await until(() => [...arrived().values()].flat().length >= SERVICES.length * REQUESTS)
  const inOrder = Array.from({ length: REQUESTS }, (_, n) => n + 1)
  for (const [name, times] of arrived()) assert.deepEqual(times, inOrder, name)
  assert.equal(arrived().size, SERVICES.length)
  const sent = new RegExp(`^otelcol_exporter_sent_metric_points\\S*\\{[^}]*\\} ${SERVICES.length * REQUESTS}$`, 'm')
  await until(async () => sent.test(await (await fetch(`http://127.0.0.1:${metrics}/metrics`)).text()))
  assert.equal(await router.stop(), 0)
})
