import assert from 'node:assert/strict'
import { test } from 'node:test'
import { expand, findReference } from './expand.ts'
import { Source, toValue, YamlFloat } from './node.ts'
import { parseYaml } from './parse.ts'
import { bool, duration, int, list, map, object, string, strings } from './schema.ts'
import { type Retriever, retrieverOf } from './sources.ts'
import { At } from './types.ts'

const ENV = {
  PORT: '4317',
  OCTAL: '0123',
  QUOTED: '"0123"',
  YES: 'true',
  T: 't',
  RATIO: '0.5',
  EMPTY: '',
  LIST: '[a, b]',
  MAP: '{x: 1, y: "${env:PORT}"}',
  NAME: 'PORT',
  CHAIN: '${env:NAME}',
  DEEP: '${env:CHAIN}!',
  DOLLARS: 'a$$b',
  ESCAPED: '$${env:PORT}',
  TEXT: 'plain text',
  BROKEN: 'a: [b',
  SELF: 'x${env:SELF}',
  NEST: '["${env:NEST}"]',
  SECONDS: '5s',
  COMMAS: 'a,b',
}

const FILES: Record<string, string> = {
  name: 'PORT',
  'part.yaml': 'endpoint: ${env:PORT}\nlist: [1, "${env:RATIO}"]\n',
}

const retrieve: Retriever = async (uri) => {
  if (uri.scheme !== 'file') return await retrieverOf({ env: ENV })(uri)
  const text = FILES[uri.opaque]
  return text === undefined
    ? { ok: false, code: 'CONFIG_SOURCE', what: 'no file' }
    : { ok: true, name: uri.opaque, text }
}

async function expanded(yaml: string) {
  const source = new Source('test.yaml', yaml)
  const parsed = parseYaml(source)
  assert.deepEqual(parsed.problems, [])
  return await expand(parsed.node!, retrieve)
}

/** The value under `v` as an untyped field gets it. */
async function value(yaml: string): Promise<unknown> {
  const { root, problems } = await expanded(`v: ${yaml}`)
  assert.deepEqual(
    problems.map((problem) => problem.what),
    [],
  )
  return (toValue(root) as Record<string, unknown>).v
}

const RULES: readonly [rule: string, yaml: string, value: unknown][] = [
  ['${NAME} is ${env:NAME}', '${PORT}', 4317],
  ['a scheme is understood', '${env:PORT}', 4317],
  ['yaml: gives its text as a value', '${yaml:[1, 2]}', [1, 2]],
  ['a bare $NAME is text', '$PORT', '$PORT'],
  ['a lone dollar is text', 'a $ b', 'a $ b'],
  ['an open brace without its end is text', 'a ${PORT', 'a ${PORT'],
  ['the default of an unset variable is YAML', '${env:UNSET:-5}', 5],
  ['the default of a set variable is not used', '${env:PORT:-5}', 4317],
  ['an empty variable keeps its emptiness', '${env:EMPTY:-5}', null],
  ['an empty default is no value', '${env:UNSET:-}', null],
  ['a default may contain the default mark', '${env:UNSET:-a:-b}', 'a:-b'],
  ['an unset variable without default is null', '${env:UNSET}', null],
  ['a boolean keeps its type', '${env:YES}', true],
  ['a float keeps its type', '${env:RATIO}', new YamlFloat(0.5)],
  ['a list keeps its type', '${env:LIST}', ['a', 'b']],
  ['a map keeps its type and is expanded', '${env:MAP}', { x: 1, y: 4317 }],
  ['a leading zero is octal', '${env:OCTAL}', 83],
  ['quotes in the text stay', '${env:QUOTED}', '"0123"'],
  ['inside a longer string the text is pasted', 'localhost:${env:PORT}', 'localhost:4317'],
  ['pasted numbers keep their text', 'x${env:OCTAL}', 'x0123'],
  ['pasted emptiness is nothing', '<${env:EMPTY}${env:UNSET}>', '<>'],
  ['several references in one string', '${env:PORT}-${env:RATIO}', '4317-0.5'],
  ['the same reference twice', '${env:PORT}${env:PORT}', '43174317'],
  ['innermost first', '${env:${env:NAME}}', 4317],
  ['innermost first, through a file', '${env:${file:name}}', 4317],
  ['results are expanded again', '${env:DEEP}', 'PORT!'],
  ['a file that is a map', '${file:part.yaml}', { endpoint: 4317, list: [1, new YamlFloat(0.5)] }],
  ['text that is no YAML is one string', '${env:BROKEN}', 'a: [b'],
  ['$$ is a dollar', 'a$$b', 'a$b'],
  ['$$ is a dollar in what a variable gave', '${env:DOLLARS}', 'a$b'],
  ['$${ escapes', '$${env:PORT}', '${env:PORT}'],
  ['$${1} is for those who need ${1}', '$${1}', '${1}'],
  ['an escape in what a variable gave', '${env:ESCAPED}', '${env:PORT}'],
  ['two dollars before a reference are one, and escape', 'x$$${env:PORT}', 'x$4317'],
  ['three dollars before a brace escape again', '$$$${env:PORT}', '$${env:PORT}'],
  ['after an escaped reference the rest is left as it is', '$${a} ${env:PORT}', '${a} ${env:PORT}'],
  ['lists are searched', '[1, ["${env:PORT}"]]', [1, [4317]]],
  ['keys are never expanded', '{"${env:PORT}": 1}', { '${env:PORT}': 1 }],
]

