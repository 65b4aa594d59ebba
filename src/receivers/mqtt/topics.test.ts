import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { parseTemplate, TemplateError } from './topics.ts'

const meaning = (template: string, topic: string): unknown => {
  const match = parseTemplate(template).match(topic)
  if (match === undefined) return undefined
  return { ...Object.fromEntries([...match.resource, ...match.point]), ...(match.metric && { metric: match.metric }) }
}

test('a template subscribes to what it stands for', () => {
  const filters = {
    'devices/{device_id}/data': 'devices/+/data',
    'devices/+/data': 'devices/+/data',
    '{enterprise}/{site}/{metric*}': '+/+/#',
    'umh/v1/{location*}/_historian/{metric*}': 'umh/v1/#',
    'plant/{line}-{cell}/state': 'plant/+/state',
    '/neuron/{_}/#': '/neuron/+/#',
    '#': '#',
    'werk/größe/{device_id}': 'werk/größe/+',
  }
  for (const [template, filter] of Object.entries(filters)) assert.equal(parseTemplate(template).filter, filter)
})

test('captures become attributes, by the names that plants have for them', () => {
  assert.deepEqual(meaning('devices/{device_id}/data', 'devices/cnc-01/data'), { 'device.id': 'cnc-01' })
  assert.deepEqual(
    meaning('{enterprise}/{site}/{area}/{line}/{device_id}/{metric*}', 'acme/lyon/press/l1/p7/temp/oil'),
    {
      'manufacturing.enterprise': 'acme',
      'manufacturing.site': 'lyon',
      'manufacturing.area': 'press',
      'manufacturing.line': 'l1',
      'device.id': 'p7',
      metric: 'temp.oil',
    },
  )
  assert.deepEqual(meaning('plant/{line}-{cell}/{batch_id}/{plant.zone}', 'plant/l1-c2/b9/north'), {
    'manufacturing.line': 'l1',
    'manufacturing.cell': 'c2',
    'plant.zone': 'north',
    'manufacturing.batch.id': 'b9',
  })
  assert.deepEqual(meaning('umh/v1/{location*}/_historian/{metric*}', 'umh/v1/a/b/c/_historian/t/x'), {
    'manufacturing.location.path': 'a/b/c',
    metric: 't.x',
  })
})

test('a topic that is not of the template is not taken for one', () => {
  assert.equal(meaning('devices/{device_id}/data', 'devices/a/b/data'), undefined)
  assert.equal(meaning('devices/{device_id}/data', 'devices//data'), undefined)
  assert.equal(meaning('devices/{device_id}/data', 'xdevices/a/data'), undefined)
  assert.equal(meaning('plant.1/{metric*}', 'plantx1/a'), undefined)
  assert.equal(meaning('plant/{line}-{cell}/x', 'plant/l1/x'), undefined)
  assert.deepEqual(meaning('/neuron/{_}/#', '/neuron/modbus'), {})
  assert.deepEqual(meaning('/neuron/{_}/#', '/neuron/modbus/a/b'), {})
  assert.equal(meaning('/neuron/{_}/#', 'neuron/modbus'), undefined)
  assert.deepEqual(meaning('a/+/c', 'a//c'), {})
})

test('a mistake in a template is told in words', () => {
  const cases: [string, RegExp][] = [
    ['', /empty/],
    ['a/#/b', /last level/],
    ['a/b+/c', /whole levels/],
    ['a/{x', /other half/],
    ['a/{x}{y}', /nothing between/],
    ['a/{x}/{x}', /twice/],
    ['a/{1x}', /is no name/],
    ['a/p{x*}', /level of its own/],
    ['$share/g/a', /shared/],
  ]
  for (const [text, words] of cases)
    assert.throws(
      () => parseTemplate(text),
      (error: Error) => error instanceof TemplateError && words.test(error.message),
      text,
    )
})

test('whatever a template is made of, it is refused in words or takes the topics that it describes', () => {
  const piece = fc.constantFrom(
    'a',
    'é',
    '.',
    '-',
    '+',
    '#',
    '{x}',
    '{y}',
    '{z*}',
    '{metric*}',
    '{',
    '}',
    '*',
    '\\',
    '$',
  )
  const level = fc.array(piece, { maxLength: 3 }).map((pieces) => pieces.join(''))
  fc.assert(
    fc.property(fc.array(level, { minLength: 1, maxLength: 5 }), (levels) => {
      const text = levels.join('/')
      try {
        const template = parseTemplate(text)
        const topic = text
          .replaceAll(/\{\w+\*\}/g, 'r/s')
          .replaceAll(/\{\w+\}/g, 'v')
          .replaceAll('#', 'q')
          .replaceAll('+', 'p')
        assert.notEqual(template.match(topic), undefined, `${text} does not take ${topic}`)
      } catch (error) {
        assert.ok(error instanceof TemplateError, String((error as Error).stack))
      }
    }),
    { numRuns: 2000 },
  )
})
