// The loader meets texts that nobody would write: it answers with problems and never throws, hangs or grows.

import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import fc from 'fast-check'
import { decodeDocument } from '../../src/config/document.ts'
import { MAX_EXPANSIONS } from '../../src/config/expand.ts'
import { loadTree } from '../../src/config/load.ts'
import { formatProblem } from '../../src/config/problem.ts'
import { type Retriever, retrieverOf } from '../../src/config/sources.ts'
import { testRegistry, testTelemetry } from '../config/registry.ts'
import { CODE_POINT } from '../support/text.ts'
import { fuzz, runs } from './harness.ts'

const cases = join(import.meta.dirname, '../config/cases')
const corpus = readdirSync(cases).map((name) => readFileSync(join(cases, name, 'config.yaml'), 'utf8'))
const ENV = { A: '1', B: '[a, ${env:A}]', C: 'x ${env:C}', D: '{a: "${env:D}"}', E: '' }

/** Loads `text`, formats all that is found, and gives how many problems there are. */
async function survive(text: string, sets: readonly string[] = []): Promise<number> {
  const machine = retrieverOf({ env: ENV })
  let retrieved = 0
  const retrieve: Retriever = async (uri) => {
    retrieved++
    if (uri.scheme === 'file' && uri.opaque === 'fuzz.yaml') return { ok: true, name: 'fuzz.yaml', text }
    if (uri.scheme === 'env' || uri.scheme === 'yaml') return await machine(uri)
    return { ok: false, code: 'CONFIG_SOURCE', what: 'not in this test' }
  }
  const tree = await loadTree({ configs: ['fuzz.yaml'], sets }, retrieve)
  const loaded = await decodeDocument(tree, { registry: testRegistry, telemetry: testTelemetry })
  // The file itself, and one for each expansion.
  assert.ok(retrieved <= 1 + MAX_EXPANSIONS, `${retrieved} sources were read`)
  for (const problem of [...loaded.problems, ...loaded.warnings]) assert.ok(formatProblem(problem).length > 0)
  return loaded.problems.length
}

test('every file of the cases, cut at any character, is answered with problems', async () => {
  for (const text of corpus) {
    const step = Math.max(1, Math.floor(text.length / 60))
    for (let length = 0; length < text.length; length += step) await survive(text.slice(0, length))
  }
})

const WORDS = [
  ...['${env:A}', '${env:B}', '${env:C}', '${env:D}', '${env:E}', '${env:NONE}', '${', '}', '$$', '$${env:A}'],
  ...['${env:${env:A}}', '${file:fuzz.yaml}', '${yaml:[1]}', '${yaml:{a: 1}}', '&a ', '*a', '<<: *a', '<<', '- ', ': '],
  ...['::', '[', ']', '{', '}', '"', "'", '\n', '\n  ', '\t', '#', '|', '>', '!!int ', '!!str', '~', 'null', 'true'],
  ...['1e999', '-0x', '0b2', '/', '/a', '\u0000', '\ud800', '\u2028', '%'],
]

test('random cuts, copies and replacements of the cases never throw', async () => {
  await fuzz({
    name: 'config',
    inputs: 150,
    seeds: corpus.map((text) => Buffer.from(text)),
    words: WORDS,
    async run(bytes) {
      await survive(Buffer.from(bytes).toString())
    },
  })
})

test('random text and random --set values never throw', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.string({ unit: CODE_POINT, maxLength: 60 }),
      fc.string({ maxLength: 20 }),
      fc.string({ maxLength: 20 }),
      async (text, path, value) => {
        await survive(text, [`${path}=${value}`])
      },
    ),
    { numRuns: runs(200) },
  )
})

test('any YAML of any shape under any section is answered with problems', async () => {
  const leaf = fc.oneof(fc.integer(), fc.double(), fc.boolean(), fc.constant(null), fc.string({ maxLength: 6 }))
  const key = fc.constantFrom(
    'receivers',
    'processors',
    'exporters',
    'connectors',
    'extensions',
    'service',
    'pipelines',
    'traces',
    'otlp',
    'batch',
    'protocols',
    'grpc',
    'endpoint',
    'headers',
    'attributes',
    'enabled',
    'x',
  )
  const { tree } = fc.letrec((tie) => ({
    tree: fc.oneof(
      { depthSize: 'small' },
      leaf,
      fc.array(tie('tree'), { maxLength: 3 }),
      fc.dictionary(key, tie('tree'), { maxKeys: 5 }),
    ),
  }))
  await fc.assert(
    fc.asyncProperty(fc.dictionary(key, tree, { maxKeys: 5 }), async (value) => {
      await survive(JSON.stringify(value))
    }),
    { numRuns: runs(200) },
  )
})