for (const [rule, yaml, expected] of RULES) {
  test(`expansion: ${rule}: ${yaml}`, async () => assert.deepEqual(await value(yaml), expected))
}

const FAILURES: readonly [rule: string, yaml: string, code: string, what: RegExp][] = [
  ['a name has letters, digits and _', '${1}', 'CONFIG_REFERENCE', /"1" is no name/],
  ['a name may not be empty', '${}', 'CONFIG_REFERENCE', /"" is no name/],
  ['a name may not have a dash', '${env:A-B}', 'CONFIG_REFERENCE', /"A-B" is no name/],
  ['no dollar is left in a reference', '${env:$X}', 'CONFIG_REFERENCE', /contains a \$/],
  ['an unknown scheme', '${vault:x}', 'CONFIG_SCHEME', /unsupported scheme/],
  ['what has no scheme', '${1:x}', 'CONFIG_REFERENCE', /is no reference/],
  ['a missing file', '${file:none}', 'CONFIG_SOURCE', /no file/],
  ['what contains itself', '${env:SELF}', 'CONFIG_TOO_LARGE', /too many recursive expansions/],
  ['a list that contains itself', '${env:NEST}', 'CONFIG_TOO_LARGE', /too many recursive expansions/],
]

for (const [rule, yaml, code, what] of FAILURES) {
  test(`expansion refuses ${rule}: ${yaml}`, async () => {
    const { problems } = await expanded(`v: ${yaml}`)
    assert.equal(problems.length, 1)
    assert.equal(problems[0]!.code, code)
    assert.match(problems[0]!.what, what)
    assert.equal(problems[0]!.path.startsWith('v'), true)
  })
}

const schema = object({
  text: string('text', { default: 'default', doc: '' }),
  number: int('number', { default: 7, doc: '' }),
  flag: bool('flag', { default: true, doc: '' }),
  wait: duration('wait', { default: '1s', doc: '' }),
  words: strings('words', { default: ['a'], doc: '' }),
  items: list('items', string.of(), { default: ['a'], doc: '' }),
  names: map('names', string.of(), { default: { a: 'b' }, doc: '' }),
})

async function decoded(yaml: string) {
  const { root } = await expanded(yaml)
  const at = new At('', root.place, [])
  const result = schema.decode(root, at)
  return { result, problems: at.problems }
}

