import assert from 'node:assert/strict'
import { test } from 'node:test'
import { COMMANDS, helpText, readCommandLine, UsageError } from './args.ts'

const read = (text: string) => readCommandLine(text === '' ? [] : text.split(' '))

test('without a command the router runs; sources, values and gates are kept in their order', () => {
  const line = read('--config a.yaml --set a.b=c --config=b.yaml --set=d=e=f --feature-gates x,-y --feature-gates -z')
  assert.equal(line.command, 'run')
  assert.deepEqual(line.configs, ['a.yaml', 'b.yaml'])
  assert.deepEqual(line.sets, ['a.b=c', 'd=e=f'])
  assert.deepEqual(line.featureGates, ['x,-y', '-z'])
})

test('commas inside a value of --config separate nothing', () => {
  assert.deepEqual(read('--config a.yaml,b.yaml').configs, ['a.yaml,b.yaml'])
})

test('flags may stand before and after the command', () => {
  for (const text of ['validate --config a', '--config a validate']) {
    assert.deepEqual([read(text).command, read(text).configs], ['validate', ['a']])
  }
})

test('--watch belongs to the run alone', () => {
  assert.deepEqual([read('--config a').watch, read('--config a --watch').watch], [false, true])
  assert.throws(() => read('validate --config a --watch'), /unknown flag: --watch/)
})

test('print-config has its own flags and an older name', () => {
  const line = read('print-initial-config --config a --mode unredacted --format json --validate=false')
  assert.deepEqual([line.command, line.mode, line.format, line.validate], ['print-config', 'unredacted', 'json', false])
  const usual = read('print-config --validate')
  assert.deepEqual([usual.mode, usual.format, usual.validate], ['redacted', 'yaml', true])
})

test('-h, --help, help, -v and --version are understood', () => {
  assert.equal(read('-h').help, true)
  assert.equal(read('validate --help').help, true)
  assert.equal(read('help').command, 'help')
  assert.equal(read('-v').version, true)
  assert.equal(read('--version').version, true)
})

test('send reads everything after its name itself', () => {
  assert.deepEqual(read('send --rate 5 --unknown').operands, ['--rate', '5', '--unknown'])
})

const WRONG: readonly [text: string, message: string][] = [
  ['--confg a', 'unknown flag: --confg'],
  ['-config a', "unknown shorthand flag: 'c' in -config"],
  ['-x', "unknown shorthand flag: 'x' in -x"],
  ['--config', 'flag needs an argument: --config'],
  ['--set a', 'invalid argument "a" for "--set" flag: missing equal sign'],
  ['frobnicate', 'unknown command "frobnicate" for "millrace"'],
  ['validate --mode redacted', 'unknown flag: --mode'],
  ['validate --version', 'unknown flag: --version'],
  ['print-config --mode loud', 'invalid argument "loud" for "--mode" flag: it is redacted or unredacted'],
  ['print-config --validate=maybe', 'invalid argument "maybe" for "--validate" flag: it is true or false'],
]

for (const [text, message] of WRONG) {
  test(`the command line is refused: ${text}`, () => {
    assert.throws(
      () => read(text),
      (error) => error instanceof UsageError && error.message === message,
    )
  })
}

test('the help text names every command', () => {
  for (const name of Object.keys(COMMANDS)) assert.match(helpText('Millrace.'), new RegExp(`^ {2}${name} `, 'm'))
})
