// print-config: what a configuration means, with every default written out (Collector reference 1.1).

import { Document, Scalar, stringify, visit } from 'yaml'
import { SECTIONS } from './components.ts'
import type { LoadedConfig } from './document.ts'
import { YamlFloat } from './node.ts'
import { resolvePlain } from './scalar.ts'
import type { Schema } from './schema.ts'
import { serviceValues } from './service.ts'

export interface PrintOptions {
  readonly format: 'yaml' | 'json'
  /** Secrets as they are, for a person who asked for them. */
  readonly reveal: boolean
}

export function printConfig<T>(loaded: LoadedConfig<T>, telemetry: Schema<T>, options: PrintOptions): string {
  const sections = Object.values(SECTIONS).map((name) => {
    const components = [...loaded[name]].map(([id, { factory, config }]): [string, unknown] => [
      id,
      (factory.config as Schema<unknown>).print(config, options.reveal),
    ])
    return [name, Object.fromEntries(components)] as const
  })
  const { extensions, pipelines } = loaded.service
  const tree = {
    ...Object.fromEntries(sections),
    service: {
      ...(serviceValues.print(loaded.service, options.reveal) as object),
      extensions,
      pipelines: Object.fromEntries(
        pipelines.map(({ name, receivers, processors, exporters }) => [name, { receivers, processors, exporters }]),
      ),
      telemetry: telemetry.print(loaded.service.telemetry, options.reveal),
    },
  }
  return options.format === 'json' ? `${toJson(tree)}\n` : toYaml(tree)
}

// In Node since version 22; TypeScript's library does not know it yet.
const rawJson = (JSON as unknown as { rawJSON: (text: string) => unknown }).rawJSON

/** JSON with 64-bit integers written out in full. */
function toJson(tree: unknown): string {
  return JSON.stringify(
    tree,
    (_key, value: unknown) => {
      if (typeof value === 'bigint') return rawJson(String(value))
      return value instanceof YamlFloat ? value.value : value
    },
    2,
  )
}

/** YAML that reads back to the same values: what would be taken for a number or a boolean is quoted. */
export function toYaml(tree: unknown): string {
  const document = new Document(tree, (_key, value: unknown) => (value instanceof YamlFloat ? scalarOf(value) : value))
  visit(document, {
    Scalar(_key, node) {
      if (typeof node.value === 'string' && typeof resolvePlain(node.value) !== 'string')
        node.type = Scalar.QUOTE_DOUBLE
    },
  })
  return stringify(document, { lineWidth: 0 })
}

function scalarOf({ value }: YamlFloat): Scalar {
  const scalar = new Scalar(value)
  if (Number.isInteger(value)) scalar.minFractionDigits = 1
  return scalar
}
