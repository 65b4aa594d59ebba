// The prometheus exporter in a whole router: several shards show one page.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { freePorts, startRouterProcess } from '../support/router-process.ts'

/** Over a connection of its own, so that the kernel chooses a shard for each. */
const post = (port: number, asDouble: number, machine: string): Promise<Response> =>
  fetch(`http://127.0.0.1:${port}/v1/metrics`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', connection: 'close' },
    body: JSON.stringify({
      resourceMetrics: [
        {
          resource: { attributes: [{ key: 'service.name', value: { stringValue: 'plant' } }] },
          scopeMetrics: [
            {
              metrics: [
                {
                  name: 'speed',
                  gauge: {
                    dataPoints: [{ asDouble, attributes: [{ key: 'machine', value: { stringValue: machine } }] }],
                  },
                },
              ],
            },
          ],
        },
      ],
    }),
  })

test('three shards show one page with every series once, wherever its points came in', async (t) => {
  const [port, scraped] = (await freePorts(2)) as [number, number]
  const router = await startRouterProcess(
    t,
    `
receivers: { otlp: { protocols: { http: { endpoint: "127.0.0.1:${port}" } } } }
exporters: { prometheus: { endpoint: "127.0.0.1:${scraped}", without_scope_info: true } }
service:
  shards: 3
  delivery: delivered
  telemetry: { metrics: { level: none } }
  pipelines: { metrics: { receivers: [otlp], exporters: [prometheus] } }`,
  )
  const machines = Array.from({ length: 20 }, (_, n) => `press-${n}`)
  for (const value of [1, 2]) {
    const answers = await Promise.all(machines.map((machine) => post(port, value, machine)))
    assert.ok(answers.every(({ status }) => status === 200))
  }
  // Whichever shard a scrape is asked of.
  for (let scrape = 0; scrape < 5; scrape++) {
    const answer = await fetch(`http://127.0.0.1:${scraped}/metrics`, { headers: { connection: 'close' } })
    const samples = (await answer.text()).split('\n').filter((line) => line.startsWith('speed{'))
    assert.deepEqual(samples.sort(), machines.map((machine) => `speed{job="plant",machine="${machine}"} 2`).sort())
  }
  assert.equal(await router.stop(), 0, router.said())
})
