import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ConfigError } from '../../config/problem.ts'
import { parseConfig } from '../../config/testing.ts'
import { config, findUrlPath } from './config.ts'

const problems = (protocols: object): string[] => {
  try {
    parseConfig(config, { protocols })
    return []
  } catch (error) {
    assert.ok(error instanceof ConfigError)
    return error.problems.map((problem) => `${problem.path}: ${problem.what}`)
  }
}

test('a protocol listens when it is named, with or without keys, and not otherwise', () => {
  const { protocols } = parseConfig(config, { protocols: { grpc: null } })
  assert.equal(protocols.grpc?.endpoint, 'localhost:4317')
  assert.equal(protocols.http, undefined)
  assert.equal(parseConfig(config, { protocols: { http: {} } }).protocols.http?.endpoint, 'localhost:4318')
  assert.deepEqual(problems({}), ['protocols: no protocol is named'])
  assert.deepEqual(problems({ grpc: { enabled: false } }), ['protocols: no protocol is named'])
})

test('defaults are those of the Collector', () => {
  const { grpc, http } = parseConfig(config, { protocols: { grpc: null, http: null } }).protocols
  assert.equal(grpc?.maxRecvMsgSizeMib, 0)
  assert.equal(grpc?.transport, 'tcp')
  assert.equal(http?.maxRequestBodyBytes, 20 * 1024 * 1024)
  assert.deepEqual(
    [http?.tracesUrlPath, http?.metricsUrlPath, http?.logsUrlPath],
    ['/v1/traces', '/v1/metrics', '/v1/logs'],
  )
  assert.deepEqual([http?.readHeaderTimeoutMs, http?.writeTimeoutMs, http?.idleTimeoutMs], [0, 0, 0])
  assert.equal(http?.keepAlivesEnabled, true)
})

test('endpoints are host:port, or the path of a socket', () => {
  for (const endpoint of ['localhost:4317', '0.0.0.0:0', ':4317', '[::1]:4317', 'router.plant.test:4317'])
    assert.deepEqual(problems({ grpc: { endpoint } }), [], endpoint)
  for (const endpoint of ['localhost', '4317', 'localhost:65536', '::1:4317', ''])
    assert.equal(problems({ grpc: { endpoint } }).length, 1, endpoint)
  assert.deepEqual(problems({ grpc: { endpoint: '/run/millrace.sock', transport: 'unix' } }), [])
})

test('keys that the Collector reads and that have no effect here are accepted', () => {
  const grpc = { read_buffer_size: 524288, write_buffer_size: 0, dialer: { timeout: '1s' } }
  assert.deepEqual(problems({ grpc, http: { dialer: { timeout: 0 } } }), [])
})

test('a path gets its leading slash, and is compared as requests show it', () => {
  assert.equal(findUrlPath('v1/traces'), '/v1/traces')
  assert.equal(findUrlPath('/a b'), '/a%20b')
})
