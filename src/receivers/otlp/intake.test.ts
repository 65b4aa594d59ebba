import assert from 'node:assert/strict'
import { test } from 'node:test'
import { rig } from '../../../test/support/harness.ts'
import { LIMITS } from '../../net/limits.ts'
import { Intake } from './intake.ts'

const MiB = 2 ** 20

test('shards hold together what one would hold without them, each at least its largest request', () => {
  const context = { ...rig().context('receiver', 'otlp'), outputs: {} }
  const bytes = (largest: number, shards: number): number => new Intake(context, largest, shards).budget.max
  assert.equal(bytes(4 * MiB, 1), 64 * MiB)
  assert.equal(bytes(4 * MiB, 2), 32 * MiB)
  assert.equal(bytes(4 * MiB, 8), 8 * MiB)
  assert.equal(bytes(20 * MiB, 8), 20 * MiB + LIMITS.requestBytes)
  assert.equal(bytes(100 * MiB, 1), 2 * (100 * MiB + LIMITS.requestBytes))
  assert.equal(bytes(100 * MiB, 2), 100 * MiB + LIMITS.requestBytes)
})
