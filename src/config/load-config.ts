// From the command line's words to a configuration that can run, in two steps: what has to be read is read once
// (resolveInput), and decoding works on those texts alone (loadConfig), as often and in as many threads as needed.

import { type DocumentOptions, decodeDocument, type LoadedConfig } from './document.ts'
import { chooseGates } from './gates.ts'
import { loadTree } from './load.ts'
import { Recorder, type Retrieved, replay, retrieverOf, type Surroundings } from './sources.ts'

export type { LoadedComponent } from './components.ts'
export type { LoadedConfig } from './document.ts'
export type { LoadedPipeline } from './service.ts'

export interface ConfigFlags {
  /** Values of --config, in their order. */
  readonly configs: readonly string[]
  /** Values of --set. */
  readonly sets?: readonly string[]
  /** Values of --feature-gates. */
  readonly featureGates?: readonly string[]
}

/** Flags and every text that they led to. Plain data: it can be handed to a thread. */
export interface ConfigInput {
  readonly configs: readonly string[]
  readonly sets: readonly string[]
  readonly featureGates: readonly string[]
  readonly read: readonly (readonly [uri: string, got: Retrieved])[]
}

/** Reads all sources and references. What cannot be read is a problem of loadConfig's. */
export async function resolveInput(
  flags: ConfigFlags,
  surroundings: Surroundings = { env: process.env },
): Promise<ConfigInput> {
  const { configs, sets = [], featureGates = [] } = flags
  const recorder = new Recorder(retrieverOf(surroundings))
  await loadTree({ configs, sets, appendLists: appendLists(featureGates) }, recorder.retrieve)
  return { configs, sets, featureGates, read: [...recorder.read] }
}

export async function loadConfig<T>(
  input: ConfigInput,
  options: Omit<DocumentOptions<T>, 'gates'>,
): Promise<LoadedConfig<T>> {
  const gates = chooseGates(input.featureGates)
  const tree = await loadTree({ ...input, appendLists: appendLists(input.featureGates) }, replay(new Map(input.read)))
  const loaded = await decodeDocument(tree, { ...options, gates: gates.enabled })
  return { ...loaded, warnings: [...gates.warnings, ...loaded.warnings] }
}

const appendLists = (featureGates: readonly string[]): boolean =>
  chooseGates(featureGates).enabled.has('confmap.enableMergeAppendOption')
