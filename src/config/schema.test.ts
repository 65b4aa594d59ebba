import assert from 'node:assert/strict'
import { test } from 'node:test'
import { inspect } from 'node:util'
import { Source } from './node.ts'
import { parseYaml } from './parse.ts'
import { ConfigError, type Problem } from './problem.ts'
import {
  anyValue,
  bool,
  byteSize,
  choice,
  duration,
  float,
  group,
  type Infer,
  ignored,
  int,
  list,
  map,
  object,
  type Schema,
  Secret,
  secret,
  section,
  string,
  strings,
  YamlFloat,
} from './schema.ts'
import { parseConfig } from './testing.ts'
import { At } from './types.ts'

const inner = object({
  port: int('port', { default: 1, min: 0, max: 65535, doc: 'Port.' }),
  name: string('name', { default: 'n', doc: 'Name.' }),
})

const config = object({
  wait: duration('wait', { default: '1m30s', min: '0s', max: '1d', doc: 'Wait.' }),
  period: duration('period', { default: '5m', unitRequired: true, doc: 'Period.' }),
  count: int('count', { default: 3, min: 1, max: 10, doc: 'Count.' }),
  ratio: float('ratio', { default: 0.5, min: 0, max: 1, doc: 'Ratio.' }),
  flag: bool('flag', { default: true, doc: 'Flag.' }),
  text: string('text', { default: 'd', doc: 'Text.' }),
  maybe: string('maybe', { optional: true, doc: 'Maybe.' }),
  size: byteSize('size', { default: '4MiB', max: '1GiB', doc: 'Size.' }),
  word: choice('word', { default: 'a', of: { a: 'A.', b: 'B.' }, doc: 'Word.' }),
  level: choice('level', { default: 'info', of: { info: 'I.', debug: 'D.' }, ignoreCase: true, doc: 'Level.' }),
  words: strings('words', { default: ['x'], doc: 'Words.' }),
  items: list('items', inner, { default: [{ port: 7 }], doc: 'Items.' }),
  numbers: list('numbers', int.of(), { default: [], doc: 'Numbers.' }),
  names: map('names', string.of(), { default: { k: 'v' }, doc: 'Names.' }),
  headers: map('headers', secret.of(), { default: {}, doc: 'Headers.' }),
  token: secret('token', { optional: true, doc: 'Token.' }),
  any: anyValue('any', { optional: true, doc: 'Anything.' }),
  always: group('always', inner, { doc: 'Group.' }),
  old: ignored('old', { doc: 'No effect.' }),
})
type Config = Infer<typeof config>

function decode<T>(schema: Schema<T>, yaml: string): { value: T; problems: Problem[] } {
  const source = new Source('test.yaml', yaml)
  const parsed = parseYaml(source)
  assert.deepEqual(parsed.problems, [])
  const at = new At('', { source, start: 0, end: 0 }, [])
  return { value: schema.decode(parsed.node, at), problems: at.problems }
}

