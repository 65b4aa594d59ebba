import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Source, toValue, YamlFloat, type YamlValue } from './node.ts'
import { MAX_DEPTH, parseYaml } from './parse.ts'

const parse = (text: string) => parseYaml(new Source('test.yaml', text))

function meaningOf(text: string): YamlValue {
  const { node, problems } = parse(text)
  assert.deepEqual(problems, [])
  return toValue(node!)
}

const SCALARS: readonly [text: string, value: YamlValue][] = [
  ['5', 5],
  ['+5', 5],
  ['-0', 0],
  ['0123', 83],
  ['0o17', 15],
  ['0x1F', 31],
  ['-0b101', -5],
  ['1_000', 1000],
  ['08', new YamlFloat(8)],
  ['9007199254740993', 9007199254740993n],
  ['18446744073709551615', 18446744073709551615n],
  ['18446744073709551616', new YamlFloat(2 ** 64)],
  ['1.0', new YamlFloat(1)],
  ['.5', new YamlFloat(0.5)],
  ['1e3', new YamlFloat(1000)],
  ['.inf', new YamlFloat(Infinity)],
  ['-.Inf', new YamlFloat(-Infinity)],
  ['1.2.3', '1.2.3'],
  ['4317:4318', '4317:4318'],
  ['12:30:45', '12:30:45'],
  ['2026-01-02', '2026-01-02'],
  ['true', true],
  ['False', false],
  ['yes', 'yes'],
  ['on', 'on'],
  ['~', null],
  ['Null', null],
  ['"5"', '5'],
  ["'true'", 'true'],
  ['!!str 5', '5'],
  ['!!int "5"', 5],
  ['!!float 5', new YamlFloat(5)],
  ['!custom 5', 5],
  ['$x', '$x'],
]

for (const [text, value] of SCALARS) {
  test(`a scalar ${text} means what it means to the Collector`, () => assert.deepEqual(meaningOf(text), value))
}

const DOCUMENTS: readonly [rule: string, text: string, value: YamlValue][] = [
  ['a key without a value is null', 'a:\nb: 1', { a: null, b: 1 }],
  ['an alias is its anchor', 'a: &x [1, 2]\nb: *x', { a: [1, 2], b: [1, 2] }],
  ['an anchor may be given again', 'a: &x 1\nb: &x 2\nc: *x', { a: 1, b: 2, c: 2 }],
  [
    'a merge key adds what is not written',
    'a: &x {p: 1, q: 2}\nb: {q: 3, <<: *x}',
    { a: { p: 1, q: 2 }, b: { q: 3, p: 1 } },
  ],
  ['of several merged maps the first wins', 'b: {<<: [{p: 1}, {p: 2, q: 3}]}', { b: { p: 1, q: 3 } }],
  ['a quoted << is a key', '{"<<": 1}', { '<<': 1 }],
  [':: in a key nests', 'a::b: 1\na::c::d: 2', { a: { b: 1, c: { d: 2 } } }],
  [':: joins a map that is there', 'a: {b: 1}\na::c: 2', { a: { b: 1, c: 2 } }],
  [':: joins a map that comes later', 'a::c: 2\na: {b: 1}', { a: { c: 2, b: 1 } }],
  ['keys are words, whatever they look like', '1: a\ntrue: b\n~: c', { '1': 'a', true: 'b', '~': 'c' }],
  ['only the first document counts', 'a: 1\n---\nb: 2', { a: 1 }],
  ['a block of text keeps its lines', 'a: |\n  x\n  y\n', { a: 'x\ny\n' }],
  ['lines may end with CR LF', 'a: 1\r\nb: x\r\n', { a: 1, b: 'x' }],
]

for (const [rule, text, value] of DOCUMENTS) {
  test(`YAML: ${rule}`, () => assert.deepEqual(meaningOf(text), value))
}

