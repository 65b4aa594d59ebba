import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { generateFields } from '../../scripts/generate-fields.ts'
import { ENUMS, MESSAGES, SPAN, SUM } from './fields.ts'

test('every fields.ts is what `npm run fields` writes from proto/', () => {
  for (const [file, text] of generateFields())
    assert.equal(readFileSync(new URL(`../../${file}`, import.meta.url), 'utf8'), text, file)
})

test('every field has a place in its wire type table, and every message and enum it names exists', () => {
  for (const table of Object.values(MESSAGES)) {
    for (const field of table.fields) {
      assert.equal(table.wireType[field.number], field.repeated ? 2 : field.wireType, `${table.message}.${field.name}`)
      if (field.kind === 'message') assert.ok(field.type !== undefined && MESSAGES[field.type], field.name)
      if (field.kind === 'enum') assert.ok(field.type !== undefined && ENUMS[field.type], field.name)
    }
    const fields = table.wireType.filter((wireType) => wireType !== 255).length
    assert.equal(fields, table.fields.length, table.message)
  }
})

test('a number without a field never matches a wire type', () => {
  assert.equal(SUM.wireType[0], 255)
  assert.equal(SPAN.wireType[17], undefined)
})
