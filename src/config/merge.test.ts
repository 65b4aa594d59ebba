import assert from 'node:assert/strict'
import { test } from 'node:test'
import { mergeMaps } from './merge.ts'
import { type MapNode, Source, toValue } from './node.ts'
import { parseYaml } from './parse.ts'

const mapOf = (text: string, name = 'test.yaml'): MapNode => parseYaml(new Source(name, text)).node as MapNode

const RULES: readonly [rule: string, earlier: string, later: string, merged: unknown][] = [
  ['maps merge deeply', 'a: {b: 1, c: {d: 1}}', 'a: {c: {e: 2}}', { a: { b: 1, c: { d: 1, e: 2 } } }],
  ['a later value wins', 'a: 1', 'a: 2', { a: 2 }],
  ['a later list replaces', 'a: [1, 2]', 'a: [3]', { a: [3] }],
  ['a later null takes a map away', 'a: {b: 1}', 'a:', { a: null }],
  ['an empty map keeps it', 'a: {b: 1}', 'a: {}', { a: { b: 1 } }],
  ['a map replaces a value', 'a: 1', 'a: {b: 1}', { a: { b: 1 } }],
  ['a value replaces a map', 'a: {b: 1}', 'a: 1', { a: 1 }],
  ['a list replaces a map', 'a: {b: 1}', 'a: [1]', { a: [1] }],
  ['a reference is text and replaces', 'a: {b: 1}', 'a: ${file:x}', { a: '${file:x}' }],
]

for (const [rule, earlier, later, merged] of RULES) {
  test(`merging: ${rule}`, () => assert.deepEqual(toValue(mergeMaps(mapOf(earlier), mapOf(later))), merged))
}

test('merged values keep the file that each came from', () => {
  const merged = mergeMaps(mapOf('a: {b: 1}', 'one.yaml'), mapOf('a: {c: 2}', 'two.yaml'))
  const a = merged.entries.get('a')!.value as MapNode
  assert.deepEqual(
    [...a.entries].map(([key, entry]) => [key, entry.key.source.name]),
    [
      ['b', 'one.yaml'],
      ['c', 'two.yaml'],
    ],
  )
})

test('with the gate, lists of extensions, receivers and exporters grow without repeating; processors are replaced', () => {
  const earlier =
    'service: {extensions: [a], pipelines: {traces: {receivers: [a], processors: [a], exporters: [a, b]}}}'
  const later = 'service: {extensions: [b], pipelines: {traces: {receivers: [b], processors: [b], exporters: [b, c]}}}'
  const merged = toValue(mergeMaps(mapOf(earlier), mapOf(later), { appendLists: true }))
  assert.deepEqual(merged, {
    service: {
      extensions: ['a', 'b'],
      pipelines: { traces: { receivers: ['a', 'b'], processors: ['b'], exporters: ['a', 'b', 'c'] } },
    },
  })
})
