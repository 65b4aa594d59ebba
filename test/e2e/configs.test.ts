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
}

const RUNS: Record<string, Runs> = {
  'quickstart.yaml': {
    ports: ['receivers.otlp.protocols.grpc.endpoint', 'receivers.otlp.protocols.http.endpoint'],
    paths: ['exporters.file.path'],
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
  'plant.yaml': {
    ports: [
      'extensions.mqtt_broker.tcp.endpoint',
      'receivers.otlp.protocols.grpc.endpoint',
      'receivers.otlp.protocols.http.endpoint',
    ],
    paths: ['exporters.file.path'],
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

/** Files whose stores and samplers are not here yet: what is refused, one problem a kind, and each thing that is warned of. */
const REFUSED: Record<
  string,
  { readonly names: readonly string[]; readonly kinds: number; readonly warned: readonly string[] }
> = {
  'full-stack.yaml': {
    names: ['prometheus'],
    kinds: 1,
    warned: ['otlp/jaeger', 'exporters.logging', 'exporters.logging.loglevel', 'service.extensions[0]'],
  },
  'robustmq-tracing.yaml': {
    names: ['jaeger and prometheus', 'probabilistic_sampler'],
    kinds: 2,
    warned: ['exporters.logging', 'exporters.logging.loglevel'],
  },
}

function folder(t: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), 'millrace-configs-'))
  t.after(() => rmSync(path, { recursive: true, force: true }))
  return path
}

test('every file in configs/ is held by this test, and opens with its purpose and its command', () => {
  const files = readdirSync(CONFIGS).filter((name) => name.endsWith('.yaml'))
  assert.deepEqual(files.sort(), [...Object.keys(RUNS), ...Object.keys(REFUSED)].sort())
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

for (const [file, { ports, paths = [], token }] of Object.entries(RUNS)) {
  test(`configs/${file} runs, takes a span and drains`, async (t) => {
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
    const http = own[ports.indexOf('receivers.otlp.protocols.http.endpoint')]
    const dispatcher = new Agent({ connect: { ca: certs.ca } })
    t.after(() => dispatcher.close())
    const post = async (headers: Record<string, string>): Promise<number> => {
      const { statusCode, body } = await request(
        `${token === undefined ? 'http' : 'https'}://127.0.0.1:${http}/v1/logs`,
        {
          dispatcher,
          method: 'POST',
          headers: { 'content-type': 'application/json', ...headers },
          body: '{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"body":{"stringValue":"door opened"}}]}]}]}',
        },
      )
      await body.dump()
      return statusCode
    }
    if (token !== undefined) assert.equal(await post({}), 401)
    assert.equal(await post(token === undefined ? {} : { authorization: `Bearer ${token}`, 'x-tenant': 'line-3' }), 200)
    assert.equal(await router.stop(), 0, router.said())
    assert.doesNotMatch(router.said(), /\terror\t(?!.*(Exporting failed|ECONNREFUSED|connect))/)
  })
}

for (const [file, { names, kinds, warned }] of Object.entries(REFUSED)) {
  test(`configs/${file} is understood, and refused for exactly ${names.join(', ')}`, async (t) => {
    const validate = startProcess(t, ['validate', '--config', join(CONFIGS, file)])
    assert.equal(await validate.exited, 1)
    const heads = validate.said().match(/^.*: CONFIG_\w+ .*$/gm) ?? []
    const warnings = heads.filter((line) => line.startsWith('warning: '))
    const problems = heads.filter((line) => !line.startsWith('warning: '))
    assert.equal(problems.length, kinds, validate.said())
    for (const name of names)
      assert.ok(
        problems.some((line) => line.includes(name)),
        validate.said(),
      )
    for (const thing of warned)
      assert.equal(warnings.filter((line) => line.includes(`${thing}:`)).length, 1, validate.said())
    assert.equal(warnings.length, warned.length, validate.said())
  })
}
