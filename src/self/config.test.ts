import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ConfigError } from '../config/problem.ts'
import { parseConfig } from '../config/testing.ts'
import { telemetryConfig, telemetryWarnings } from './config.ts'
import { resourceAttributes } from './resource.ts'

const problems = (plain: object): string[] => {
  try {
    parseConfig(telemetryConfig, plain)
  } catch (error) {
    if (error instanceof ConfigError) return error.problems.map(({ path, what }) => `${path}: ${what}`)
    throw error
  }
  return []
}

test('an empty section gives the defaults of the Collector', () => {
  const { logs, metrics, resource } = parseConfig(telemetryConfig)
  const { level, encoding, sampling, outputPaths, errorOutputPaths, disableZapResource, disableCaller } = logs
  assert.deepEqual(
    { level, encoding, sampling, outputPaths, errorOutputPaths, disableZapResource, disableCaller },
    {
      level: 'info',
      encoding: 'console',
      sampling: { tickMs: 10_000, initial: 10, thereafter: 100 },
      outputPaths: ['stderr'],
      errorOutputPaths: ['stderr'],
      disableZapResource: false,
      disableCaller: false,
    },
  )
  assert.equal(metrics.level, 'normal')
  assert.equal(metrics.readers, undefined)
  assert.deepEqual(resource, { inline: false, attributes: new Map() })
})

test('the section that the Collector ships with its image is understood', () => {
  const prometheus = {
    host: '127.0.0.1',
    port: 8888,
    with_resource_constant_labels: { included: [] },
    without_scope_info: true,
    without_type_suffix: true,
    without_units: true,
  }
  assert.deepEqual(problems({ metrics: { readers: [{ pull: { exporter: { prometheus } } }] } }), [])
})

test('the older address is taken, with one warning that says what to write', () => {
  const config = parseConfig(telemetryConfig, { metrics: { address: '0.0.0.0:8888' } })
  assert.deepEqual(telemetryWarnings(config), [
    {
      path: 'metrics.address',
      what: 'the Collector has removed address',
      fix: 'write readers: [{pull: {exporter: {prometheus: {host: "0.0.0.0", port: 8888}}}}]',
    },
  ])
  assert.deepEqual(problems({ metrics: { address: 'here' } }), ['metrics.address: "here" is not host:port'])
})

test('what is read and has no effect is said once each', () => {
  const processors = [{ batch: { exporter: { otlp: { endpoint: 'x' } } } }]
  const config = parseConfig(telemetryConfig, {
    logs: { processors, development: true, disable_stacktrace: true },
    traces: { processors, level: 'basic', propagators: ['b3'] },
    metrics: { level: 'detailed', views: [{ selector: {} }] },
  })
  assert.deepEqual(
    telemetryWarnings(config).map((warning) => warning.path),
    ['metrics.views', 'logs.processors', 'traces.processors'],
  )
  assert.deepEqual(telemetryWarnings(parseConfig(telemetryConfig, { traces: { processors: [] } })), [])
  const resource = { 'deployment.environment': 'plant-3' }
  assert.deepEqual(telemetryWarnings(parseConfig(telemetryConfig, { resource })), [
    {
      path: 'resource',
      what: 'a map of attributes is the older form of resource',
      fix: 'write attributes: [{name: deployment.environment, value: "plant-3"}, ...]',
    },
  ])
})

test('a reader is one thing that exists, and every mistake is found', () => {
  const otlp = (more: object): object => ({ readers: [{ periodic: { exporter: { otlp: more } } }] })
  assert.deepEqual(problems({ metrics: { readers: [] } }), ['metrics.readers: there is no reader'])
  assert.deepEqual(problems({ metrics: { readers: [{}] } }), [
    'metrics.readers[0]: a reader is either pull or periodic',
  ])
  assert.deepEqual(problems({ metrics: { readers: [{ pull: {} }] } }), [
    'metrics.readers[0].pull: there is no exporter',
  ])
  assert.deepEqual(problems({ metrics: { readers: [{ periodic: {} }] } }), [
    'metrics.readers[0].periodic: a report goes to exactly one exporter',
  ])
  assert.deepEqual(problems({ metrics: otlp({ endpoint: 'localhost:4318' }) }), [
    'metrics.readers[0].periodic.exporter.otlp.endpoint: "localhost:4318" is not a URL',
  ])
  assert.deepEqual(problems({ metrics: otlp({ protocol: 'grpc', endpoint: 'localhost' }) }), [
    'metrics.readers[0].periodic.exporter.otlp.endpoint: the port is missing, as in localhost:4317',
  ])
  assert.deepEqual(problems({ metrics: otlp({ protocol: 'grpc', endpoint: 'localhost:4317' }) }), [])
  assert.match(problems({ metrics: otlp({ temporality_preference: 'delta' }) })[0]!, /temporality_preference: "delta"/)
  assert.deepEqual(problems({ metrics: { views: [{}] } }), ['metrics.views: views take effect at level detailed alone'])
  assert.deepEqual(problems({ metrics: { level: 'none', readers: [] } }), [])
})

test('the resource is understood in both of its forms, and null takes a default away', () => {
  const build = { command: 'millrace', description: '', version: '0.1.0' }
  const attributes = (resource: object): object =>
    resourceAttributes(parseConfig(telemetryConfig, { resource }).resource, build, 'i-1')
  assert.deepEqual(attributes({}), {
    'service.instance.id': 'i-1',
    'service.name': 'millrace',
    'service.version': '0.1.0',
  })
  const expected = { plant: 'mill', 'service.name': 'router', 'service.version': '0.1.0', line: '3' }
  assert.deepEqual(
    attributes({ plant: 'mill', 'service.name': 'router', 'service.instance.id': null, line: 3 }),
    expected,
  )
  const list = [
    { name: 'plant', value: 'mill' },
    { name: 'service.name', value: 'router' },
    { name: 'service.instance.id', value: null },
    { name: 'line', value: 3, type: 'int' },
  ]
  assert.deepEqual(attributes({ attributes: list, schema_url: 'https://example.org/1' }), expected)
})

test('a resource in both forms at once, or with detectors, is a problem', () => {
  assert.deepEqual(problems({ resource: { attributes: [], plant: 'mill' } }), [
    'resource.plant: attributes stand in two forms here',
  ])
  assert.deepEqual(problems({ resource: { 'detection/development': { detectors: [] } } }), [
    'resource.detection/development: Millrace does not detect resource attributes',
  ])
  assert.deepEqual(problems({ resource: { plant: ['a'] } }), ['resource.plant: the value is not text or a number'])
})

test('headers that own telemetry would be sent with are not printed', () => {
  const otlp = { endpoint: 'http://x:1', headers: { authorization: 'hunter2' } }
  const processors = [{ batch: { exporter: { otlp } } }]
  const readers = [{ periodic: { exporter: { otlp } } }]
  const config = parseConfig(telemetryConfig, { logs: { processors }, traces: { processors }, metrics: { readers } })
  assert.doesNotMatch(JSON.stringify(telemetryConfig.print(config, false)), /hunter2/)
  assert.equal(JSON.stringify(telemetryConfig.print(config, true)).match(/hunter2/g)?.length, 3)
})
