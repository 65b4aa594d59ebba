import assert from 'node:assert/strict'
import { test } from 'node:test'
import { loadTree } from './load.ts'
import { toValue } from './node.ts'
import { packTree, unpackTree } from './packed-tree.ts'
import { retrieverOf } from './sources.ts'

test('a tree that went through a structured clone means what it meant', async () => {
  const yaml = `receivers: { a: { whole: 1, float: 1.0, huge: 123456789012345678901, text: "1", none: null, list: [true, { b: x }] } }
exporters: { key: "\${env:KEY}" }`
  const tree = await loadTree({ configs: [`yaml:${yaml}`], sets: [] }, retrieverOf({ env: { KEY: '0123' } }))
  const again = unpackTree(structuredClone(packTree(tree)))
  assert.deepEqual(toValue(again.root), toValue(tree.root))
  const exporters = again.root.entries.get('exporters')!.value
  assert.equal(exporters.kind === 'map' && exporters.entries.get('key')!.value.raw, '0123')
  assert.deepEqual(again.gates, tree.gates)
})