test('an empty text, comments alone and a lone document mark hold nothing', () => {
  for (const text of ['', '# only words\n', '---\n']) {
    const { node, problems } = parse(text)
    assert.deepEqual(problems, [])
    assert.ok(node === undefined || (node.kind === 'scalar' && node.value === null))
  }
})

const BROKEN: readonly [what: string, text: string, code: string, line: number, column: number][] = [
  ['a key twice', 'a: 1\nb: 2\na: 3', 'CONFIG_DUPLICATE', 3, 1],
  ['a merge key twice', 'x: {<<: {a: 1}, <<: {b: 2}}', 'CONFIG_DUPLICATE', 1, 17],
  ['an alias without its anchor', 'a: *x', 'CONFIG_SYNTAX', 1, 4],
  ['an alias inside its own anchor', 'a: &x [*x]', 'CONFIG_SYNTAX', 1, 8],
  ['a merge of what is no map', 'a: {<<: 5}', 'CONFIG_SYNTAX', 1, 5],
  ['a map as a key', '{{a: 1}: 2}', 'CONFIG_SYNTAX', 1, 2],
  ['a list that does not end', 'a: [1, 2', 'CONFIG_SYNTAX', 1, 9],
  ['a tab as indentation', 'a:\n\tb: 1', 'CONFIG_SYNTAX', 2, 1],
  ['a tag that the text does not fit', 'a: !!int x', 'CONFIG_WRONG_TYPE', 1, 10],
]

for (const [what, text, code, line, column] of BROKEN) {
  test(`YAML refuses ${what}`, () => {
    const { node, problems } = parse(text)
    assert.equal(node, undefined)
    assert.equal(problems.length, 1)
    const [problem] = problems
    assert.equal(problem!.code, code)
    assert.deepEqual(problem!.place!.source.position(problem!.place!.start), { line, column })
  })
}

test('every place is where the value was written, also behind aliases and merges', () => {
  const source = new Source('test.yaml', 'a: &x\n  p: hello\nb:\n  <<: *x\n  q: [1, two]\n')
  const { node } = parseYaml(source)
  assert.ok(node?.kind === 'map')
  const b = node.entries.get('b')!.value
  assert.ok(b.kind === 'map')
  const p = b.entries.get('p')!
  assert.deepEqual(source.position(p.key.start), { line: 2, column: 3 })
  assert.equal(source.text.slice(p.value.place.start, p.value.place.end), 'hello')
  const q = b.entries.get('q')!.value
  assert.ok(q.kind === 'list')
  const two = q.items[1]!.place
  assert.equal(source.text.slice(two.start, two.end), 'two')
  assert.deepEqual(source.position(two.start), { line: 5, column: 10 })
})

test('a bomb of aliases is refused by its size, before it is unfolded', () => {
  const lines = ['a0: &a0 [x, x, x, x, x, x, x, x, x, x]']
  for (let i = 1; i < 12; i++)
    lines.push(
      `a${i}: &a${i} [${Array(10)
        .fill(`*a${i - 1}`)
        .join(', ')}]`,
    )
  const { node, problems } = parse(lines.join('\n'))
  assert.equal(node, undefined)
  assert.equal(problems[0]?.code, 'CONFIG_TOO_LARGE')
})

test('nesting has a bound, and a text of nothing but brackets is refused', () => {
  const nested = (depth: number): string => '['.repeat(depth) + ']'.repeat(depth)
  assert.deepEqual(parse(nested(MAX_DEPTH)).problems, [])
  assert.equal(parse(nested(MAX_DEPTH + 2)).problems[0]?.code, 'CONFIG_TOO_LARGE')
  assert.equal(parse(nested(100_000)).problems[0]?.code, 'CONFIG_TOO_LARGE')
})

test('a text of more than 4 MiB is refused unread', () => {
  assert.equal(parse('a'.repeat(2 ** 22 + 1)).problems[0]?.code, 'CONFIG_TOO_LARGE')
})
