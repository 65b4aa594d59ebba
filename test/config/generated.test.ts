// What is generated from the code stands in the tree as the code says it, and the editors' schema agrees with the loader.

import assert from 'node:assert/strict'
import { globSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js'
import { parse } from 'yaml'
import { generate, outOfDate } from '../../scripts/generate-docs.ts'
import { CODES } from '../../src/config/problem.ts'
import { documentSchema } from '../../src/config/reference.ts'
import { object, type Schema } from '../../src/config/schema.ts'
import { registry } from '../../src/graph/registry.ts'
import { telemetryConfig } from '../../src/self/config.ts'
import { load } from './load.ts'
import { testRegistry, testTelemetry } from './registry.ts'

const root = join(import.meta.dirname, '../..')
const files = await generate()

function compile(schema: object): ValidateFunction {
  return new Ajv2020({ strict: true, strictTypes: false, strictRequired: false, allowUnionTypes: true }).compile(schema)
}
const schema = compile(JSON.parse(files.get('schema/millrace.schema.json')!) as object)

test('generated files are up to date (npm run docs writes them)', async () => {
  assert.deepEqual(await outOfDate(), [])
})

test('every component has a README with the table of its keys', async () => {
  for (const { kind, type } of registry) {
    const text = files.get(`src/${kind}s/${type}/README.md`)
    assert.ok(text?.includes('<!-- config:start -->\n'), `${kind} ${type}`)
  }
})

test('every field of every component is explained', async () => {
  const silent: string[] = []
  const visit = (of: Schema<unknown>, path: string): void => {
    for (const { field } of of.fields) {
      if (field.doc.length < 3 || !/[.!]$/.test(field.doc)) silent.push(`${path}.${field.key}: ${field.doc}`)
      const inner = (field.type.inside?.type ?? field.type) as Partial<Schema<unknown>>
      if (inner.fields !== undefined) visit(inner as Schema<unknown>, `${path}.${field.key}`)
    }
  }
  for (const entry of registry) visit((await entry.load()).config as Schema<unknown>, `${entry.kind} ${entry.type}`)
  visit(telemetryConfig, 'service.telemetry')
  assert.deepEqual(silent, [])
})

for (const path of globSync('configs/*.yaml', { cwd: root }).sort()) {
  test(`the editors' schema accepts ${path}`, () => {
    schema(parse(readFileSync(join(root, path), 'utf8')))
    assert.deepEqual(schema.errors ?? [], [])
  })
}

const REFUSED: readonly [what: string, config: object][] = [
  ['an unknown section', { receiver: {} }],
  ['an unknown key of a component', { processors: { batch: { time_out: '1s' } } }],
  ['a word outside of its set', { exporters: { debug: { verbosity: 'loud' } } }],
  ['a duration without a meaning', { processors: { batch: { timeout: 'soon' } } }],
  ['a number out of range', { processors: { batch: { send_batch_size: -1 } } }],
  [
    'an unknown key of a pipeline',
    { service: { pipelines: { traces: { receivers: ['a'], exporters: ['b'], processor: [] } } } },
  ],
  ['an unknown signal', { service: { pipelines: { trace: { receivers: ['a'], exporters: ['b'] } } } }],
  ['a type that nobody knows', { exporters: { debgu: {} } }],
]

for (const [what, config] of REFUSED) {
  test(`the editors' schema refuses ${what}`, () => assert.equal(schema(config), false))
}

test('a value may be a reference in the file, whatever its type', () => {
  const config = {
    processors: { batch: { timeout: '${env:T}', send_batch_size: '${env:N}' } },
    exporters: { debug: { verbosity: '${env:V}' }, otlp_grpc: '${file:backend.yaml}' },
    receivers: '${file:receivers.yaml}',
  }
  assert.deepEqual([schema(config), schema.errors], [true, null])
})

test('what the loader accepts, with or without a warning, the schema of the same components accepts', async () => {
  const factories = await Promise.all(testRegistry.map((entry) => entry.load()))
  const own = compile(
    documentSchema(
      factories.map((factory) => ({ ...factory, config: factory.config as Schema<unknown> })),
      testTelemetry,
    ),
  )
  const cases = join(import.meta.dirname, 'cases')
  const disagree: string[] = []
  for (const name of readdirSync(cases)) {
    const text = readFileSync(join(cases, name, 'config.yaml'), 'utf8')
    const { problems } = await load({ configs: ['config.yaml'] }, { 'config.yaml': text })
    if (problems.length === 0 && !own(parse(text.split('\n---')[0]!, { merge: true }))) disagree.push(name)
  }
  assert.deepEqual(disagree, [])
  assert.equal(own({ receivers: { nop: null }, processors: { enrich: { refresh_every: 200 } } }), false)
})

test('the page of problem codes and the list of codes agree both ways', () => {
  const page = files.get('docs/reference/config-problems.md')!
  const named = [...page.matchAll(/^\| `([A-Z_]+)` \|/gm)].map((match) => match[1])
  assert.deepEqual(named, Object.keys(CODES))
})

test('a table of keys has one row per key, nested ones with their path', () => {
  const page = files.get('docs/reference/service-telemetry.md')!
  assert.match(page, /^\| `logs.sampling.tick` \| duration \| `10s` \|/m)
  assert.equal(object({}).fields.length, 0)
})
