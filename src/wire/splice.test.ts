import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { Cursor } from './cursor.ts'
import { ROOT, Splice } from './splice.ts'
import { Writer } from './writer.ts'

type Op = 'keep' | 'drop' | 'replace' | 'insert'
// A tree of messages (lists, field 1) and values (numbers: how many bytes, field 2), each with what happens to it.
type EditedTree = { node: EditedTree | number; op: Op }[]

const arbitrary = fc.letrec<{ tree: EditedTree }>((tie) => ({
  tree: fc.array(
    fc.record({
      node: fc.oneof({ depthSize: 'small', maxDepth: 5 }, fc.nat({ max: 140 }), tie('tree')),
      op: fc.constantFrom<Op>('keep', 'keep', 'keep', 'drop', 'replace', 'insert'),
    }),
    { maxLength: 4 },
  ),
})).tree

function write(tree: EditedTree, edited: boolean): Uint8Array {
  const writer = new Writer()
  for (const { node, op } of tree) {
    if (edited && op === 'insert') writer.field(2, new Uint8Array(150).fill(7))
    if (edited && op === 'drop') continue
    if (edited && op === 'replace') writer.field(2, new Uint8Array(3).fill(9))
    else if (typeof node === 'number') writer.field(2, new Uint8Array(node).fill(1))
    else writer.field(1, write(node, edited))
  }
  return writer.toBytes()
}

const isLeaf = ({ node, op }: EditedTree[number]): boolean => typeof node === 'number' || op === 'replace'

/** Four numbers for each edit of a message whose fields are values, as splice.edit() takes them. */
function editsOf(tree: EditedTree, bytes: Uint8Array, start: number, end: number, insert: number, replace: number) {
  const edits: number[] = []
  const c = new Cursor().reset(bytes, start, end)
  for (const { op } of tree) {
    c.next()
    if (op === 'insert') edits.push(c.at, c.at, 0, insert)
    if (op === 'replace') edits.push(c.at, c.end, insert, replace)
    if (op === 'drop') edits.push(c.at, c.end, 0, 0)
  }
  return edits
}

test('lengths are mended at every depth, whatever is inserted, replaced and removed, in any order of recording', () => {
  void fc.assert(
    fc.property(arbitrary, fc.boolean(), fc.boolean(), (tree, backwards, atOnce) => {
      const bytes = write(tree, false)
      const splice = new Splice().reset(bytes)
      const insert = splice.added.field(2, new Uint8Array(150).fill(7)).length
      const replace = splice.added.field(2, new Uint8Array(3).fill(9)).length
      const edit = (nodes: EditedTree, parent: number, start: number, end: number): void => {
        const places: number[][] = []
        for (const c = new Cursor().reset(bytes, start, end); c.next(); )
          places.push([c.at, c.lengthAt, c.start, c.end])
        const numbers = nodes.map((_, index) => index)
        if (backwards) numbers.reverse()
        for (const index of numbers) {
          const { node, op } = nodes[index]!
          const [at, lengthAt, from, to] = places[index]! as [number, number, number, number]
          if (op === 'insert') splice.insert(parent, at, 0, insert)
          if (op === 'replace') splice.replace(parent, at, to, insert, replace)
          else if (typeof node !== 'number' && atOnce && op !== 'drop' && node.every(isLeaf)) {
            const edits = editsOf(node, bytes, from, to, insert, replace)
            splice.edit(parent, lengthAt, from, to, Int32Array.from(edits), edits.length / 4)
          } else if (typeof node !== 'number') {
            // Even what is dropped later may have been edited before.
            const frame = splice.frame(parent, lengthAt, from, to)
            edit(node, frame, from, to)
            if (op === 'drop') splice.drop(parent, frame, at, to)
          } else if (op === 'drop') splice.drop(parent, ROOT, at, to)
        }
      }
      edit(tree, ROOT, 0, bytes.length)
      assert.deepEqual(Buffer.from(splice.finish()), Buffer.from(write(tree, true)))
    }),
    { numRuns: 600 },
  )
})

test('without edits the very same array comes back', () => {
  const bytes = Uint8Array.of(10, 0)
  const splice = new Splice().reset(bytes)
  assert.equal(splice.changed, false)
  assert.equal(splice.finish(), bytes)
})

test('edits that overlap are a broken invariant', () => {
  const splice = new Splice().reset(new Uint8Array(20))
  splice.remove(ROOT, 0, 10)
  splice.remove(ROOT, 5, 15)
  assert.throws(() => splice.finish(), /invariant/)
})
