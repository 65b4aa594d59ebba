// The router as a process: what comes in goes out, signals do what they do in the Collector, exit codes are right.

import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { freePorts, startProcess, startRouterProcess } from '../support/router-process.ts'

const SPANS = {
  resourceSpans: [
    {
      resource: { attributes: [{ key: 'service.name', value: { stringValue: 'press-4' } }] },
      scopeSpans: [
        {
          spans: [
            {
              traceId: '0102030405060708090a0b0c0d0e0f10',
              spanId: '0102030405060708',
              name: 'weld',
              startTimeUnixNano: '1700000000000000000',
              endTimeUnixNano: '1700000000250000000',
            },
          ],
        },
      ],
    },
  ],
}

function folder(t: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), 'millrace-e2e-'))
  t.after(() => rmSync(path, { recursive: true, force: true }))
  return path
}

const post = (port: number, body: unknown = SPANS): Promise<Response> =>
  fetch(`http://127.0.0.1:${port}/v1/traces`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })

const fileRouter = (http: number, metrics: number, health: number, path: string, extra = ''): string => `
extensions: { health_check: { endpoint: "127.0.0.1:${health}" } }
receivers: { otlp: { protocols: { http: { endpoint: "127.0.0.1:${http}" } } } }
processors: { batch: { timeout: 50ms } }
exporters: { file: { path: ${path}, flush_interval: 50ms } }
service:
  extensions: [health_check]
  telemetry: { metrics: { readers: [ { pull: { exporter: { prometheus: { host: 127.0.0.1, port: ${metrics} } } } } ] } }
  pipelines:
    traces: { receivers: [otlp], processors: [batch], exporters: [file] }
${extra}`

test('a span that is answered with 200 stands in the file after a graceful stop, and exit code is 0', async (t) => {
  const [http, metrics, health] = (await freePorts(3)) as [number, number, number]
  const path = join(folder(t), 'out.jsonl')
  const router = await startRouterProcess(t, fileRouter(http, metrics, health, path))

  assert.equal((await fetch(`http://127.0.0.1:${health}/`)).status, 200)
  const answer = await post(http)
  assert.equal(answer.status, 200)
  assert.deepEqual(await answer.json(), { partialSuccess: {} })

  const text = await (await fetch(`http://127.0.0.1:${metrics}/metrics`)).text()
  assert.match(text, /^otelcol_receiver_accepted_spans\{receiver="otlp",transport="http"\} 1$/m)
  assert.match(text, /^otelcol_process_uptime /m)

  assert.equal(await router.stop('SIGTERM'), 0, router.said())
  const lines = readFileSync(path, 'utf8').trim().split('\n')
  assert.equal(lines.length, 1)
  assert.deepEqual(JSON.parse(lines[0]!).resourceSpans[0].scopeSpans[0].spans[0].name, 'weld')
})

test('SIGHUP takes a new file, and keeps the old one running when the new one is wrong', async (t) => {
  const [http, metrics, health, other] = (await freePorts(4)) as [number, number, number, number]
  const at = folder(t)
  const file = join(at, 'router.yaml')
  const config = fileRouter(http, metrics, health, join(at, 'out.jsonl'))
  writeFileSync(file, config)
  const router = startProcess(t, ['--config', file])
  await router.until('Everything is ready')

  writeFileSync(file, config.replace('timeout: 50ms', 'timeuot: 50ms'))
  router.process.kill('SIGHUP')
  await router.until('CONFIG_UNKNOWN_KEY')
  assert.equal((await post(http)).status, 200)

  const noSuchPlace = join(at, 'nowhere', 'log')
  writeFileSync(file, config.replace('telemetry: {', `telemetry: { logs: { output_paths: [${noSuchPlace}] },`))
  router.process.kill('SIGHUP')
  await router.until('nowhere')
  assert.equal((await post(http)).status, 200)

  writeFileSync(file, config.replace(`127.0.0.1:${http}`, `127.0.0.1:${other}`))
  router.process.kill('SIGHUP')
  for (let i = 0; i < 100; i++) {
    if ((await post(other).catch(() => undefined))?.status === 200) break
    await sleep(50)
  }
  assert.equal((await post(other)).status, 200)
  await assert.rejects(post(http))
  assert.equal(await router.stop('SIGINT'), 0, router.said())
})

