import assert from 'node:assert/strict'
import { test } from 'node:test'
import { NumberSet } from '../../bench/rig/numbered.ts'
import type { SinkReport } from '../../bench/rig/sink.ts'
import { type RouterBooks, reconcile } from './reconcile.ts'
import { Fates } from './sender.ts'

const numbers = (...list: number[]): Uint8Array => {
  const set = new NumberSet()
  for (const number of list) set.add(number)
  return set.bits
}

const report = (changes: Partial<SinkReport>): SinkReport => ({
  kind: 'report',
  items: 0,
  distinctItems: 0,
  requests: 0,
  bytes: 0,
  refused: 0,
  numbers: new Map(),
  rejected: new Map(),
  rejectedItems: 0,
  duplicates: 0,
  unansweredItems: 0,
  largestItems: 0,
  ...changes,
})

const ROUTER: RouterBooks = { kills: 0, unexplainedRefusals: 0, lostByExporters: 0, exportsUnderWay: 10 }

function fates(acknowledged: readonly number[], changes: { sent?: number; unanswered?: number } = {}): Fates {
  const made = new Fates()
  for (const number of acknowledged) made.acknowledged.add(number)
  return Object.assign(made, { sent: acknowledged.length, ...changes })
}

test('what was answered OK and is neither at the sink nor refused there is lost, number by number and sender by sender', () => {
  const senders = new Map([
    [1, fates([0, 1, 2, 3])],
    [2, fates([0, 1])],
  ])
  const sink = report({ numbers: new Map([[1, numbers(0, 1, 9)]]), rejected: new Map([[1, numbers(2)]]) })
  const books = reconcile(senders, sink, ROUTER)
  assert.equal(books.lost, 3, 'number 3 of sender 1, both of sender 2')
  assert.equal(books.acknowledged, 6)
  assert.equal(books.delivered, 3)
})

test('duplicates are allowed for what went without an answer, and for what was under way at a kill', () => {
  const books = reconcile(
    new Map([[1, fates([0, 1], { unanswered: 5 })]]),
    report({ duplicates: 7, unansweredItems: 3, largestItems: 20 }),
    { ...ROUTER, kills: 2 },
  )
  assert.equal(books.duplicates, 7)
  assert.equal(books.duplicatesAtMost, 5 + 3 + 2 * 10 * 20)
})

test('what the sink refused for good has to be counted by the exporter', () => {
  const of = (lostByExporters: number): number =>
    reconcile(new Map(), report({ rejectedItems: 8 }), { ...ROUTER, lostByExporters }).unexplainedRejections
  assert.deepEqual([of(8), of(9), of(5)], [0, 0, 3])
})
