import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { formatProblem } from '../src/config/problem.ts'
import { retrieverOf } from '../src/config/sources.ts'
import { loadConfiguration } from '../src/graph/configuration.ts'
import { canRun, wire } from './case.ts'
import { caseNames, loadCase } from './cases/index.ts'
import { type HarnessOptions, parseCommandLine, settingsOf } from './options.ts'
import type { Setting } from './run.ts'
import { builtCollector } from './suts.ts'
import { rowWords } from './table.ts'

const settings: Setting[] = []
for (const name of caseNames()) {
  const command = parseCommandLine(['--case', name], caseNames()) as unknown as HarnessOptions
  settings.push(...settingsOf(name, await loadCase(name), command))
}

function fileOf(setting: Setting): { readonly text: string; readonly ports: readonly number[] } {
  const output = Array.from({ length: setting.copies }, (_, lane) => 5317 + lane)
  const ports = { input: 4317, metrics: 8888, output }
  return { text: setting.definition.file(wire(setting, ports)), ports: [4317, 8888, ...output] }
}

test('every case says in a sentence what it is, and its file uses all the ports it is given', () => {
  for (const setting of settings) {
    assert.match(setting.definition.summary, /^[A-Z].*\.$|;/, setting.case)
    const { text, ports } = fileOf(setting)
    for (const port of ports) assert.ok(text.includes(String(port)), `${rowWords(setting)} does not use port ${port}`)
  }
})

test('Millrace takes the file of every case without a warning', async () => {
  for (const setting of settings) {
    const sources = { configs: [`yaml:${fileOf(setting).text}`], sets: [], featureGates: [] }
    const { problems, warnings } = await loadConfiguration(sources, retrieverOf({ env: {} }))
    assert.deepEqual([...problems, ...warnings].map(formatProblem), [], rowWords(setting))
  }
})

const collector = builtCollector()
test('the Collector takes the file of every case that is not for others alone', {
  skip:
    collector === undefined
      ? 'bench/peers/otelcol has not been built here: npm run bench -- --sut otelcol builds it'
      : false,
}, () => {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-bench-'))
  try {
    const seen = new Set<string>()
    for (const setting of settings) {
      const { text } = fileOf(setting)
      if (!canRun('otelcol', setting.definition, setting.variant) || seen.has(text)) continue
      seen.add(text)
      const file = join(folder, 'config.yaml')
      writeFileSync(file, text)
      const run = spawnSync(collector!, ['validate', '--config', file], { encoding: 'utf8', timeout: 20_000 })
      assert.equal(run.status, 0, `${rowWords(setting)}: ${run.stderr}`)
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})
