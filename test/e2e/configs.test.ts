// Every file in configs/ does what its first lines say.

import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { Agent, request } from 'undici'
import { certs } from '../support/certs.ts'
import { freePorts, startProcess } from '../support/router-process.ts'

const CONFIGS = new URL('../../configs/', import.meta.url).pathname

/** What a test must own of a file that runs: its ports and the paths that it writes to. */
interface Runs {
  readonly ports: readonly string[]
  readonly paths?: readonly string[]
  /** Its door speaks TLS with the certificate of the tests, and takes this token from the file that TOKENS names. */
  readonly token?: string
  /** What it is sent; logs by default. */
  readonly signal?: 'logs' | 'traces' | 'metrics'
  /** What it warns of: what the Collector has renamed, removed or never wanted. */
  readonly warned?: readonly string[]
}

const RUNS: Record<string, Runs> = {
  'quickstart.yaml': {
    ports: ['receivers.otlp.protocols.grpc.endpoint', 'receivers.otlp.protocols.http.endpoint'],
    paths: ['exporters.file.path'],
  },
  'full-stack.yaml': {
    ports: [
      'receivers.otlp.protocols.grpc.endpoint',
      'receivers.otlp.protocols.http.endpoint',
      'exporters.prometheus.endpoint',
      // Not declared in the file, which is one warning more.
      'extensions.health_check.endpoint',
    ],
    warned: ['exporters.otlp/jaeger', 'exporters.logging', 'exporters.logging.loglevel'],
  },
  'gateway.yaml': {
    ports: [
      'receivers.otlp.protocols.grpc.endpoint',
      'receivers.otlp.protocols.http.endpoint',
      'extensions.health_check.endpoint',
    ],
    paths: ['exporters.file.path'],
  },
  'durable-gateway.yaml': {
    ports: [
      'receivers.otlp.protocols.grpc.endpoint',
      'receivers.otlp.protocols.http.endpoint',
      'extensions.health_check.endpoint',
    ],
    paths: ['extensions.file_storage.directory'],
  },
  'elasticsearch.yaml': {
    ports: ['receivers.otlp.protocols.grpc.endpoint', 'receivers.otlp.protocols.http.endpoint'],
  },
  'influxdb.yaml': {
    ports: [
      'receivers.otlp.protocols.grpc.endpoint',
      'receivers.otlp.protocols.http.endpoint',
      'extensions.health_check.endpoint',
    ],
    paths: ['extensions.file_storage.directory'],
  },
  'many-cores.yaml': {
    ports: [
      'receivers.otlp.protocols.grpc.endpoint',
      'receivers.otlp.protocols.http.endpoint',
      'extensions.health_check.endpoint',
      'extensions.zpages.endpoint',
    ],
  },
  'mqtt-gateway.yaml': {
    ports: [
      'receivers.otlp.protocols.grpc.endpoint',
      'receivers.otlp.protocols.http.endpoint',
      'extensions.health_check.endpoint',
    ],
    paths: ['extensions.file_storage.directory', 'exporters.file.path'],
  },
  'mqtt-commands.yaml': {
    ports: ['extensions.mqtt_broker.tcp.endpoint', 'receivers.otlp.protocols.http.endpoint'],
  },
  'plant.yaml': {
    ports: [
      'extensions.mqtt_broker.tcp.endpoint',
      'receivers.otlp.protocols.grpc.endpoint',
      'receivers.otlp.protocols.http.endpoint',
      'exporters.prometheus.endpoint',
    ],
    paths: ['exporters.file.path'],
  },
  'sparkplug.yaml': {
    ports: [
      'receivers.otlp.protocols.grpc.endpoint',
      'receivers.otlp.protocols.http.endpoint',
      'extensions.health_check.endpoint',
    ],
    paths: ['extensions.file_storage.directory', 'exporters.file/metrics.path', 'exporters.file/logs.path'],
  },
  // It has no door.
  'plant-simulator.yaml': { ports: [], paths: ['receivers.plant_simulator.ground_truth'] },
  'prometheus.yaml': {
    ports: [
      'receivers.otlp.protocols.grpc.endpoint',
      'receivers.otlp.protocols.http.endpoint',
      'exporters.prometheus.endpoint',
    ],
    signal: 'metrics',
  },
  'robustmq-tracing.yaml': {
    ports: [
      'receivers.otlp.protocols.grpc.endpoint',
      'receivers.otlp.protocols.http.endpoint',
      'exporters.prometheus.endpoint',
    ],
    signal: 'traces',
    warned: ['exporters.jaeger', 'exporters.logging', 'exporters.logging.loglevel'],
  },
  'remote-write.yaml': {
    ports: [
      'receivers.otlp.protocols.grpc.endpoint',
      'receivers.otlp.protocols.http.endpoint',
      'extensions.health_check.endpoint',
    ],
    signal: 'metrics',
    paths: ['extensions.file_storage.directory'],
  },
  'two-gateways.yaml': {
    ports: ['receivers.otlp.protocols.grpc.endpoint', 'receivers.otlp.protocols.http.endpoint'],
  },
  'secure-gateway.yaml': {
    ports: ['receivers.otlp.protocols.grpc.endpoint', 'receivers.otlp.protocols.http.endpoint'],
    token: 'open sesame',
  },
  'default.yaml': {
    ports: [
      'receivers.otlp.protocols.grpc.endpoint',
      'receivers.otlp.protocols.http.endpoint',
      'extensions.health_check.endpoint',
      'extensions.pprof.endpoint',
      'extensions.zpages.endpoint',
    ],
  },
}

