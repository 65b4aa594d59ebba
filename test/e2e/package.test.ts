// What is published: the launcher, compiled code and the schema, and nothing that only a clone needs.

import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'

const ROOT = new URL('../../', import.meta.url).pathname

test('the published package has no pinned Node and no tools, and its launcher runs', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-package-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const made = spawnSync(process.execPath, [join(ROOT, 'scripts/make-package.ts'), folder], {
    encoding: 'utf8',
    env: { ...process.env, PATH: `${join(ROOT, 'node_modules/.bin')}:${process.env.PATH}` },
  })
  assert.equal(made.status, 0, made.stdout + made.stderr)
  const own = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
  for (const key of ['scripts', 'devDependencies', 'optionalDependencies', 'overrides']) assert.ok(!(key in own), key)
  assert.deepEqual(own.bin, { millrace: 'bin/millrace.js' })

  symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'))
  const run = spawnSync(process.execPath, [join(folder, 'bin/millrace.js'), 'components'], { encoding: 'utf8' })
  assert.equal(run.status, 0, run.stderr)
  assert.match(run.stdout, /name: otlp_grpc/)
})
