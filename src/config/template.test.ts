import assert from 'node:assert/strict'
import { test } from 'node:test'
import { attributeOf, TemplateError, templatePieces } from './template.ts'

test('a template is texts and references in their order, each with what stands in for it', () => {
  assert.deepEqual(templatePieces('plant/%{ a.b }/%{c:-no:-ne}%{d:-}'), [
    'plant/',
    { name: 'a.b', fallback: undefined, written: ' a.b ' },
    '/',
    { name: 'c', fallback: 'no:-ne', written: 'c:-no:-ne' },
    { name: 'd', fallback: '', written: 'd:-' },
  ])
  assert.deepEqual(templatePieces(''), [])
  assert.deepEqual(templatePieces('100 % of }'), ['100 % of }'])
})

test('a reference that does not end is refused', () => {
  assert.throws(() => templatePieces('a%{b}c%{d'), new TemplateError('"a%{b}c%{d" has a %{ without its }'))
})

test('an attribute is that of the resource or of the item', () => {
  assert.deepEqual(attributeOf('resource.attributes.device.id'), { of: 'resource', key: 'device.id' })
  assert.deepEqual(attributeOf('attributes.axis'), { of: 'item', key: 'axis' })
  for (const name of ['attributes.', 'resource.attributes.', 'attributes', 'metric.name'])
    assert.equal(attributeOf(name), undefined)
})
