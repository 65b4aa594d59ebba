// The router's file of the stack, with real stores beside it and a plant in front of it: every query of every dashboard
// finds something.
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { parseDocument } from 'yaml'
import { startPlant } from '../demo/plant.ts'
import { ownDirectory } from '../test/support/disk.ts'
import { INFLUXDB_1, influxdb1, influxQl } from '../test/support/influxdb.ts'
import { startOtlpRecorder } from '../test/support/otlp-recorder.ts'
import { PROMETHEUS } from '../test/support/prometheus.ts'
import { freePorts, startProcess } from '../test/support/router-process.ts'
import { reply, scriptedHttp } from '../test/support/scripted-http.ts'
import { packageMissing, serverProcess } from '../test/support/server-process.ts'
import { until } from '../test/support/until.ts'
import { DASHBOARDS, type Query } from './dashboards.ts'

const missing = packageMissing(...INFLUXDB_1) || packageMissing(...PROMETHEUS)
/** Rates need some scrapes. */
const FOUND_WITHIN_MS = 60_000

test('every query of every dashboard finds what a plant and its services sent', { skip: missing }, async (t) => {
  const directory = ownDirectory(t)
  const [grpc, http, mqtt, own, telemetry, health, prometheusPort] = (await freePorts(7)) as [
    number,
    number,
    number,
    number,
    number,
    number,
    number,
  ]
  const jaeger = await startOtlpRecorder(t)
  const influx = await influxdb1(t)
  // Each item of a bulk request has two lines.
  const elasticsearch = await scriptedHttp(t, ({ body }, response) => {
    const items = body.toString().trimEnd().split('\n').length / 2
    const item = { create: { _index: 'otel-logs', status: 201 } }
    reply(200, { errors: false, items: Array.from({ length: items }, () => item) })({} as never, response)
  })

  const file = parseDocument(
    (await import('node:fs')).readFileSync(fileURLToPath(new URL('./compose/millrace.yaml', import.meta.url)), 'utf8'),
  )
  const local = (port: number): string => `127.0.0.1:${port}`
  for (const [path, value] of [
    ['extensions.health_check.endpoint', local(health)],
    ['extensions.file_storage.directory', join(directory, 'queue')],
    ['extensions.mqtt_broker.tcp.endpoint', local(mqtt)],
    ['receivers.otlp.protocols.grpc.endpoint', local(grpc)],
    ['receivers.otlp.protocols.http.endpoint', local(http)],
    ['exporters.prometheus.endpoint', local(telemetry)],
  ] as const)
    file.setIn(path.split('.'), value)
  file.setIn(['service', 'telemetry', 'metrics', 'readers', 0, 'pull', 'exporter', 'prometheus'], {
    host: '127.0.0.1',
    port: own,
  })
  const config = join(directory, 'millrace.yaml')
  writeFileSync(config, String(file))
  const router = startProcess(t, ['--config', config], {
    MQTT_BROKER: `mqtt://${local(mqtt)}`,
    JAEGER: jaeger.grpcAddress,
    INFLUXDB: influx.url,
    ELASTICSEARCH: elasticsearch.url,
  })
  await router.until('Everything is ready')

  const scrape = join(directory, 'prometheus.yml')
  writeFileSync(
    scrape,
    `
global: { scrape_interval: 1s }
scrape_configs:
  - { job_name: millrace, static_configs: [ { targets: ["${local(own)}"] } ] }
  - { job_name: telemetry, honor_labels: true, static_configs: [ { targets: ["${local(telemetry)}"] } ] }
`,
  )
  const prometheus = `http://${local(prometheusPort)}`
  const isReady = async (): Promise<boolean> => (await fetch(`${prometheus}/-/ready`)).ok
  await serverProcess(t, isReady, [
    'prometheus',
    `--config.file=${scrape}`,
    `--storage.tsdb.path=${join(directory, 'tsdb')}`,
    `--web.listen-address=${local(prometheusPort)}`,
    '--enable-feature=exemplar-storage',
  ])
  const plant = await startPlant({
    broker: `mqtt://${local(mqtt)}`,
    grpcEndpoint: `http://${local(grpc)}`,
    httpEndpoint: `http://${local(http)}`,
  })
  t.after(() => plant.stop())

  const finds = async ({ source, text }: Query): Promise<boolean> => {
    if (source === 'influxdb') {
      const query = text.replace('$timeFilter', 'time > now() - 1h').replace('$__interval', '1s')
      return (await influxQl(influx, 'plant', query).catch(() => [])).length > 1
    }
    const query = text.replaceAll('$__rate_interval', '10s')
    const answer = await fetch(`${prometheus}/api/v1/query?${new URLSearchParams({ query })}`)
    const { status, data, error } = (await answer.json()) as {
      status: string
      data: { result: unknown[] }
      error: string
    }
    assert.equal(status, 'success', `${query}: ${error}`)
    return data.result.length > 0
  }
  const queries = DASHBOARDS.flatMap(({ title, panels }) =>
    panels.flatMap((panel) => panel.queries.map((query) => ({ of: `${title}: ${panel.title}: ${query.text}`, query }))),
  )
  let empty: string[] = []
  const end = performance.now() + FOUND_WITHIN_MS
  do {
    empty = []
    for (const { of, query } of queries) if (!(await finds(query))) empty.push(of)
    await new Promise((resolve) => setTimeout(resolve, 1_000))
  } while (empty.length > 0 && performance.now() < end)
  assert.deepEqual(empty, [])
  await until(() => elasticsearch.asked.length > 0)
  assert.equal(await router.stop(), 0, router.said())
})