const GOOD: readonly [rule: string, yaml: string, key: keyof Config, value: unknown][] = [
  ['a duration has a unit', 'wait: 1h2m3.5s', 'wait', 3723500],
  ['a bare integer is nanoseconds', 'wait: 1500000', 'wait', 1.5],
  ['a duration may be 0', 'wait: "0"', 'wait', 0],
  ['a null means zero, as in the Collector: a duration', 'wait:', 'wait', 0],
  ['a number', 'ratio:', 'ratio', 0],
  ['false', 'flag: ~', 'flag', false],
  ['the empty text', 'text: null', 'text', ''],
  ['a null word keeps the default', 'word:', 'word', 'a'],
  ['an absent key has its default', '{}', 'wait', 90000],
  ['microseconds have two spellings', 'wait: 1us1µs', 'wait', 0.002],
  ['a day is a unit', 'wait: 1d', 'wait', 864e5],
  ['0 needs no unit', 'period: 0', 'period', 0],
  ['an integer', 'count: 10', 'count', 10],
  ['an integer written as a float', 'count: 2.0', 'count', 2],
  ['an integer where a float is', 'ratio: 1', 'ratio', 1],
  ['a plain byte count', 'size: 512', 'size', 512],
  ['a byte count with a unit', 'size: 1KiB', 'size', 1024],
  ['a decimal byte count', 'size: 1.5 kB', 'size', 1500],
  ['a word', 'word: b', 'word', 'b'],
  ['a word in any case where that is allowed', 'level: DEBUG', 'level', 'debug'],
  ['a list replaces the default', 'words: [a, b]', 'words', ['a', 'b']],
  ['an empty list empties the default', 'words: []', 'words', []],
  ['a null list keeps the default', 'words:', 'words', ['x']],
  ['a string is cut at its commas', 'words: a,b', 'words', ['a', 'b']],
  ['an empty string is no words', 'words: ""', 'words', []],
  [
    'a list of maps',
    'items: [{port: 2}, {name: m}]',
    'items',
    [
      { port: 2, name: 'n' },
      { port: 1, name: 'm' },
    ],
  ],
  ['the default of a list of maps', '{}', 'items', [{ port: 7, name: 'n' }]],
  ['a map replaces the default', 'names: {a: b}', 'names', new Map([['a', 'b']])],
  ['a null map keeps the default', 'names:', 'names', new Map([['k', 'v']])],
  ['an optional key may be absent', '{}', 'maybe', undefined],
  ['an optional key may be null', 'maybe:', 'maybe', undefined],
  [
    'any value keeps integer and float apart',
    'any: [1, 1.0, x, true, null, {a: 1}]',
    'any',
    [1, new YamlFloat(1), 'x', true, null, { a: 1 }],
  ],
  ['a group is always there', '{}', 'always', { port: 1, name: 'n' }],
  ['a null group has its defaults', 'always:', 'always', { port: 1, name: 'n' }],
]

for (const [rule, yaml, key, value] of GOOD) {
  test(`decoding: ${rule}: ${yaml}`, () => {
    const { value: decoded, problems } = decode(config, yaml)
    assert.deepEqual(problems, [])
    assert.deepEqual(decoded[key], value)
  })
}

const BAD: readonly [yaml: string, code: string, path: string][] = [
  ['wait: soon', 'CONFIG_WRONG_TYPE', 'wait'],
  ['wait: "5"', 'CONFIG_NO_UNIT', 'wait'],
  ['wait: 1.5', 'CONFIG_NO_UNIT', 'wait'],
  ['wait: -1s', 'CONFIG_OUT_OF_RANGE', 'wait'],
  ['wait: 2d', 'CONFIG_OUT_OF_RANGE', 'wait'],
  ['wait: true', 'CONFIG_WRONG_TYPE', 'wait'],
  ['period: 200', 'CONFIG_NO_UNIT', 'period'],
  ['count: "5"', 'CONFIG_WRONG_TYPE', 'count'],
  ['count: 5.5', 'CONFIG_WRONG_TYPE', 'count'],
  ['count: 0', 'CONFIG_OUT_OF_RANGE', 'count'],
  ['count: 11', 'CONFIG_OUT_OF_RANGE', 'count'],
  ['count: 99999999999999999999', 'CONFIG_OUT_OF_RANGE', 'count'],
  ['ratio: .nan', 'CONFIG_OUT_OF_RANGE', 'ratio'],
  ['ratio: "0.5"', 'CONFIG_WRONG_TYPE', 'ratio'],
  ['flag: "true"', 'CONFIG_WRONG_TYPE', 'flag'],
  ['flag: yes', 'CONFIG_WRONG_TYPE', 'flag'],
  ['flag: 1', 'CONFIG_WRONG_TYPE', 'flag'],
  ['text: 5', 'CONFIG_WRONG_TYPE', 'text'],
  ['text: true', 'CONFIG_WRONG_TYPE', 'text'],
  ['text: [a]', 'CONFIG_WRONG_TYPE', 'text'],
  ['size: 4 parsecs', 'CONFIG_WRONG_TYPE', 'size'],
  ['size: 2GiB', 'CONFIG_OUT_OF_RANGE', 'size'],
  ['size: -1', 'CONFIG_OUT_OF_RANGE', 'size'],
  ['count:', 'CONFIG_OUT_OF_RANGE', 'count'],
  ['word: c', 'CONFIG_UNKNOWN_CHOICE', 'word'],
  ['word: A', 'CONFIG_UNKNOWN_CHOICE', 'word'],
  ['word: 5', 'CONFIG_WRONG_TYPE', 'word'],
  ['words: {a: b}', 'CONFIG_WRONG_TYPE', 'words'],
  ['words: [a, 5]', 'CONFIG_WRONG_TYPE', 'words[1]'],
  ['items: {port: 1}', 'CONFIG_WRONG_TYPE', 'items'],
  ['items: [{port: 1}, {port: x}]', 'CONFIG_WRONG_TYPE', 'items[1].port'],
  ['items: [{prot: 1}]', 'CONFIG_UNKNOWN_KEY', 'items[0].prot'],
  ['numbers: 1,2', 'CONFIG_WRONG_TYPE', 'numbers'],
  ['names: [a]', 'CONFIG_WRONG_TYPE', 'names'],
  ['names: {a: 5}', 'CONFIG_WRONG_TYPE', 'names.a'],
  ['always: 5', 'CONFIG_WRONG_TYPE', 'always'],
  ['Wait: 1s', 'CONFIG_UNKNOWN_KEY', 'Wait'],
  ['always: {Port: 1}', 'CONFIG_UNKNOWN_KEY', 'always.Port'],
]

