// A configuration's tree as plain data, for a thread that decodes it again: values without their places. The thread that
// unpacks it needs neither the texts nor a YAML parser, and only a tree without problems is worth packing.

import type { Tree } from './load.ts'
import { type Entry, type MapNode, type Node, type Place, Source, YamlFloat } from './node.ts'

type PackedValue = string | number | bigint | boolean | null | { readonly float: number }

/** Survives structured clone. */
export type PackedNode =
  | { readonly value: PackedValue; readonly raw?: string }
  | { readonly items: readonly PackedNode[]; readonly raw?: string }
  | { readonly entries: ReadonlyMap<string, PackedNode>; readonly raw?: string }

export interface PackedTree {
  readonly root: PackedNode
  readonly gates: ReadonlySet<string>
}

export const packTree = ({ root, gates }: Tree): PackedTree => ({ root: packNode(root), gates })

export function unpackTree({ root, gates }: PackedTree): Tree {
  const nowhere: Place = { source: new Source('', ''), start: 0, end: 0 }
  return { root: unpackNode(root, nowhere) as MapNode, sources: [], problems: [], warnings: [], gates }
}

function packNode(node: Node): PackedNode {
  const raw = node.raw === undefined ? {} : { raw: node.raw }
  if (node.kind === 'list') return { items: node.items.map(packNode), ...raw }
  if (node.kind === 'map') {
    return { entries: new Map([...node.entries].map(([key, { value }]) => [key, packNode(value)])), ...raw }
  }
  return { value: node.value instanceof YamlFloat ? { float: node.value.value } : node.value, ...raw }
}

function unpackNode(node: PackedNode, place: Place): Node {
  const raw = node.raw === undefined ? {} : { raw: node.raw }
  if ('items' in node) return { kind: 'list', place, items: node.items.map((item) => unpackNode(item, place)), ...raw }
  if ('entries' in node) {
    const entries = new Map<string, Entry>()
    for (const [key, value] of node.entries) entries.set(key, { key: place, value: unpackNode(value, place) })
    return { kind: 'map', place, entries, ...raw }
  }
  const { value } = node
  return {
    kind: 'scalar',
    place,
    value: typeof value === 'object' && value !== null ? new YamlFloat(value.float) : value,
    ...raw,
  }
}
