// Several sources become one tree (Collector reference 1.3): maps merge deeply, anything else is replaced by what comes
// later, and a later null takes an earlier map away. References are not expanded yet.

import type { Entry, ListNode, MapNode, Node } from './node.ts'

export interface MergeOptions {
  /** The gate confmap.enableMergeAppendOption: lists of extensions, receivers and exporters grow. */
  readonly appendLists?: boolean
}

export function mergeMaps(
  earlier: MapNode,
  later: MapNode,
  options: MergeOptions = {},
  path: readonly string[] = [],
): MapNode {
  const entries = new Map<string, Entry>(earlier.entries)
  for (const [key, entry] of later.entries) {
    const there = entries.get(key)
    const value = there === undefined ? entry.value : mergeNodes(there.value, entry.value, options, [...path, key])
    entries.set(key, { key: entry.key, value })
  }
  return { ...later, entries }
}

function mergeNodes(earlier: Node, later: Node, options: MergeOptions, path: readonly string[]): Node {
  if (earlier.kind === 'map' && later.kind === 'map') return mergeMaps(earlier, later, options, path)
  if (options.appendLists && earlier.kind === 'list' && later.kind === 'list' && isAppended(path)) {
    return appended(earlier, later)
  }
  return later
}

/** `service::extensions`, `service::**::receivers` and `service::**::exporters`; the order of processors matters. */
const isAppended = (path: readonly string[]): boolean =>
  path[0] === 'service' &&
  ((path.length === 2 && path[1] === 'extensions') || ['receivers', 'exporters'].includes(path.at(-1)!))

function appended(earlier: ListNode, later: ListNode): ListNode {
  const key = (node: Node): unknown => (node.kind === 'scalar' ? node.value : node)
  const known = new Set(earlier.items.map(key))
  return { ...later, items: [...earlier.items, ...later.items.filter((item) => !known.has(key(item)))] }
}