for (const [yaml, code, path] of BAD) {
  test(`decoding refuses ${yaml}`, () => {
    const { problems } = decode(config, yaml)
    assert.deepEqual(
      problems.map((problem) => [problem.code, problem.path]),
      [[code, path]],
    )
    assert.ok(problems[0]!.fix !== undefined && problems[0]!.place !== undefined)
  })
}

test('every problem of a component is found, each value that is right is kept', () => {
  const { value, problems } = decode(config, 'wait: x\ncount: 99\nflag: 3\ntext: good\nextra: 1\n')
  assert.deepEqual(
    problems.map((problem) => problem.path),
    ['extra', 'wait', 'count', 'flag'],
  )
  assert.equal(value.text, 'good')
})

test('an ignored key takes any value and leaves no trace', () => {
  const { value, problems } = decode(config, 'old: {any: [thing]}')
  assert.deepEqual(problems, [])
  assert.equal('old' in value, false)
})

test('a required key must be there, not null and not an empty string', () => {
  const schema = object({ endpoint: string('endpoint', { required: true, doc: 'Where.' }) })
  for (const yaml of ['{}', 'endpoint:', 'endpoint: ""']) {
    assert.deepEqual(
      decode(schema, yaml).problems.map((problem) => [problem.code, problem.path]),
      [['CONFIG_MISSING', 'endpoint']],
    )
  }
  assert.equal(decode(schema, 'endpoint: a').value.endpoint, 'a')
})

const SECTIONS: readonly [optional: 'none' | 'default' | 'some', yaml: string, isOn: boolean][] = [
  ['none', '{}', false],
  ['none', 's:', false],
  ['none', 's: {}', true],
  ['none', 's: {port: 2}', true],
  ['none', 's: {enabled: true}', true],
  ['none', 's: {enabled: false}', false],
  ['default', '{}', false],
  ['default', 's:', true],
  ['default', 's: {}', true],
  ['default', 's: {port: 2}', true],
  ['default', 's: {enabled: false, port: 2}', false],
  ['some', '{}', true],
  ['some', 's:', true],
  ['some', 's: {}', true],
  ['some', 's: {port: 2}', true],
  ['some', 's: {enabled: true, port: 2}', true],
  ['some', 's: {enabled: false}', false],
]

for (const [optional, yaml, isOn] of SECTIONS) {
  test(`a section of flavour ${optional} with ${yaml} is ${isOn ? 'on' : 'off'}`, () => {
    const schema = object({ s: section('s', inner, { optional, doc: 'Section.' }) })
    const { value, problems } = decode(schema, yaml)
    assert.deepEqual(problems, [])
    assert.deepEqual(value.s, isOn ? { port: yaml.includes('port') ? 2 : 1, name: 'n' } : undefined)
    // What is printed reads back to the same.
    const again = parseConfig(schema, schema.print(value, true))
    assert.deepEqual(again, value)
  })
}

