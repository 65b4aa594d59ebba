// The whole way from flags to a decoded configuration; what must fail is in cases/.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { printConfig } from '../../src/config/print.ts'
import { load, type TestFlags } from './load.ts'
import { testTelemetry } from './registry.ts'

const BASE = `
receivers:
  otlp:
    protocols:
      grpc:
      http: {endpoint: "0.0.0.0:4318"}
processors:
  batch:
exporters:
  otlp_grpc:
    endpoint: backend:4317
    headers: {Authorization: "Bearer s3cr3t"}
  debug/all:
    verbosity: detailed
connectors:
  forward:
extensions:
  health_check:
service:
  extensions: [health_check]
  pipelines:
    traces:
      receivers: [otlp]
      processors: [batch]
      exporters: [otlp_grpc, forward]
    traces/2:
      receivers: [forward]
      exporters: [debug/all]
`

async function good(flags: Partial<TestFlags> = {}, files: Record<string, string> = {}) {
  const loaded = await load({ configs: ['base.yaml'], ...flags }, { 'base.yaml': BASE, ...files })
  assert.deepEqual(loaded.problems, [])
  return loaded
}

test('a configuration becomes typed components by id and the pipelines that join them', async () => {
  const { receivers, exporters, connectors, extensions, service, warnings } = await good()
  assert.deepEqual(
    [...receivers.keys(), ...exporters.keys(), ...connectors.keys(), ...extensions.keys()],
    ['otlp', 'otlp_grpc', 'debug/all', 'forward', 'health_check'],
  )
  const otlp = receivers.get('otlp')!
  assert.equal(otlp.type, 'otlp')
  assert.equal(otlp.factory.kind, 'receiver')
  assert.deepEqual(otlp.config, {
    protocols: {
      grpc: { endpoint: 'localhost:4317', maxBody: 0, includeMetadata: false },
      http: { endpoint: '0.0.0.0:4318', maxBody: 0, includeMetadata: false },
    },
  })
  assert.deepEqual(otlp.declaredAt.source.position(otlp.declaredAt.start), { line: 3, column: 3 })
  assert.deepEqual(service.extensions, ['health_check'])
  assert.deepEqual(service.pipelines, [
    {
      name: 'traces',
      signal: 'traces',
      receivers: ['otlp'],
      processors: ['batch'],
      exporters: ['otlp_grpc', 'forward'],
    },
    { name: 'traces/2', signal: 'traces', receivers: ['forward'], processors: [], exporters: ['debug/all'] },
  ])
  assert.deepEqual(warnings, [])
})

test('--set comes after every --config, in its own order; dots are levels and the rest is YAML', async () => {
  const over = 'processors: {batch: {timeout: 1s, send_batch_size: 1}}'
  const { processors } = await good(
    {
      configs: ['base.yaml', 'over.yaml'],
      sets: ['processors.batch.timeout=2s', 'processors.batch.metadata_keys=[a, b]', 'processors.batch.timeout= 3s'],
    },
    { 'over.yaml': over },
  )
  assert.deepEqual(processors.get('batch')!.config, { timeoutMs: 3000, size: 1, maxSize: 0, keys: ['a', 'b'] })
})

test('env: and yaml: sources merge like files, an empty source changes nothing', async () => {
  const { processors } = await good(
    {
      configs: ['base.yaml', 'env:OVER', 'yaml:processors::batch::send_batch_size: 7', 'empty.yaml'],
      env: { OVER: 'processors: {batch: {timeout: 9s}}' },
    },
    { 'empty.yaml': '# nothing\n' },
  )
  assert.deepEqual(processors.get('batch')!.config, { timeoutMs: 9000, size: 7, maxSize: 0, keys: [] })
})

test('a later null takes a section away, and what named it is told', async () => {
  const { problems } = await load({ configs: ['base.yaml'], sets: ['processors='] }, { 'base.yaml': BASE })
  assert.deepEqual(
    problems.map((problem) => [problem.code, problem.path]),
    [['CONFIG_UNDECLARED', 'service.pipelines.traces.processors[0]']],
  )
})

test('references are expanded after merging: what a file gives does not merge with its neighbours', async () => {
  const files = {
    'b.yaml': 'processors: {batch: "${file:part.yaml}"}',
    'c.yaml': 'processors: {batch: {send_batch_size: 5}}',
    'part.yaml': 'timeout: 1s',
  }
  const { processors } = await good({ configs: ['base.yaml', 'b.yaml', 'c.yaml'] }, files)
  assert.deepEqual(processors.get('batch')!.config, { timeoutMs: 200, size: 5, maxSize: 0, keys: [] })
})

test('with its gate a configuration may be empty', async () => {
  const gates = ['service.AllowNoPipelines']
  for (const text of ['', 'receivers: {nop: }', 'service: {pipelines: {}}']) {
    const { problems } = await load({ configs: ['a.yaml'], featureGates: gates }, { 'a.yaml': text })
    assert.deepEqual(problems, [])
  }
})

test('an unused component is checked and kept apart from the pipelines', async () => {
  const { exporters } = await good({ sets: ['exporters.nop='] })
  assert.ok(exporters.has('nop'))
  const { problems } = await load(
    { configs: ['base.yaml'], sets: ['exporters.otlp_http/spare={}'] },
    { 'base.yaml': BASE },
  )
  assert.deepEqual(
    problems.map((problem) => problem.path),
    ['exporters.otlp_http/spare.endpoint'],
  )
})

test('spellings that differ in underscores alone are one type, with one warning; ids stay as written', async () => {
  const { exporters, warnings } = await good({ sets: ['exporters.otlpgrpc/x={endpoint: a}'] })
  assert.equal(exporters.get('otlpgrpc/x')!.type, 'otlp_grpc')
  assert.deepEqual(
    warnings.map((warning) => warning.code),
    ['CONFIG_ALIAS'],
  )
})

test('missing sources are all told, and nothing else is made up because of them', async () => {
  const { problems } = await load(
    { configs: ['one.yaml', 'two.yaml', 'three:x', 'base.yaml'] },
    { 'base.yaml': 'receivers: {nop: }' },
  )
  assert.deepEqual(
    problems.map((problem) => [problem.code, problem.what]),
    [
      ['CONFIG_SOURCE', 'cannot read one.yaml: there is no such file'],
      ['CONFIG_SOURCE', 'cannot read two.yaml: there is no such file'],
      ['CONFIG_SCHEME', 'unsupported scheme on URI: three:'],
    ],
  )
})

test('print-config shows every default and no secret, and reads back to the same configuration', async () => {
  const loaded = await good({ sets: ['exporters.debug/all={verbosity: normal}'] })
  const redacted = printConfig(loaded, testTelemetry, { format: 'yaml', reveal: false })
  assert.equal(redacted.includes('s3cr3t'), false)
  assert.match(redacted, /Authorization: "?\[REDACTED\]"?/)
  assert.match(redacted, /timeout: 200ms/)
  assert.match(redacted, /queue_size: 1000/)
  for (const format of ['yaml', 'json'] as const) {
    const text = printConfig(loaded, testTelemetry, { format, reveal: true })
    const again = await load({ configs: ['printed'] }, { printed: text })
    assert.deepEqual(again.problems, [])
    const configs = (from: typeof loaded) =>
      [...from.receivers, ...from.processors, ...from.exporters].map(([id, { config }]) => [id, config])
    assert.deepEqual(configs(again), configs(loaded))
    assert.deepEqual(again.service, loaded.service)
    assert.equal(text.includes('s3cr3t'), true)
  }
})