test('a second signal ends a router that is still draining', async (t) => {
  const [http, dead] = (await freePorts(2)) as [number, number]
  const router = await startRouterProcess(
    t,
    `
receivers: { otlp: { protocols: { http: { endpoint: "127.0.0.1:${http}" } } } }
exporters: { otlp_http: { endpoint: "http://127.0.0.1:${dead}", sending_queue: { enabled: false }, retry_on_failure: { initial_interval: 30s, max_interval: 30s } } }
service: { telemetry: { metrics: { level: none } }, pipelines: { traces: { receivers: [otlp], exporters: [otlp_http] } } }`,
  )
  void post(http).catch(() => {})
  await sleep(300)
  router.process.kill('SIGTERM')
  await router.until('Starting shutdown')
  await sleep(100)
  router.process.kill('SIGTERM')
  const code = await Promise.race([router.exited, sleep(3_000).then(() => 'still there')])
  assert.notEqual(code, 'still there', router.said())
})

test('a port that is taken ends the start with its address and exit code 1', async (t) => {
  const [http, metrics, health] = (await freePorts(3)) as [number, number, number]
  const path = join(folder(t), 'out.jsonl')
  await startRouterProcess(t, fileRouter(http, metrics, health, path))
  const [otherMetrics, otherHealth] = (await freePorts(2)) as [number, number]
  const second = startProcess(t, ['--config', `yaml:${fileRouter(http, otherMetrics, otherHealth, path)}`])
  assert.equal(await second.exited, 1)
  assert.match(second.said(), new RegExp(`EADDRINUSE.*${http}|${http}.*in use`))
})

test('a reload that cannot start leaves the router running with the configuration before', async (t) => {
  const [http, metrics, health, taken, one, two] = (await freePorts(6)) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ]
  const at = folder(t)
  await startRouterProcess(t, fileRouter(taken, one, two, join(at, 'other.jsonl')))
  const file = join(at, 'router.yaml')
  const config = fileRouter(http, metrics, health, join(at, 'out.jsonl'))
  writeFileSync(file, config)
  const router = startProcess(t, ['--config', file])
  await router.until('Everything is ready')
  writeFileSync(file, config.replace(`127.0.0.1:${http}`, `127.0.0.1:${taken}`))
  router.process.kill('SIGHUP')
  await router.until('The new configuration was not taken')
  assert.match(router.said(), /cannot start receiver otlp: .*EADDRINUSE/)
  assert.equal((await post(http)).status, 200)
  assert.equal((await fetch(`http://127.0.0.1:${health}/`)).status, 200)
  const text = await (await fetch(`http://127.0.0.1:${metrics}/metrics`)).text()
  assert.match(text, /^otelcol_config_reloads\{result="refused"\} 1$/m)
  assert.match(text, /^otelcol_config_last_reload_successful 0$/m)
  assert.equal(await router.stop('SIGTERM'), 0, router.said())
})

test('a configuration with mistakes prints all of them and exits with 1, before anything starts', async (t) => {
  const router = startProcess(t, [
    '--config',
    'yaml:receivers: { otlp: { protocols: { grpc: { enpoint: x } } } }\nexporters: { debug: { verbosity: loud } }\nservice: { pipelines: { traces: { receivers: [otlp], exporters: [debgu] } } }',
  ])
  assert.equal(await router.exited, 1)
  for (const word of ['enpoint', 'loud', 'debgu']) assert.ok(router.said().includes(word), router.said())
})

test('the commands of the Collector answer as it does', async (t) => {
  const run = async (...args: string[]): Promise<{ code: number | null; said: string }> => {
    const command = startProcess(t, args)
    return { code: await command.exited, said: command.said() }
  }
  const version = await run('--version')
  assert.equal(version.code, 0)
  assert.match(version.said, /^millrace version \d+\.\d+\.\d+\n$/)
  const help = await run('--help')
  assert.equal(help.code, 0)
  for (const word of ['validate', 'components', 'graph', 'send', '--config', '--set'])
    assert.ok(help.said.includes(word), help.said)
  const none = await run()
  assert.equal(none.code, 1)
  assert.match(none.said, /at least one config flag must be provided/)
  const components = await run('components')
  assert.equal(components.code, 0)
  assert.match(components.said, /name: otlp/)
})