test('enabled of a section must be a boolean', () => {
  const schema = object({ s: section('s', inner, { optional: 'none', doc: 'Section.' }) })
  assert.deepEqual(
    decode(schema, 's: {enabled: "no"}').problems.map((problem) => problem.path),
    ['s.enabled'],
  )
})

test('a rule between fields runs when every field is right, and points at the value it names', () => {
  const schema = object(
    {
      low: int('low', { default: 1, doc: 'Low.' }),
      high: int('high', { default: 2, doc: 'High.' }),
      deep: group('deep', inner, { doc: 'Deep.' }),
    },
    {
      check(value, problem) {
        if (value.high < value.low) problem('high', 'it is below low', 'write more')
        if (value.deep.port === 0) problem('deep.port', 'it is 0')
        if (value.low === 9) problem('', 'low is 9')
      },
    },
  )
  const { problems } = decode(schema, 'low: 9\nhigh: 3\ndeep: {port: 0}\n')
  assert.deepEqual(
    problems.map(({ code, path, place }) => [code, path, place!.source.text.slice(place!.start, place!.end)]),
    [
      ['CONFIG_INVALID', 'high', '3'],
      ['CONFIG_INVALID', 'deep.port', '0'],
      ['CONFIG_INVALID', '', ''],
    ],
  )
  assert.equal(decode(schema, 'low: 9\nhigh: x').problems.length, 1)
})

test('headers are a map or a list of name and value', () => {
  const reveal = (yaml: string): string[][] =>
    [...decode(config, yaml).value.headers].map(([name, value]) => [name, value.reveal()])
  assert.deepEqual(reveal('headers: {a: b, c: d}'), [
    ['a', 'b'],
    ['c', 'd'],
  ])
  assert.deepEqual(reveal('headers: [{name: a, value: b}, {name: c, value: d}]'), [
    ['a', 'b'],
    ['c', 'd'],
  ])
  for (const yaml of [
    'headers: [{name: a}]',
    'headers: [a]',
    'headers: [{name: a, value: b, more: c}]',
    'headers: a',
    'headers: {a: 5}',
  ]) {
    assert.equal(decode(config, yaml).problems.length, 1, yaml)
  }
})

test('a secret shows itself to no printer', () => {
  const token = decode(config, 'token: s3cr3t').value.token!
  assert.equal(token.reveal(), 's3cr3t')
  const shown = [
    String(token),
    `${token}`,
    JSON.stringify({ token }),
    inspect(token),
    inspect({ token }, { showHidden: true, depth: 9 }),
  ]
  for (const text of shown) assert.equal(text.includes('s3cr3t'), false)
  assert.deepEqual(Object.keys(token), [])
  assert.equal(String(new Secret('x')), '[REDACTED]')
})

test('what is printed reads back to the same values, with every default in it', () => {
  const { value } = decode(config, 'wait: 1h0m0.5s\nany: [1, 1.0]\nheaders: {a: b}\ntoken: t\nitems: [{port: 5}]\n')
  const printed = config.print(value, true) as Record<string, unknown>
  assert.equal(printed.wait, '1h0m0.5s')
  assert.equal(printed.period, '5m0s')
  assert.deepEqual(parseConfig(config, printed), value)
  assert.equal(JSON.stringify(config.print(value, false)).includes('"t"'), false)
})

test('parseConfig gives a typed configuration, or throws all problems', () => {
  const value: Config = parseConfig(config, { wait: '2s', words: 'a,b' })
  const word: 'a' | 'b' = value.word
  const maybe: string | undefined = value.maybe
  assert.deepEqual([value.wait, value.words, word, maybe], [2000, ['a', 'b'], 'a', undefined])
  assert.throws(
    () => parseConfig(config, { wait: 'x', count: 99 }),
    (error) => error instanceof ConfigError && error.problems.length === 2,
  )
})

test('a default that the field itself would refuse is a broken invariant', () => {
  const schema = object({ n: int('n', { default: 5, max: 3, doc: '' }) })
  assert.throws(() => parseConfig(schema, {}), /the default of n is invalid/)
})
