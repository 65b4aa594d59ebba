import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parse } from 'yaml'
import { readCommandLine } from './args.ts'
import { type CommandContext, components, featuregate, printConfigCommand, validate } from './config-commands.ts'

const context: CommandContext = {
  build: { command: 'millrace', description: 'Millrace', version: '1.2.3' },
  surroundings: { env: { TOKEN: 's3cr3t' } },
}

const GOOD = `yaml:{
  receivers: {nop: },
  exporters: {otlp_grpc: {endpoint: "backend:4317", headers: {Authorization: "Bearer \${env:TOKEN}"}}},
  service: {pipelines: {traces: {receivers: [nop], exporters: [otlp_grpc]}}}}`

const run = (command: typeof validate, name: string, ...flags: string[]) =>
  command(readCommandLine([name, ...flags]), context)

test('validate is silent about a good configuration', async () => {
  assert.deepEqual(await run(validate, 'validate', '--config', GOOD), { stdout: '', stderr: '', exitCode: 0 })
})

test('validate prints every problem on stderr, says how many, and exits with 1', async () => {
  const { stdout, stderr, exitCode } = await run(
    validate,
    'validate',
    '--config',
    GOOD,
    '--set',
    'exporters.nop={a: 1}',
    '--set',
    'processors.batch.timeout=x',
  )
  assert.deepEqual([stdout, exitCode], ['', 1])
  assert.match(stderr, /^--set:1:16: CONFIG_UNKNOWN_KEY exporters\.nop\.a: /)
  assert.match(stderr, /\n--set:1:26: CONFIG_WRONG_TYPE processors\.batch\.timeout: /)
  assert.match(stderr, /\nError: the configuration has 2 problems\n$/)
})

test('validate finds what only the graph can say, at its place', async () => {
  const { stderr, exitCode } = await run(
    validate,
    'validate',
    '--config',
    GOOD,
    '--set',
    'connectors.forward={}',
    '--set',
    'service.pipelines.traces.exporters=[otlp_grpc, forward]',
  )
  assert.equal(exitCode, 1)
  assert.match(stderr, /^--set:1:1: GRAPH_CONNECTOR service\.pipelines\.traces\.exporters: /)
})

test('a pipeline that cannot be read makes nothing up about the others', async () => {
  const { stderr } = await run(
    validate,
    'validate',
    '--config',
    GOOD,
    '--set',
    'connectors.forward={}',
    '--set',
    'service.pipelines.traces.exporters=[otlp_grpc, forward]',
    '--set',
    'service.pipelines.trace/2={receivers: [forward], exporters: [otlp_grpc]}',
  )
  assert.match(stderr, /CONFIG_BAD_ID service\.pipelines\.trace\/2: /)
  assert.match(stderr, /Error: the configuration has 1 problem\n$/)
})

test('validate finds what only create() can say, for every component', async () => {
  const bad = (name: string) =>
    `processors.attributes/${name}={actions: [{key: a, action: delete}], include: {match_type: strict, services: [a]}}`
  const { stderr, exitCode } = await run(
    validate,
    'validate',
    '--config',
    GOOD,
    ...['a', 'b'].flatMap((name) => ['--set', bad(name)]),
    '--set',
    'service.pipelines.logs={receivers: [nop], processors: [attributes/a, attributes/b], exporters: [otlp_grpc]}',
  )
  assert.equal(exitCode, 1)
  assert.match(stderr, /processors\.attributes\/a/)
  assert.match(stderr, /processors\.attributes\/b/)
})

test('a command without a source, with an operand or with an empty gate says so', async () => {
  const cases = [
    [[], 'Error: at least one config flag must be provided\n'],
    [['--config', GOOD, 'x'], 'Error: unknown argument "x"\n'],
    [
      ['--config', GOOD, '--feature-gates', 'a,,b'],
      'Error: invalid argument "a,,b" for "--feature-gates" flag: an empty gate id\n',
    ],
  ] as const
  for (const [flags, stderr] of cases) {
    assert.deepEqual(await run(validate, 'validate', ...flags), { stdout: '', stderr, exitCode: 1 })
  }
})

test('an unknown feature gate is one warning, and the configuration is taken', async () => {
  const { stderr, exitCode } = await run(validate, 'validate', '--config', GOOD, '--feature-gates', 'no.such,-no.other')
  assert.equal(exitCode, 0)
  assert.match(stderr, /^warning: CONFIG_UNKNOWN_GATE: unknown feature gates are ignored: no\.such, no\.other\n/)
})