const TYPED: readonly [rule: string, yaml: string, key: string, value: unknown][] = [
  ['a string field gets the text', 'text: ${env:OCTAL}', 'text', '0123'],
  ['a string field keeps the quotes', 'text: ${env:QUOTED}', 'text', '"0123"'],
  ['a string field gets the text of a list', 'text: ${env:LIST}', 'text', '[a, b]'],
  ['a string field gets the expanded text of a map', 'text: ${env:MAP}', 'text', '{x: 1, y: "4317"}'],
  ['a string field gets the text of a boolean', 'text: ${env:YES}', 'text', 'true'],
  ['an int field gets the value', 'number: ${env:OCTAL}', 'number', 83],
  ['a bool field gets the value', 'flag: ${env:YES}', 'flag', true],
  ['a duration field gets the text', 'wait: ${env:SECONDS}', 'wait', 5000],
  ['a duration field takes a number for nanoseconds', 'wait: ${yaml:1000000}', 'wait', 1],
  ['a list of strings is cut at commas', 'words: ${env:COMMAS}', 'words', ['a', 'b']],
  ['the items of a list are expanded', 'items: [x, "${env:OCTAL}"]', 'items', ['x', '0123']],
  ['an unset variable means the zero value of a string', 'text: ${env:UNSET}', 'text', ''],
  ['an unset variable means the zero value of a number', 'number: ${env:UNSET}', 'number', 0],
  ['an unset variable means the zero value of a boolean', 'flag: ${env:UNSET}', 'flag', false],
  ['an unset variable means the zero value of a duration', 'wait: ${env:EMPTY}', 'wait', 0],
  ['an unset variable means an empty list', 'words: ${env:UNSET}', 'words', []],
  ['an unset variable means an empty map', 'names: ${env:UNSET}', 'names', new Map()],
]

for (const [rule, yaml, key, expected] of TYPED) {
  test(`substitution: ${rule}: ${yaml}`, async () => {
    const { result, problems } = await decoded(yaml)
    assert.deepEqual(problems, [])
    assert.deepEqual(result[key as keyof typeof result], expected)
  })
}

for (const yaml of [
  'flag: ${env:T}',
  'flag: ${env:PORT}',
  'flag: "${env:QUOTED}"',
  'number: ${env:QUOTED}',
  'number: 1${env:PORT}',
  'number: "5"',
]) {
  test(`substitution does not convert: ${yaml}`, async () => {
    const { problems } = await decoded(yaml)
    assert.deepEqual(
      problems.map((problem) => problem.code),
      ['CONFIG_WRONG_TYPE'],
    )
  })
}

test('an unset variable is a warning at its place, an empty one a notice; each once', async () => {
  const { warnings, problems } = await expanded('a: x${env:UNSET}y\nb: &b ${env:EMPTY}\nc: *b\n')
  assert.deepEqual(problems, [])
  assert.deepEqual(
    warnings.map(({ code, path, place }) => [code, path, place?.start]),
    [
      ['CONFIG_UNSET', 'a', 4],
      ['CONFIG_EMPTY_VALUE', 'b', 24],
    ],
  )
})

test('values keep the place of their reference, parts of a file keep their own', async () => {
  const { root, sources } = await expanded('a: ${env:PORT}\nb: ${file:part.yaml}\n')
  assert.ok(root.kind === 'map')
  assert.equal(root.entries.get('a')!.value.place.source.name, 'test.yaml')
  const part = root.entries.get('b')!.value
  assert.ok(part.kind === 'map')
  const entry = part.entries.get('endpoint')!
  assert.deepEqual(entry.key.source.position(entry.value.place.start), { line: 1, column: 11 })
  assert.equal(entry.key.source.name, 'part.yaml')
  assert.deepEqual(
    sources.map((source) => source.name),
    ['part.yaml'],
  )
})

test('the first reference is the innermost one that is not escaped', () => {
  const at = (text: string): string | undefined => {
    const found = findReference(text)
    return found && text.slice(found.start, found.end)
  }
  assert.equal(at('a ${b${c}}'), '${c}')
  assert.equal(at('} ${a}'), '${a}')
  assert.equal(at('$${a}'), undefined)
  assert.equal(at('$$${a}'), '${a}')
  assert.equal(at('{a}'), undefined)
})
