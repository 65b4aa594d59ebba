// Loads a configuration with the fixed registry, from texts or files that a test names.

import { decodeDocument, type LoadedConfig } from '../../src/config/document.ts'
import { loadTree } from '../../src/config/load.ts'
import { formatProblem } from '../../src/config/problem.ts'
import { type Retriever, retrieverOf } from '../../src/config/sources.ts'
import { testRegistry, testTelemetry } from './registry.ts'

export interface TestFlags {
  readonly configs: readonly string[]
  readonly sets?: readonly string[]
  readonly featureGates?: readonly string[]
  readonly env?: Readonly<Record<string, string>>
}

/** `files` are the texts that paths lead to; without them the disk is read. */
export async function load(flags: TestFlags, files?: Readonly<Record<string, string>>): Promise<LoadedConfig<unknown>> {
  const disk = retrieverOf({ env: flags.env ?? {} })
  const retrieve: Retriever = async (uri) => {
    if (uri.scheme !== 'file' || files === undefined) return await disk(uri)
    const text = files[uri.opaque]
    if (text === undefined)
      return { ok: false, code: 'CONFIG_SOURCE', what: `cannot read ${uri.opaque}: there is no such file` }
    return { ok: true, name: uri.opaque, text }
  }
  const { configs, sets = [], featureGates = [] } = flags
  const tree = await loadTree({ configs, sets, featureGates }, retrieve)
  return await decodeDocument(tree, { registry: testRegistry, telemetry: testTelemetry })
}

/** Everything that is printed about a configuration: warnings, then problems. */
export const printed = ({ warnings, problems }: LoadedConfig<unknown>): string =>
  [...warnings.map((warning) => `warning: ${formatProblem(warning)}`), ...problems.map(formatProblem)]
    .map((text) => `${text}\n`)
    .join('')
