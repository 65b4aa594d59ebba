import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { compileFilter, covers, filterProblem } from './topic-filter.ts'

const covered = (allowed: string, asked: string): boolean => covers(allowed.split('/'), asked.split('/'))

test('a topic lies in a filter as the specification says', () => {
  for (const [filter, topic] of [
    ['#', 'a/b'],
    ['a/#', 'a'],
    ['a/#', 'a/b/c'],
    ['a/+', 'a/b'],
    ['+/b', 'a/b'],
    ['+', ''],
    ['/+', '/a'],
    ['$SYS/#', '$SYS/x'],
  ])
    assert.ok(covered(filter!, topic!), `${filter} has ${topic}`)
  for (const [filter, topic] of [
    ['a/+', 'a'],
    ['a/+', 'a/b/c'],
    ['a', 'a/b'],
    ['a/b', 'a'],
    ['+', '/a'],
    ['#', '$SYS/x'],
    ['+/x', '$SYS/x'],
  ])
    assert.ok(!covered(filter!, topic!), `${filter} has not ${topic}`)
})

const level = fc.constantFrom('a', 'b', '', '+')
const filter = fc
  .tuple(fc.array(level, { minLength: 1, maxLength: 4 }), fc.boolean())
  .map(([levels, open]) => (open ? [...levels.slice(1), '#'] : levels).join('/'))
const topic = fc.array(fc.constantFrom('a', 'b', ''), { minLength: 1, maxLength: 4 }).map((levels) => levels.join('/'))

test('a filter that is granted within another never reaches a topic that the other does not', () => {
  fc.assert(
    fc.property(filter, filter, topic, (allowed, asked, name) => {
      if (covered(allowed, asked) && covered(asked, name)) assert.ok(covered(allowed, name))
    }),
    { numRuns: 2_000 },
  )
})

test('wildcards stand where they may, and a filter says what is wrong with it', () => {
  for (const good of ['#', 'a/#', '+', 'a/+/b', '/', '$SYS/#']) assert.equal(filterProblem(good), undefined, good)
  for (const bad of ['', 'a#', '#/a', 'a/b+', '+a/b']) assert.ok(filterProblem(bad) !== undefined, bad)
})

test('a name fills a filter only when it stays one level', () => {
  assert.deepEqual(compileFilter('d/%u/%c', 'cnc-1', 'x'), ['d', 'cnc-1', 'x'])
  for (const name of ['+', '#', 'a/b', '']) assert.equal(compileFilter('d/%u', name, 'x'), undefined, name)
})
