// --config and --set to one tree: every source read and parsed, merged in their order, expanded once at the end.

import { expand } from './expand.ts'
import { chooseGates } from './gates.ts'
import { mergeMaps } from './merge.ts'
import { type MapNode, Source } from './node.ts'
import { KEY_DELIMITER, parseYaml } from './parse.ts'
import type { Problem } from './problem.ts'
import { parseSourceUri, type Retriever } from './sources.ts'

export interface LoadOptions {
  readonly configs: readonly string[]
  /** Each `path=value`; they come after all configs whatever the order on the command line. */
  readonly sets: readonly string[]
  /** Values of --feature-gates, without empty elements. */
  readonly featureGates?: readonly string[]
}

export interface Tree {
  /** Usable only when there are no problems. */
  readonly root: MapNode
  /** In the order in which their problems are to be shown. */
  readonly sources: readonly Source[]
  readonly problems: readonly Problem[]
  readonly warnings: readonly Problem[]
  /** Feature gates that are on. */
  readonly gates: ReadonlySet<string>
}

export async function loadTree(options: LoadOptions, retrieve: Retriever): Promise<Tree> {
  const problems: Problem[] = []
  const warnings: Problem[] = []
  const sources: Source[] = []
  const maps: MapNode[] = []
  for (const config of options.configs) {
    const got = await retrieve(parseSourceUri(config))
    if (!got.ok) {
      problems.push({ code: got.code, path: '', what: got.what, ...(got.fix === undefined ? {} : { fix: got.fix }) })
      continue
    }
    const source = new Source(got.name, got.text)
    sources.push(source)
    const map = parseMap(source, problems, warnings)
    if (map !== undefined) maps.push(map)
  }
  for (const set of options.sets) {
    const source = new Source('--set', set)
    sources.push(source)
    const map = parseSet(source, problems)
    if (map !== undefined) maps.push(map)
  }
  const gates = chooseGates(options.featureGates ?? [])
  const appendLists = gates.enabled.has('confmap.enableMergeAppendOption')
  const nowhere = { source: sources[0] ?? new Source('', ''), start: 0, end: 0 }
  let root: MapNode = { kind: 'map', place: nowhere, entries: new Map() }
  for (const map of maps) root = mergeMaps(root, map, { appendLists })
  const expanded = await expand(root, retrieve)
  return {
    root: expanded.root as MapNode,
    sources: [...sources, ...expanded.sources],
    problems: [...problems, ...expanded.problems],
    warnings: [...gates.warnings, ...warnings, ...expanded.warnings],
    gates: gates.enabled,
  }
}

function parseMap(source: Source, problems: Problem[], warnings: Problem[]): MapNode | undefined {
  const parsed = parseYaml(source)
  problems.push(...parsed.problems)
  warnings.push(...(parsed.warnings ?? []))
  const { node } = parsed
  if (node === undefined || (node.kind === 'scalar' && node.value === null)) return undefined
  if (node.kind === 'map') return node
  const what = `a configuration is a map, and this is ${node.kind === 'list' ? 'a list' : 'a single value'}`
  const fix = 'start with a key such as receivers:'
  problems.push({ code: 'CONFIG_SOURCE', path: '', what, fix, place: node.place })
  return undefined
}

/** `a.b.c=VALUE` is `a: {b: {c: VALUE}}`; the flag's own form was checked when the command line was read. */
function parseSet(source: Source, problems: Problem[]): MapNode | undefined {
  const equals = source.text.indexOf('=')
  const parsed = parseYaml(source, equals + 1)
  problems.push(...parsed.problems)
  if (parsed.problems.length > 0) return undefined
  const key = { source, start: 0, end: equals }
  const value = parsed.node ?? {
    kind: 'scalar',
    place: { source, start: equals + 1, end: source.text.length },
    value: null,
  }
  const keys = source.text.slice(0, equals).trim().replaceAll('.', KEY_DELIMITER).split(KEY_DELIMITER)
  let node = value
  for (const name of keys.reverse())
    node = { kind: 'map', place: key, entries: new Map([[name, { key, value: node }]]) }
  return node as MapNode
}
