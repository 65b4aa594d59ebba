// The arrows between folders point one way; this reads the imports and says so when one turns round.
import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { test } from 'node:test'

// Folder of src/ -> what it may use. A folder may always use itself. Files at the top (main, router) may use all.
const COMPONENT = [
  'graph',
  'config',
  'otlp',
  'wire',
  'delivery',
  'sending',
  'storage',
  'attributes',
  'net',
  'self',
  'collections',
  'readings',
  'plant',
  'prometheus',
  'sparkplug',
  'jaeger',
]
const MAY_USE: Record<string, readonly string[]> = {
  collections: [],
  wire: [],
  config: [],
  delivery: [],
  storage: ['collections', 'delivery'],
  otlp: ['wire', 'delivery'],
  sparkplug: ['otlp', 'wire'],
  jaeger: ['otlp'],
  prometheus: ['otlp', 'wire'],
  self: ['config', 'otlp', 'net', 'delivery', 'prometheus'],
  net: ['collections', 'config', 'delivery', 'self', 'wire', 'otlp'],
  graph: ['config', 'otlp', 'delivery', 'self'],
  attributes: ['config', 'otlp', 'wire'],
  readings: ['collections', 'otlp', 'wire'],
  sending: ['collections', 'storage', 'config', 'otlp', 'delivery', 'self', 'graph', 'wire'],
  plant: ['config'],
  simulate: ['config', 'graph', 'plant', 'sparkplug', 'wire'],
  send: ['graph', 'otlp', 'wire', 'net', 'config', 'delivery'],
  ui: ['otlp', 'wire', 'graph'],
  shards: ['collections', 'graph', 'config', 'otlp', 'self', 'delivery', 'net', 'ui'],
  cli: ['config', 'graph', 'self'],
  receivers: COMPONENT,
  processors: COMPONENT,
  exporters: COMPONENT,
  connectors: COMPONENT,
  extensions: COMPONENT,
}
// The registry names every component; the command that runs the router calls it as a whole.
const EXCEPTIONS = ['src/graph/registry.ts', 'src/cli/run.ts']

interface Import {
  readonly from: string
  readonly to: string
  readonly typeOnly: boolean
}

function importsOf(file: string): Import[] {
  const text = readFileSync(file, 'utf8')
  const found: Import[] = []
  for (const match of text.matchAll(/^(?:import|export)\s(type\s)?[^'"]*?from\s+'(\.[^']+)'/gm)) {
    found.push({ from: file, to: normalize(join(dirname(file), match[2]!)), typeOnly: match[1] !== undefined })
  }
  for (const match of text.matchAll(/import\('(\.[^']+)'\)/g)) {
    found.push({ from: file, to: normalize(join(dirname(file), match[1]!)), typeOnly: false })
  }
  return found
}

const files = globSync('src/**/*.ts').filter((f) => !f.endsWith('.test.ts') && !f.endsWith('.bench.ts'))
const folderOf = (file: string): string => file.split('/')[1]!

test('imports follow the arrows between the folders of src/', () => {
  const turned: string[] = []
  for (const { from, to, typeOnly } of files.flatMap(importsOf)) {
    if (EXCEPTIONS.includes(from) || from.split('/').length === 2) continue
    const [here, there] = [folderOf(from), folderOf(to)]
    if (!to.startsWith('src/')) turned.push(`${from} imports ${to}, outside of src/`)
    else if (here === there) {
      const sameComponent = from.split('/')[2] === to.split('/')[2]
      const isComponent = MAY_USE[here] === COMPONENT
      if (isComponent && !sameComponent) turned.push(`${from} imports another component, ${to}`)
    } else if (MAY_USE[here] === undefined) turned.push(`${from}: folder ${here} is not in the list of this test`)
    else if (!MAY_USE[here].includes(there) && !(typeOnly && there === 'graph')) turned.push(`${from} imports ${to}`)
  }
  assert.deepEqual(turned, [])
})

test('no module of the graph or of a component keeps state of its own', () => {
  const found: string[] = []
  for (const file of files) {
    if (MAY_USE[folderOf(file)] !== COMPONENT && !['graph', 'sending', 'storage', 'shards'].includes(folderOf(file)))
      continue
    for (const [i, line] of readFileSync(file, 'utf8').split('\n').entries()) {
      if (/^(export )?let\s/.test(line)) found.push(`${file}:${i + 1}: ${line}`)
    }
  }
  assert.deepEqual(found, [])
})

// A door guards real sockets, by real time.
const DOORS = ['src/receivers/otlp/http.ts']

test('components and what they share take time and chance from their context', () => {
  const found: string[] = []
  for (const file of files) {
    if (DOORS.includes(file)) continue
    if (
      MAY_USE[folderOf(file)] !== COMPONENT &&
      !['otlp', 'wire', 'attributes', 'readings', 'sending', 'storage'].includes(folderOf(file))
    )
      continue
    for (const [i, line] of readFileSync(file, 'utf8').split('\n').entries()) {
      if (/\bDate\.now\(|new Date\(\)|\bperformance\.now\(|\bMath\.random\(|\bset(Timeout|Interval)\(/.test(line))
        found.push(`${file}:${i + 1}: ${line.trim()}: use context.clock or context.random`)
    }
  }
  assert.deepEqual(found, [])
})
