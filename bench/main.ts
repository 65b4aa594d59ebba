// `npm run bench -- [REGEX] [--list] [--rounds N] [--quick] [--no-save]`: measures the cases whose names match, each in
// a process of its own, prints a table and keeps the figures in bench/results.

import { spawn } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { SHARD_FLAGS } from '../src/shards/heap.ts'
import type { AnyCase, BenchResult, MeasureOptions } from './harness.ts'
import { DEFAULT_OPTIONS } from './harness.ts'
import { tableHead, tableRow, writeResults } from './report.ts'

interface Listed {
  readonly file: string
  readonly name: string
}

async function listCases(pattern: RegExp): Promise<Listed[]> {
  const folder = new URL('./cases/', import.meta.url)
  const listed: Listed[] = []
  for (const entry of readdirSync(folder).sort()) {
    if (!entry.endsWith('.bench.ts')) continue
    const url = new URL(entry, folder)
    const module = (await import(url.href)) as { default: AnyCase | readonly AnyCase[] }
    for (const { name } of [module.default].flat())
      if (pattern.test(name)) listed.push({ file: fileURLToPath(url), name })
  }
  return listed
}

/** Runs one case in a child; its last line of output is the result. */
function runCase({ file, name }: Listed, options: MeasureOptions): Promise<readonly BenchResult[]> {
  const program = fileURLToPath(new URL('./case.ts', import.meta.url))
  const child = spawn(process.execPath, ['--expose-gc', ...SHARD_FLAGS, program, file, name, JSON.stringify(options)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let output = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text
  })
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code) => {
      if (code === 0) resolve(JSON.parse(output.trimEnd().split('\n').at(-1) ?? '[]') as readonly BenchResult[])
      else reject(new Error(`case ${name} ended with exit code ${code}`))
    })
  })
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    list: { type: 'boolean', default: false },
    rounds: { type: 'string' },
    quick: { type: 'boolean', default: false },
    'no-save': { type: 'boolean', default: false },
  },
})
const cases = await listCases(new RegExp(positionals[0] ?? ''))
if (values.list || cases.length === 0) {
  console.log(cases.map(({ name }) => name).join('\n') || `no case matches ${positionals[0]}`)
  process.exit(cases.length === 0 ? 1 : 0)
}
const base: MeasureOptions = values.quick ? { rounds: 3, roundMs: 50, warmUpMs: 100 } : DEFAULT_OPTIONS
const options: MeasureOptions = { ...base, rounds: Number(values.rounds ?? base.rounds) }
const nameWidth = Math.max(40, ...cases.map(({ name }) => name.length + 2))
console.log(tableHead(nameWidth))
const results: BenchResult[] = []
let failed = 0
for (const entry of cases) {
  try {
    for (const result of await runCase(entry, options)) {
      results.push(result)
      console.log(tableRow(result, nameWidth))
    }
  } catch (error) {
    failed++
    console.error((error as Error).message)
  }
}
// A quick look is too noisy to be kept.
if (!values['no-save'] && !values.quick && results.length > 0) {
  const file = writeResults(new URL('./results/', import.meta.url), positionals[0] ?? 'all', results)
  console.log(`\nkept in bench/results/${file}`)
}
process.exitCode = failed === 0 ? 0 : 1
