// npm run new KIND TYPE: writes the folder of a component that passes its signals through and fulfils the contract, and
// puts it into the registry. From there you change what it does.

import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'

const KINDS = {
  receiver: 'receivers',
  processor: 'processors',
  exporter: 'exporters',
  connector: 'connectors',
  extension: 'extensions',
} as const
type Kind = keyof typeof KINDS

const [kind, type] = process.argv.slice(2) as [Kind, string]
if (KINDS[kind] === undefined || !/^[a-z][a-z0-9_]*$/.test(type ?? '')) {
  console.error(
    `usage: npm run new ${Object.keys(KINDS).join('|')} lower_snake_case\n   as in: npm run new processor derive_oee`,
  )
  process.exit(1)
}

const root = new URL('..', import.meta.url).pathname
const folder = `${root}src/${KINDS[kind]}/${type}/`
if (existsSync(folder)) {
  console.error(`src/${KINDS[kind]}/${type} exists already`)
  process.exit(1)
}

const file = type.replaceAll('_', '-')
const name = type.replace(/(?:^|_)([a-z0-9])/g, (_, letter: string) => letter.toUpperCase())
const define = `define${kind[0]!.toUpperCase()}${kind.slice(1)}`

const CONFIG = `// The configuration of \`${type}\`.

import { type Infer, object } from '../../config/schema.ts'

export const config = object({})

export type ${name}Config = Infer<typeof config>
`

const BODY: Record<Kind, string> = {
  receiver: `import type { Receiver, ReceiverContext } from '../../graph/component.ts'
import type { ${name}Config } from './config.ts'

export class ${name} implements Receiver {
  readonly #context: ReceiverContext

  constructor(_config: ${name}Config, context: ReceiverContext) {
    this.#context = context
  }

  start(): void {
    this.#context.log.info('receives nothing yet')
  }
}
`,
  processor: `import type { Output, Processor, ProcessorContext } from '../../graph/component.ts'
import type { Batch } from '../../otlp/batch.ts'
import { editBatch, Walk } from '../../otlp/walk.ts'
import type { ${name}Config } from './config.ts'

export class ${name} implements Processor {
  readonly #walk: Walk

  constructor(_config: ${name}Config, context: ProcessorContext) {
    this.#walk = new Walk(context.signal)
  }

  process(batch: Batch, out: Output): void {
    out.send(editBatch(batch, this.#walk, this.#visit))
  }

  // Called with each encoded request of a batch. What can be read and edited here stands at the top of walk.ts.
  readonly #visit = (walk: Walk): void => {
    while (walk.nextResource()) {
      // as in: walk.resourceAttributes.insert(KEY, VALUE)
    }
  }
}
`,
  exporter: `import type { Exporter, ExporterContext } from '../../graph/component.ts'
import type { Batch } from '../../otlp/batch.ts'
import type { ${name}Config } from './config.ts'

export class ${name} implements Exporter {
  readonly #context: ExporterContext

  constructor(_config: ${name}Config, context: ExporterContext) {
    this.#context = context
  }

  start(): void {
    this.#context.log.info('sends nothing yet')
  }

  export(batch: Batch): void {
    batch.delivery.deliver()
  }
}
`,
  connector: `import type { Connector, ConnectorContext, Output } from '../../graph/component.ts'
import type { Batch } from '../../otlp/batch.ts'
import type { ${name}Config } from './config.ts'

export class ${name} implements Connector {
  readonly #context: ConnectorContext

  constructor(_config: ${name}Config, context: ConnectorContext) {
    this.#context = context
  }

  start(): void {
    this.#context.log.info('changes nothing yet')
  }

  process(batch: Batch, out: Output): void {
    out.send(batch)
  }
}
`,
  extension: `import type { Extension, ExtensionContext } from '../../graph/component.ts'
import type { ${name}Config } from './config.ts'

export class ${name} implements Extension {
  readonly #context: ExtensionContext

  constructor(_config: ${name}Config, context: ExtensionContext) {
    this.#context = context
  }

  start(): void {
    this.#context.log.info('does nothing yet')
  }
}
`,
}

const SIGNALS: Record<Kind, string> = {
  receiver: "  signals: ['traces', 'metrics', 'logs'],\n",
  processor: "  signals: ['traces', 'metrics', 'logs'],\n",
  exporter: "  signals: ['traces', 'metrics', 'logs'],\n",
  connector: "  pairs: [{ from: 'traces', to: 'traces' }],\n",
  extension: '',
}

const FACTORY = `// \`${type}\`: say here in a sentence or two what it is for.

import { ${define} } from '../../graph/component.ts'
import { config } from './config.ts'
import { ${name} } from './${file}.ts'

export const factory = ${define}({
  type: '${type}',
  summary: 'Says in one sentence what it does.',
  stability: 'development',
${SIGNALS[kind]}  config,
  create: (own, context) => new ${name}(own, context),
})
`

const TEST: Partial<Record<Kind, string>> = {
  processor: `import assert from 'node:assert/strict'
import { test } from 'node:test'
import { harness } from '../../../test/support/harness.ts'
import { bytesToJson } from '../../otlp/json/index.ts'
import { factory } from './factory.ts'

test('a batch passes as it came', async (t) => {
  const { push, sent } = await harness(t, factory, {}, { settle: 'deliver' })
  const request = { resourceSpans: [{ scopeSpans: [{ spans: [{ name: 'weld' }] }] }] }
  const fate = push(request)
  assert.deepEqual(JSON.parse(bytesToJson('traces', sent[0]!.parts)), request)
  assert.ok(fate.delivered)
})
`,
}

const EXAMPLE: Record<Kind, string> = {
  receiver: `receivers:\n  ${type}:`,
  processor: `processors:\n  ${type}:`,
  exporter: `exporters:\n  ${type}:`,
  connector: `connectors:\n  ${type}:`,
  extension: `extensions:\n  ${type}:`,
}

const README = `# ${type}

Says in one sentence what it does.

\`\`\`yaml
${EXAMPLE[kind]}
\`\`\`

## Configuration

<!-- config:start -->
<!-- config:end -->

## Telemetry

<!-- telemetry:start -->
<!-- telemetry:end -->

## Limits

None of its own.
`

mkdirSync(folder, { recursive: true })
const write = (path: string, text: string): void => {
  writeFileSync(path, text)
  console.log(`wrote ${path.slice(root.length)}`)
}
write(`${folder}config.ts`, CONFIG)
write(`${folder}${file}.ts`, BODY[kind])
write(`${folder}factory.ts`, FACTORY)
write(`${folder}README.md`, README)
if (TEST[kind] !== undefined) write(`${folder}${file}.test.ts`, TEST[kind])

const registryPath = `${root}src/graph/registry.ts`
const lines = readFileSync(registryPath, 'utf8').split('\n')
const line = `  entry('${kind}', '${type}', [], () => import('../${KINDS[kind]}/${type}/factory.ts')),`
const ofKind = lines.flatMap((text, i) => (text.startsWith(`  entry('${kind}'`) ? [i] : []))
const before = ofKind.find((i) => lines[i]! > line) ?? ofKind.at(-1)! + 1
lines.splice(before, 0, line)
writeFileSync(registryPath, lines.join('\n'))
console.log('added to src/graph/registry.ts')
console.log(`next: npm run docs && npm test -- contract golden ${type}`)
