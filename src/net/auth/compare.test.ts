import assert from 'node:assert/strict'
import { test } from 'node:test'
import { digestOf, findSecret, isSameSecret } from './compare.ts'

test('secrets of any length are compared by digests of one length', () => {
  assert.ok(isSameSecret('a', 'a'))
  assert.ok(!isSameSecret('a', 'b'))
  assert.ok(!isSameSecret('a', 'aa'))
  assert.ok(!isSameSecret('', 'a'))
  assert.ok(isSameSecret('', ''))
  assert.ok(!isSameSecret('a'.repeat(100_000), `${'a'.repeat(99_999)}b`))
  for (const secret of ['', 'a', 'säge', 'x'.repeat(10_000)]) assert.equal(digestOf(secret).length, 32)
})

test('a secret is found at its place among several, and one that is not there is not', () => {
  const digests = ['one', 'two', 'three'].map(digestOf)
  assert.deepEqual(
    ['one', 'two', 'three', 'four', ''].map((secret) => findSecret(secret, digests)),
    [0, 1, 2, -1, -1],
  )
  assert.equal(findSecret('one', []), -1)
})
