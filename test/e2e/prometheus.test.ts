// The prometheus exporter in a whole router: several shards show one page.

import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { Router } from '../../src/router.ts'
import { BUILD } from '../support/harness.ts'
import { kill, MORTAL_WORKER } from '../support/mortal-worker.ts'
import { freePorts, startRouterProcess } from '../support/router-process.ts'
import { until } from '../support/until.ts'

/** Over a connection of its own, so that the kernel chooses a shard for each. */
const post = (port: number, machine: string, metric: (attributes: object[]) => object): Promise<Response> =>
  fetch(`http://127.0.0.1:${port}/v1/metrics`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', connection: 'close' },
    body: JSON.stringify({
      resourceMetrics: [
        {
          resource: { attributes: [{ key: 'service.name', value: { stringValue: 'plant' } }] },
          scopeMetrics: [{ metrics: [metric([{ key: 'machine', value: { stringValue: machine } }])] }],
        },
      ],
    }),
  })

const speed = (asDouble: number) => (attributes: object[]) => ({
  name: 'speed',
  gauge: { dataPoints: [{ asDouble, attributes }] },
})

/** What was made in one second, as a sum with delta temporality: it begins where the one before it ended. */
const parts = (asInt: number, second: number) => (attributes: object[]) => ({
  name: 'parts',
  sum: {
    aggregationTemporality: 1,
    isMonotonic: true,
    dataPoints: [
      { asInt, startTimeUnixNano: `${second}000000000`, timeUnixNano: `${second + 1}000000000`, attributes },
    ],
  },
})

const file = (port: number, scraped: number, shards: number, level = 'info'): string => `
receivers: { otlp: { protocols: { http: { endpoint: "127.0.0.1:${port}" } } } }
exporters: { prometheus: { endpoint: "127.0.0.1:${scraped}", without_scope_info: true } }
service:
  shards: ${shards}
  delivery: delivered
  telemetry: { logs: { level: ${level} }, metrics: { level: none } }
  pipelines: { metrics: { receivers: [otlp], exporters: [prometheus] } }`

/** Lines of a family, over a connection of their own. */
async function samples(scraped: number, name: string): Promise<string[]> {
  const answer = await fetch(`http://127.0.0.1:${scraped}/metrics`, { headers: { connection: 'close' } })
  return (await answer.text())
    .split('\n')
    .filter((line) => line.startsWith(`${name}{`))
    .sort()
}

test('three shards show one page with every series once, wherever its points came in', async (t) => {
  const [port, scraped] = (await freePorts(2)) as [number, number]
  const router = await startRouterProcess(t, file(port, scraped, 3))
  const machines = Array.from({ length: 20 }, (_, n) => `press-${n}`)
  for (const value of [1, 2]) {
    const answers = await Promise.all(machines.map((machine) => post(port, machine, speed(value))))
    assert.ok(answers.every(({ status }) => status === 200))
  }
  // Whichever shard a scrape is asked of.
  for (let scrape = 0; scrape < 5; scrape++) {
    const expected = machines.map((machine) => `speed{job="plant",machine="${machine}"} 2`)
    assert.deepEqual(await samples(scraped, 'speed'), expected.sort())
  }
  assert.equal(await router.stop(), 0, router.said())
})

test('what is counted in deltas adds up, whichever shards its points come in by', async (t) => {
  const [port, scraped] = (await freePorts(2)) as [number, number]
  const router = await startRouterProcess(t, file(port, scraped, 2))
  const machines = Array.from({ length: 4 }, (_, n) => `press-${n}`)
  const seconds = Array.from({ length: 12 }, (_, n) => n + 1)
  for (const second of seconds) {
    const answers = await Promise.all(machines.map((machine, n) => post(port, machine, parts(n + 1, second))))
    assert.ok(answers.every(({ status }) => status === 200))
  }
  assert.deepEqual(
    await samples(scraped, 'parts_total'),
    machines.map((machine, n) => `parts_total{job="plant",machine="${machine}"} ${(n + 1) * seconds.length}`),
  )
  assert.equal(await router.stop(), 0, router.said())
})

test('after its shard has died the page is empty but for what comes then, and sums begin anew', async (t) => {
  const [port, scraped] = (await freePorts(2)) as [number, number]
  const directory = mkdtempSync(join(tmpdir(), 'millrace-scrape-'))
  t.after(() => rmSync(directory, { recursive: true, force: true }))
  const config = join(directory, 'router.yaml')
  writeFileSync(config, file(port, scraped, 2, 'fatal'))
  const router = await Router.start({ configs: [config], sets: [], worker: MORTAL_WORKER }, BUILD)
  t.after(() => router.stop())
  const send = async (machine: string, count: number, second: number): Promise<void> => {
    // As a client does that lost its connection: again, until it has its answer.
    await until(async () => (await post(port, machine, parts(count, second)).catch(() => undefined))?.status === 200)
  }
  const page = (): Promise<string[]> => samples(scraped, 'parts_total').catch(() => ['nobody answers'])
  await send('press-0', 5, 1)
  await send('press-0', 5, 2)
  await send('press-1', 7, 1)
  assert.deepEqual(await page(), [
    'parts_total{job="plant",machine="press-0"} 10',
    'parts_total{job="plant",machine="press-1"} 7',
  ])
  kill(0)
  await until(async () => (await page()).length === 0)
  await send('press-0', 3, 3)
  await send('press-0', 3, 4)
  assert.deepEqual(await page(), ['parts_total{job="plant",machine="press-0"} 6'])
})
