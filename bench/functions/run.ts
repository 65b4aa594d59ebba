// Measures function cases, and those of millrace/, each in a process of its own; prints a table and keeps the figures.

import { spawn } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { SHARD_FLAGS } from '../../src/shards/heap.ts'
import { conditions, writeResults } from '../results.ts'
import type { AnyCase, BenchResult, MeasureOptions } from './harness.ts'
import { DEFAULT_OPTIONS } from './harness.ts'
import { tableHead, tableRow } from './table.ts'

export interface ListedFunction {
  readonly file: string
  readonly name: string
}

const FOLDERS = [new URL('./', import.meta.url), new URL('../millrace/', import.meta.url)]

export async function listFunctions(pattern: RegExp): Promise<ListedFunction[]> {
  const listed: ListedFunction[] = []
  for (const folder of FOLDERS) {
    for (const entry of readdirSync(folder).sort()) {
      if (!entry.endsWith('.bench.ts')) continue
      const url = new URL(entry, folder)
      const module = (await import(url.href)) as { default: AnyCase | readonly AnyCase[] }
      for (const { name } of [module.default].flat())
        if (pattern.test(name)) listed.push({ file: fileURLToPath(url), name })
    }
  }
  return listed
}

// What a shard's thread frees stays with the process; what the first thread of a process frees, where cases run, glibc gives
// back to the system, and each new buffer would cost its page faults again: up to 0.25 CPU-seconds per million spans.
const KEEP_FREED_MEMORY = { MALLOC_TRIM_THRESHOLD_: String(2 ** 30), MALLOC_MMAP_THRESHOLD_: String(2 ** 30) }

/** Runs one case in a child; its last line of output is the result. */
export function runFunction({ file, name }: ListedFunction, options: MeasureOptions): Promise<readonly BenchResult[]> {
  const program = fileURLToPath(new URL('./child.ts', import.meta.url))
  const args = ['--expose-gc', ...SHARD_FLAGS, program, file, name, JSON.stringify(options)]
  const child = spawn(process.execPath, args, {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, ...KEEP_FREED_MEMORY },
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

export const QUICK_OPTIONS: MeasureOptions = { rounds: 3, roundMs: 50, warmUpMs: 100 }

export interface FunctionOptions {
  readonly pattern: string
  readonly rounds?: number
  readonly quick: boolean
  readonly save: boolean
}

/** Returns the exit code. */
export async function runFunctions({ pattern, rounds, quick, save }: FunctionOptions): Promise<number> {
  const cases = await listFunctions(new RegExp(pattern))
  if (cases.length === 0) {
    console.error(`no function case matches ${pattern}; --list names them all, and --case NAME measures routers`)
    return 1
  }
  const base = quick ? QUICK_OPTIONS : DEFAULT_OPTIONS
  const options: MeasureOptions = { ...base, rounds: rounds ?? base.rounds }
  const nameWidth = Math.max(40, ...cases.map(({ name }) => name.length + 2))
  console.log(tableHead(nameWidth))
  const facts = conditions()
  const results: BenchResult[] = []
  let failed = 0
  for (const entry of cases) {
    try {
      for (const result of await runFunction(entry, options)) {
        results.push(result)
        console.log(tableRow(result, nameWidth))
      }
    } catch (error) {
      failed++
      console.error((error as Error).message)
    }
  }
  // A quick look is too noisy to be kept.
  if (save && !quick && results.length > 0)
    console.log(`\nkept in bench/results/${writeResults(pattern, facts, { results })}`)
  return failed === 0 ? 0 : 1
}
