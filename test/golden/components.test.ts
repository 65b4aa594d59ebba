// The case folders of components: src/<kind>/<type>/cases/<what-it-shows>/
//
//   config.yaml     the component's section
//   input.jsonl     one OTLP/JSON request a line, of any signal          processors and connectors only
//   output.jsonl    what it sends, one request a line; timers have their turn after the last line of input; the clock
//                   starts at 2026-01-01T00:00:00Z
//   problems.txt    instead of input and output: what we print for a configuration that must fail
//
// GOLDEN=write (npm run golden) writes the expected files; whoever does so reads them.

import assert from 'node:assert/strict'
import { existsSync, globSync, readFileSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { test } from 'node:test'
import { Source } from '../../src/config/node.ts'
import { parseYaml } from '../../src/config/parse.ts'
import { formatProblem, type Problem, sortProblems } from '../../src/config/problem.ts'
import type { Schema } from '../../src/config/schema.ts'
import { At } from '../../src/config/types.ts'
import type { AnyFactory, Connector, Output, Processor } from '../../src/graph/component.ts'
import { registry } from '../../src/graph/registry.ts'
import { bytesToJson } from '../../src/otlp/json/index.ts'
import { SIGNALS, type Signal } from '../../src/otlp/signal.ts'
import { batchOf, REQUEST_KEY, type Rig, rig, sink } from '../support/harness.ts'

const ROOT = new URL('../../', import.meta.url).pathname
/** Longer than any timer of a case. */
const LONG_MS = 60_000

function decode(
  schema: Schema<unknown>,
  path: string,
  file: string,
): { config: unknown; problems: readonly Problem[] } {
  const source = new Source('config.yaml', readFileSync(file, 'utf8'))
  const { node, problems } = parseYaml(source)
  const found: Problem[] = [...problems]
  const config = schema.decode(node, new At(path, { source, start: 0, end: 0 }, found))
  return { config, problems: sortProblems(found) }
}

function make(factory: AnyFactory, config: unknown, signal: Signal, base: Rig): Processor | Connector {
  const context = base.context(factory.kind, factory.type)
  if (factory.kind === 'processor') return factory.create(config, { ...context, signal, pipeline: signal })
  if (factory.kind === 'connector')
    return factory.create(config, { ...context, from: signal, to: signal, pipelines: new Map() })
  throw new Error('only processors and connectors turn input into output')
}

function signalOf(line: string, index: number): Signal {
  let first: string | undefined
  try {
    first = Object.keys(JSON.parse(line))[0]
  } catch (error) {
    throw new Error(
      `input.jsonl:${index + 1} is no whole request, one stands on each line: ${(error as Error).message}`,
    )
  }
  const signal = SIGNALS.find((s) => REQUEST_KEY[s] === first)
  if (signal === undefined)
    throw new Error(
      `input.jsonl:${index + 1} begins with ${first}, not with one of ${Object.values(REQUEST_KEY).join(', ')}`,
    )
  return signal
}

async function run(factory: AnyFactory, config: unknown, input: string): Promise<string> {
  const lines = input.trim().split('\n')
  const signals = lines.map(signalOf)
  const sent: string[] = []
  for (const signal of SIGNALS) {
    const requests = lines.filter((_, i) => signals[i] === signal)
    if (requests.length === 0) continue
    const base = rig()
    const out = sink('deliver')
    const component = make(factory, config, signal, base)
    await component.start?.()
    for (const request of requests) component.process(batchOf(signal, request), out as Output)
    base.clock.advance(LONG_MS)
    await component.stop?.(AbortSignal.timeout(1_000))
    sent.push(...out.sent.map((batch) => bytesToJson(signal, batch.parts)))
  }
  return `${sent.join('\n')}\n`
}

function compare(file: string, actual: string): void {
  if (process.env.GOLDEN === 'write') writeFileSync(file, actual)
  assert.ok(existsSync(file), `there is no ${basename(file)} yet: npm run golden writes it`)
  assert.equal(actual, readFileSync(file, 'utf8'))
}

for (const entry of registry) {
  const cases = join('src', `${entry.kind}s`, entry.type, 'cases')
  for (const folder of globSync(`${cases}/*/`, { cwd: ROOT }).sort()) {
    test(`${entry.kind} ${entry.type}: ${folder.split('/').at(-1)?.replaceAll('-', ' ')}`, async () => {
      const file = (name: string): string => join(ROOT, folder, name)
      const factory = await entry.load()
      const { config, problems } = decode(factory.config, `${entry.kind}s.${entry.type}`, file('config.yaml'))
      if (!existsSync(file('input.jsonl'))) {
        assert.ok(
          problems.length > 0,
          'there is no input.jsonl, so config.yaml must be one that fails, and it is right',
        )
        return compare(file('problems.txt'), `${problems.map(formatProblem).join('\n')}\n`)
      }
      assert.deepEqual(problems.map(formatProblem), [])
      compare(file('output.jsonl'), await run(factory, config, readFileSync(file('input.jsonl'), 'utf8')))
    })
  }
}
