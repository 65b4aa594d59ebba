import assert from 'node:assert/strict'
import { test } from 'node:test'
import { caseNames, loadCase } from './cases/index.ts'
import { type HarnessOptions, parseCommandLine, settingsOf, UsageError } from './options.ts'

const parse = (line: string) => parseCommandLine(line === '' ? [] : line.split(' '), ['passthrough', 'plant', 'gzip'])
const refusal = (line: string): string => {
  try {
    parse(line)
  } catch (error) {
    assert.ok(error instanceof UsageError, String(error))
    return error.message
  }
  throw new Error(`${line} was understood`)
}

test('every flag of a comparison is understood', () => {
  assert.deepEqual(
    parse(
      '--case passthrough,plant --sut millrace,old=/opt/old --items 1000,10 --rate 20_000 --duration 1m30s --warm-up 500ms ' +
        '--compression zstd --protocol http --repeats 5 --connections 8 --in-flight 32 --attributes 4 --out name',
    ),
    {
      kind: 'harness',
      cases: ['passthrough', 'plant'],
      suts: ['millrace', 'old=/opt/old'],
      items: [1000, 10],
      attributes: 4,
      rate: 20_000,
      durationMs: 90_000,
      warmUpMs: 500,
      compression: 'zstd',
      protocol: 'http',
      repeats: 5,
      connections: 8,
      inFlight: 32,
      profile: false,
      printConfig: false,
      add: false,
      out: 'name',
      save: true,
    },
  )
})

test('without flags of the harness the words are a regular expression over function cases', () => {
  assert.deepEqual(parse('^check/ --quick --no-save --rounds 3'), {
    kind: 'functions',
    pattern: '^check/',
    quick: true,
    save: false,
    rounds: 3,
  })
  assert.deepEqual(parse(''), { kind: 'functions', pattern: '', quick: false, save: true })
  assert.deepEqual(parse('--list plant'), { kind: 'list', pattern: 'plant' })
  assert.deepEqual(parse('--case plant --help'), { kind: 'help' })
})

test('all means every case, and one program alone may be named', () => {
  const command = parse('--case all --sut millrace --rate max') as { kind: 'harness' } & HarnessOptions
  assert.deepEqual(command.cases, ['passthrough', 'plant', 'gzip'])
  assert.deepEqual(command.suts, ['millrace'])
  assert.equal(command.rate, Number.POSITIVE_INFINITY)
})

test('a word that is not known is answered with the nearest one, or with all there are', () => {
  assert.equal(refusal('--case pastrough'), 'there is no case pastrough: did you mean passthrough?')
  assert.equal(refusal('--case xyzzy'), 'there is no case xyzzy: write one of passthrough, plant, gzip')
  assert.equal(refusal('--cas plant'), 'there is no flag --cas: did you mean --case?')
  assert.equal(refusal('--compression gzp'), 'there is no --compression gzp: did you mean gzip?')
  assert.match(
    refusal('--sut otelcoll'),
    /^there is no --sut otelcoll: did you mean otelcol\? .*write otelcoll=COMMAND/,
  )
  assert.equal(refusal('--protocol tcp'), 'there is no --protocol tcp: write one of grpc, http')
})

test('a value that is no number or no duration is answered with one that is', () => {
  assert.equal(
    refusal('--case plant --items ten'),
    '--items ten: write a whole number above 0, for example --items 1000',
  )
  assert.equal(refusal('--case plant --rate 0'), '--rate 0: write a whole number above 0, for example --rate 1000')
  assert.equal(refusal('--case plant --duration 20'), '--duration 20: write a duration, for example --duration 20s')
  assert.equal(refusal('--case plant --attributes 3'), '--attributes 3: the number of a request needs 4')
  assert.match(refusal('--case'), /argument missing/)
})

test('words of one kind of case are refused for the other', () => {
  assert.equal(refusal('--sut millrace plant'), 'plant is no flag. For a case of routers write --case plant')
  assert.equal(refusal('--case plant --quick'), '--quick is for functions; routers have --repeats and --duration')
  assert.equal(refusal('a b'), 'one regular expression at most, not a b')
})

test('programs have names of their own', () => {
  assert.match(refusal('--sut millrace,millrace'), /millrace stands there twice; write another NAME=COMMAND/)
  assert.match(refusal('--sut =node'), /^--sut =node: write NAME=COMMAND, for example/)
  assert.match(refusal('--sut old='), /^--sut old=: write NAME=COMMAND, for example/)
})

test('what the parser of flags says is cut to its first sentence', () => {
  assert.equal(refusal('--out'), "Option '--out <value>' argument missing; --help tells the flags")
  assert.match(refusal('^check/('), /^Invalid regular expression: .*; write a regular expression over names/)
})

test('connections are as many as were asked for, over HTTP too', async () => {
  const passthrough = await loadCase('passthrough')
  const setting = (line: string) => {
    const options = parseCommandLine(`--case passthrough ${line}`.split(' '), caseNames()) as unknown as HarnessOptions
    return settingsOf('passthrough', passthrough, options)[0]!
  }
  assert.equal(setting('--protocol http --connections 4').inFlight, 4)
  assert.equal(setting('--protocol http --connections 4 --in-flight 8').inFlight, 8)
  assert.equal(setting('--connections 4').inFlight, 16)
})

test('flags win over what a case says, and a case over the defaults', async () => {
  const options = (line: string) => parseCommandLine(line.split(' '), caseNames()) as unknown as HarnessOptions
  const plant = await loadCase('plant')
  const [row, ...others] = settingsOf('plant', plant, options('--case plant --items 100'))
  assert.equal(others.length, 0)
  assert.equal(row!.rate, 150_000)
  assert.equal(row!.input, 'grpc')
  const [max] = settingsOf('plant', plant, options('--case plant --rate max --protocol http'))
  assert.equal(max!.rate, undefined)
  assert.equal(max!.output, 'http')
  const json = settingsOf('json', await loadCase('json'), options('--case json --protocol grpc'))[0]!
  assert.deepEqual([json.input, json.output, json.format], ['http', 'grpc', 'json'])
})
