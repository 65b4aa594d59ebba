// The router under Node's permission model, with the flags that docs/security.md and the systemd unit name.

import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { freePorts, startProcess } from '../support/router-process.ts'
import { until } from '../support/until.ts'

const ROOT = new URL('../../', import.meta.url).pathname
const flagsIn = (text: string): string[] => text.match(/--(?:permission|allow-[a-z-]+(?:=\/[a-z/]+\/)?)(?= )/g) ?? []

const page = readFileSync(`${ROOT}docs/security.md`, 'utf8')
const command = /^node --permission[\s\S]*?config\.yaml$/m.exec(page)![0]
const unit = readFileSync(`${ROOT}packaging/millrace.service`, 'utf8')

test('the unit starts the router with the flags that the page of security names', () => {
  const start = /^ExecStart=([\s\S]*?config\.yaml)$/m.exec(unit)![1]!
  assert.deepEqual(flagsIn(start), flagsIn(command))
  assert.ok(flagsIn(command).length >= 6)
})

test('with these flags the router starts, takes telemetry, writes to its state and reloads; without one it says what it lacks', async (t) => {
  const base = realpathSync(mkdtempSync(join(tmpdir(), 'millrace-permission-')))
  t.after(() => rmSync(base, { recursive: true, force: true }))
  for (const name of ['etc', 'state']) mkdirSync(join(base, name))
  const [port, admin] = await freePorts(2)
  const config = join(base, 'etc/config.yaml')
  const text = `
receivers: {otlp: {protocols: {http: {endpoint: '127.0.0.1:${port}'}}}}
exporters: {file: {path: '${base}/state/out.json'}}
extensions: {admin: {endpoint: '127.0.0.1:${admin}'}}
service:
  extensions: [admin]
  telemetry: {metrics: {level: none}}
  pipelines: {logs: {receivers: [otlp], exporters: [file]}}
`
  writeFileSync(config, text)
  const options = (flags: readonly string[]): Record<string, string> => ({
    NODE_OPTIONS: flags
      .map((flag) => flag.replace('/opt/millrace/', ROOT))
      .map((flag) => flag.replace('/etc/millrace/', `${base}/etc/`).replace('/var/lib/millrace/', `${base}/state/`))
      .join(' '),
  })
  const flags = flagsIn(command)
  const router = startProcess(t, ['--config', config], options(flags))
  await router.until('Everything is ready', 30_000)
  const answer = await fetch(`http://127.0.0.1:${port}/v1/logs`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"body":{"stringValue":"kept"}}]}]}]}',
  })
  assert.equal(answer.status, 200)
  await until(() => readFileSync(`${base}/state/out.json`, 'utf8').includes('kept'))
  writeFileSync(config, text.replace('[otlp]', '[otlp], processors: []'))
  const reloaded = await fetch(`http://127.0.0.1:${admin}/-/reload`, { method: 'POST' })
  assert.equal(reloaded.status, 200, await reloaded.text())
  assert.equal(await router.stop('SIGTERM'), 0)

  const without = flags.filter((flag) => !flag.startsWith('--allow-fs-write'))
  const refused = startProcess(t, ['--config', config], options(without))
  assert.equal(await refused.exited, 1)
  assert.match(refused.said(), /cannot start exporter file: .*--allow-fs-write/)
})
