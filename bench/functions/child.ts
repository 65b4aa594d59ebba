// Measures one case in this process and prints its results as one line of JSON. Started by run.ts:
//   node --expose-gc bench/functions/child.ts FILE NAME OPTIONS

import { pathToFileURL } from 'node:url'
import type { AnyCase, BenchResult, MeasureOptions } from './harness.ts'
import { measure } from './harness.ts'

const [file = '', name = '', options = '{}'] = process.argv.slice(2)
const module = (await import(pathToFileURL(file).href)) as { default: AnyCase | readonly AnyCase[] }
const found = [module.default].flat().find((entry) => entry.name === name)
if (found === undefined) throw new Error(`no case ${name} in ${file}`)
const settings = JSON.parse(options) as MeasureOptions
const results: readonly BenchResult[] =
  found.kind === 'function' ? [await measure(found, settings)] : await found.measure(settings)
process.stdout.write(`\n${JSON.stringify(results)}\n`)
process.exit(0)
