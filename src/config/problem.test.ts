import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Source } from './node.ts'
import { formatProblem, type Problem, sortProblems } from './problem.ts'

const problem = (source: Source, found: string, from = 0): Problem => {
  const start = source.text.indexOf(found, from)
  return {
    code: 'CONFIG_INVALID',
    path: 'a.b',
    what: 'it is wrong',
    fix: 'write it right',
    place: { source, start, end: start + found.length },
  }
}

test('a problem is file, line, column, code, path and words, the line with a caret, and what to write', () => {
  const source = new Source('plant.yaml', 'a:\n  b: wrong # words\n')
  assert.equal(
    formatProblem(problem(source, 'wrong')),
    [
      'plant.yaml:2:6: CONFIG_INVALID a.b: it is wrong',
      '  2 |   b: wrong # words',
      '    |      ^^^^^',
      '  fix: write it right',
    ].join('\n'),
  )
})

test('a problem without a place is its words alone', () => {
  assert.equal(
    formatProblem({ code: 'CONFIG_EMPTY', path: '', what: 'nothing is there' }),
    'CONFIG_EMPTY: nothing is there',
  )
})

test('a value of several lines is underlined to the end of its first, tabs stay, CR is not shown', () => {
  const source = new Source('plant.yaml', 'a:\t"x\r\n  y"\r\n')
  const lines = formatProblem(problem(source, '"x\r\n  y"')).split('\n')
  assert.deepEqual(lines.slice(1, 3), ['  1 | a:\t"x', '    |   \t^^'])
})

test('a long line is cut around the caret', () => {
  const source = new Source('plant.yaml', `a: [${'x, '.repeat(300)}wrong, ${'y, '.repeat(300)}]`)
  const [, line, caret] = formatProblem(problem(source, 'wrong')).split('\n')
  assert.ok(line!.length < 200)
  assert.equal(line!.slice(caret!.indexOf('^'), caret!.lastIndexOf('^') + 1), 'wrong')
})

test('the password in a URL is masked in the line and in the words, and a reference in its place is not', () => {
  const source = new Source(
    'plant.yaml',
    'a: {endpoint: "https://u:hunter2@h:4318/x", b: wrong, c: "redis://:hunter2@r/${env:N}"}',
  )
  const about = { ...problem(source, 'wrong'), what: 'http://u:hunter2@h is no host', fix: 'write https://u:hunter2@h' }
  assert.equal(
    formatProblem(about),
    [
      'plant.yaml:1:48: CONFIG_INVALID a.b: http://u:[REDACTED]@h is no host',
      '  1 | a: {endpoint: "https://u:[REDACTED]@h:4318/x", b: wrong, c: "redis://:[REDACTED]@r/${env:N}"}',
      '    |                                                   ^^^^^',
      '  fix: write https://u:[REDACTED]@h',
    ].join('\n'),
  )
  const reference = new Source('plant.yaml', 'a: "http://u:${env:PASSWORD}@h:4318", b: wrong')
  assert.match(formatProblem(problem(reference, 'wrong')), /u:\$\{env:PASSWORD\}@h/)
})

test('secrets are masked wherever they stand in the line, and the caret moves along', () => {
  const text = 'headers: {a: s3cr3t, b: other-s3cr3t, c: wrong}'
  const source = new Source('plant.yaml', text)
  for (const secret of ['s3cr3t', 'other-s3cr3t']) {
    const start = text.indexOf(secret)
    source.hide(start, start + secret.length)
  }
  const lines = formatProblem(problem(source, 'wrong')).split('\n')
  assert.equal(lines[1], '  1 | headers: {a: [REDACTED], b: [REDACTED], c: wrong}')
  assert.equal(lines[1]!.slice(lines[2]!.indexOf('^'), lines[2]!.lastIndexOf('^') + 1), 'wrong')
})

test('a secret of several lines is masked in each of them', () => {
  const text = 'key_pem: |\n  one\n  two wrong\nb: 1\n'
  const source = new Source('plant.yaml', text)
  source.hide(text.indexOf('|'), text.indexOf('b: 1'))
  assert.match(formatProblem(problem(source, 'wrong')), /3 \| \[REDACTED\]/)
})

for (const line of [
  'password: s3cr3t',
  '  api_key: "s3cr3t"',
  'client_secret=s3cr3t',
  'Authorization: Bearer s3cr3t',
  '{token: s3cr3t}',
  'bearer_token : s3cr3t',
]) {
  test(`what looks like a secret is masked even where no schema was asked: ${line.replace('s3cr3t', '...')}`, () => {
    const source = new Source('plant.yaml', line)
    assert.equal(formatProblem(problem(source, line.trim()[0]!)).includes('s3cr3t'), false)
  })
}

test('a reference to a secret is shown: it is what its author can change', () => {
  const source = new Source('plant.yaml', 'token: ${env:TOKEN}')
  assert.match(formatProblem(problem(source, 'token')), /token: \$\{env:TOKEN\}/)
})

test('problems come in the order of sources and text, one for one mistake', () => {
  const [one, two] = [new Source('one.yaml', 'abc'), new Source('two.yaml', 'abc')]
  const nowhere: Problem = { code: 'CONFIG_EMPTY', path: '', what: 'x' }
  const again = { ...problem(one, 'b'), path: 'alias.b' }
  const sorted = sortProblems([problem(two, 'a'), problem(one, 'c'), problem(one, 'b'), again, nowhere], [one, two])
  assert.deepEqual(
    sorted.map(({ place }) => place && `${place.source.name}:${place.start}`),
    [undefined, 'one.yaml:1', 'one.yaml:2', 'two.yaml:0'],
  )
})