const BODIES = {
  logs: '{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"body":{"stringValue":"door opened"}}]}]}]}',
  metrics:
    '{"resourceMetrics":[{"scopeMetrics":[{"metrics":[{"name":"doors","gauge":{"dataPoints":[{"asInt":"1"}]}}]}]}]}',
  traces: `{"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":"${'1'.repeat(32)}","spanId":"${'2'.repeat(16)}"}]}]}]}`,
} as const

function folder(t: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), 'millrace-configs-'))
  t.after(() => rmSync(path, { recursive: true, force: true }))
  return path
}

test('every file in configs/ is held by this test, and opens with its purpose and its command', () => {
  const files = readdirSync(CONFIGS).filter((name) => name.endsWith('.yaml'))
  assert.deepEqual(files.sort(), Object.keys(RUNS).sort())
  for (const file of files) {
    const [first, ...rest] = readFileSync(join(CONFIGS, file), 'utf8').split('\n')
    assert.match(first!, /^# \S/, `${file} does not open with its purpose`)
    const head = rest
      .slice(
        0,
        rest.findIndex((line) => !line.startsWith('#')),
      )
      .join('\n')
    assert.match(head, /^# {2,}\S*.*(npx millrace|npm start)/m, `${file} does not say how it is run`)
  }
})

for (const [file, { ports, paths = [], token, signal = 'logs', warned = [] }] of Object.entries(RUNS)) {
  test(`configs/${file} runs, takes what is sent where it has a door, and drains`, async (t) => {
    const [metrics, ...own] = await freePorts(ports.length + 1)
    const at = folder(t)
    const sets = [
      ...ports.map((path, i) => `${path}=127.0.0.1:${own[i]}`),
      ...paths.map((path, i) => `${path}=${join(at, `out-${i}.jsonl`)}`),
      `service.telemetry.metrics.readers=[{pull: {exporter: {prometheus: {host: 127.0.0.1, port: ${metrics}}}}}]`,
    ]
    const env = { TOKENS: join(at, 'tokens'), CERT: certs.server.certFile, KEY: certs.server.keyFile }
    writeFileSync(env.TOKENS, `another one\n${token}\n`, { mode: 0o600 })
    const router = startProcess(t, ['--config', join(CONFIGS, file), ...sets.flatMap((set) => ['--set', set])], env)
    await router.until('Everything is ready')
    for (const thing of warned) assert.match(router.said(), new RegExp(`CONFIG_\\w+ ${RegExp.escape(thing)}:`))
    const http = own[ports.indexOf('receivers.otlp.protocols.http.endpoint')]
    const dispatcher = new Agent({ connect: { ca: certs.ca } })
    t.after(() => dispatcher.close())
    const post = async (headers: Record<string, string>): Promise<number> => {
      const { statusCode, body } = await request(
        `${token === undefined ? 'http' : 'https'}://127.0.0.1:${http}/v1/${signal}`,
        {
          dispatcher,
          method: 'POST',
          headers: { 'content-type': 'application/json', ...headers },
          body: BODIES[signal],
        },
      )
      await body.dump()
      return statusCode
    }
    if (token !== undefined) assert.equal(await post({}), 401)
    if (http !== undefined)
      assert.equal(
        await post(token === undefined ? {} : { authorization: `Bearer ${token}`, 'x-tenant': 'line-3' }),
        200,
      )
    assert.equal(await router.stop(), 0, router.said())
    assert.doesNotMatch(router.said(), /\terror\t(?!.*(Exporting failed|ECONNREFUSED|connect))/)
  })
}
