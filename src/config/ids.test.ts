import assert from 'node:assert/strict'
import { test } from 'node:test'
import { chooseGates, GATES } from './gates.ts'
import { parseId } from './ids.ts'
import { nearest } from './nearest.ts'

const GOOD: readonly [text: string, type: string, name: string][] = [
  ['otlp', 'otlp', ''],
  ['otlp/2', 'otlp', '2'],
  [' otlp / 2 ', 'otlp', '2'],
  ['otlp/a/b', 'otlp', 'a/b'],
  ['otlp/é-.#@:_(x)', 'otlp', 'é-.#@:_(x)'],
  ['A1_b', 'A1_b', ''],
  [`a${'b'.repeat(62)}`, `a${'b'.repeat(62)}`, ''],
  [`otlp/${'n'.repeat(1024)}`, 'otlp', 'n'.repeat(1024)],
]

for (const [text, type, name] of GOOD) {
  test(`the id ${JSON.stringify(text.slice(0, 20))} is a type and a name`, () => {
    const id = parseId(text)
    assert.deepEqual(id, { type, name, text: name === '' ? type : `${type}/${name}` })
  })
}

for (const text of [
  '',
  '/2',
  'otlp/',
  'otlp/ ',
  '1otlp',
  'ot-lp',
  'ot lp',
  'é',
  `a${'b'.repeat(63)}`,
  `otlp/${'n'.repeat(1025)}`,
]) {
  test(`the id ${JSON.stringify(text.slice(0, 20))} is refused`, () => assert.ok('wrong' in parseId(text)))
}

for (const sign of ['+', '<', '>', '=', '|', '~', '^', '$', '`', ' ', '\t', '\u0000', '€']) {
  test(`a name may not contain ${JSON.stringify(sign)}`, () => assert.ok('wrong' in parseId(`otlp/a${sign}b`)))
}

test('feature gates: known ones are set, unknown ones are one warning, empty ones are errors', () => {
  const { enabled, warnings, errors } = chooseGates([
    'service.profilesSupport,+service.partialReload',
    '-service.partialReloadReceivers',
    'a.b,c.d',
  ])
  assert.equal(enabled.has('service.profilesSupport'), true)
  assert.equal(enabled.has('service.partialReload'), true)
  assert.equal(enabled.has('service.partialReloadReceivers'), false)
  assert.deepEqual(
    warnings.map((warning) => warning.what),
    ['unknown feature gates are ignored: a.b, c.d'],
  )
  assert.deepEqual(errors, [])
  assert.equal(chooseGates(['a.b,,']).errors.length, 2)
  assert.equal(
    chooseGates(['service.profilesSupport', '-service.profilesSupport']).enabled.has('service.profilesSupport'),
    false,
  )
})

test('beta gates are on and alpha gates off, and the list is sorted', () => {
  const { enabled } = chooseGates([])
  for (const gate of GATES) assert.equal(enabled.has(gate.id), gate.stage === 'beta')
  assert.deepEqual(
    GATES.map((gate) => gate.id),
    GATES.map((gate) => gate.id).toSorted(),
  )
})

test('the nearest word is suggested only when it is near', () => {
  const known = ['batch', 'memory_limiter', 'otlp', 'otlp_grpc', 'debug']
  const pairs = [
    ['bacth', 'batch'],
    ['memorylimiter', 'memory_limiter'],
    ['OTLP', 'otlp'],
    ['debgu', 'debug'],
    ['elasticsearch', undefined],
    ['x', undefined],
  ]
  for (const [word, near] of pairs) assert.equal(nearest(word!, known), near)
})