test('print-config hides the password of a URL', async () => {
  const config =
    'yaml:{receivers: {nop: }, exporters: {otlp_http: {endpoint: "http://u:hunter2@h:1/x"}}, service: {pipelines: {traces: {receivers: [nop], exporters: [otlp_http]}}}}'
  const { stdout } = await run(printConfigCommand, 'print-config', '--config', config)
  assert.match(stdout, /endpoint: http:\/\/u:\[REDACTED\]@h:1\/x\n/)
  const revealed = await run(printConfigCommand, 'print-config', '--config', config, '--mode', 'unredacted')
  assert.match(revealed.stdout, /endpoint: http:\/\/u:hunter2@h:1\/x\n/)
})

test('print-config shows defaults and hides secrets, unless it is asked for them', async () => {
  const redacted = await run(printConfigCommand, 'print-config', '--config', GOOD)
  assert.equal(redacted.exitCode, 0)
  const tree = parse(redacted.stdout) as { exporters: { otlp_grpc: Record<string, unknown> } }
  assert.deepEqual(tree.exporters.otlp_grpc.headers, { Authorization: '[REDACTED]' })
  assert.equal(tree.exporters.otlp_grpc.timeout, '5s')
  const json = await run(
    printConfigCommand,
    'print-config',
    '--config',
    GOOD,
    '--mode',
    'unredacted',
    '--format',
    'json',
  )
  const shown = JSON.parse(json.stdout) as typeof tree
  assert.deepEqual(shown.exporters.otlp_grpc.headers, { Authorization: 'Bearer s3cr3t' })
})

test('what print-config prints is a configuration that means the same', async () => {
  const first = await run(printConfigCommand, 'print-config', '--config', GOOD, '--mode', 'unredacted')
  const second = await run(
    printConfigCommand,
    'print-config',
    '--config',
    `yaml:${first.stdout}`,
    '--mode',
    'unredacted',
  )
  assert.equal(second.stdout, first.stdout)
  assert.equal(second.stderr, '')
})

test('print-config refuses an invalid configuration unless --validate=false', async () => {
  const flags = ['--config', GOOD, '--set', 'exporters.debug.verbosity=loud']
  const refused = await run(printConfigCommand, 'print-config', ...flags)
  assert.deepEqual([refused.stdout, refused.exitCode], ['', 1])
  const shown = await run(printConfigCommand, 'print-config', ...flags, '--validate=false')
  assert.equal(shown.exitCode, 0)
  assert.match(shown.stderr, /CONFIG_UNKNOWN_CHOICE/)
})

test('components lists what this build has, by kind and name, with stability and sources', async () => {
  const { stdout, exitCode } = await components(readCommandLine(['components']), context)
  assert.equal(exitCode, 0)
  const tree = parse(stdout) as Record<string, { name: string; stability: object }[]>
  assert.deepEqual(tree.buildinfo, { command: 'millrace', description: 'Millrace', version: '1.2.3' })
  const exporters = tree.exporters!.map((exporter) => exporter.name)
  assert.deepEqual(exporters, exporters.toSorted())
  assert.ok(exporters.includes('otlp_grpc') && !exporters.includes('otlp'))
  assert.deepEqual(Object.keys(tree), [
    'buildinfo',
    'receivers',
    'processors',
    'exporters',
    'connectors',
    'extensions',
    'providers',
    'converters',
  ])
})

test('featuregate lists the gates, explains one, and knows no other', () => {
  const of = (...args: string[]) => featuregate(readCommandLine(['featuregate', ...args]))
  assert.match(of().stdout, /^ID +Enabled +Stage +Description\n/)
  assert.match(of('service.partialReloadReceivers').stdout, /Enabled: +true\n/)
  assert.deepEqual(of('no.such'), { stdout: '', stderr: 'Error: feature "no.such" not found\n', exitCode: 1 })
  assert.equal(of('a', 'b').exitCode, 1)
})

for (const [path, renewed] of [
  ['configs/full-stack.yaml', ['logging', 'logging.loglevel']],
  ['configs/robustmq-tracing.yaml', ['jaeger', 'logging', 'logging.loglevel']],
] as const)
  test(`${path} is valid, with one warning for each thing that the Collector has removed`, async () => {
    const { stderr, exitCode } = await run(validate, 'validate', '--config', path)
    assert.equal(exitCode, 0, stderr)
    const removed = [...stderr.matchAll(/warning: .*CONFIG_REMOVED exporters\.([\w.]+):/g)].map(([, thing]) => thing)
    assert.deepEqual(removed, renewed)
    assert.match(stderr, /\n {2}fix: write debug instead of logging\n/)
  })
