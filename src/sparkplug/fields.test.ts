import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DATA_TYPE, PAYLOAD, PAYLOAD_METRIC } from './fields.ts'

test('the field numbers and data types are those of Sparkplug 3.0', () => {
  assert.equal(PAYLOAD.SEQ, 3)
  assert.equal(PAYLOAD_METRIC.TEMPLATE_VALUE, 18)
  assert.equal(DATA_TYPE.values.DateTimeArray, 34)
})
