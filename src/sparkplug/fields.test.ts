import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { generateFields } from '../../scripts/generate-fields.ts'
import { DATA_TYPE, PAYLOAD, PAYLOAD_METRIC } from './fields.ts'

test('fields.ts is what `npm run fields` writes from proto/sparkplug', () => {
  assert.equal(readFileSync(new URL('fields.ts', import.meta.url), 'utf8'), generateFields('sparkplug'))
})

test('the field numbers and data types are those of Sparkplug 3.0', () => {
  assert.equal(PAYLOAD.SEQ, 3)
  assert.equal(PAYLOAD_METRIC.TEMPLATE_VALUE, 18)
  assert.equal(DATA_TYPE.values.DateTimeArray, 34)
})
