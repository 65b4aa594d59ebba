import assert from 'node:assert/strict'
import { test } from 'node:test'
import { wire } from '../case.ts'
import attributes from '../cases/attributes.ts'
import passthrough from '../cases/passthrough.ts'
import plant from '../cases/plant.ts'
import { flagsOf } from './rotel.ts'

const OPTIONS = { signal: 'traces', variant: '', input: 'grpc', output: 'grpc', compression: 'none' } as const
const PORTS = { input: 4317, metrics: 8888, output: [5317] }
const flags = (definition: typeof passthrough, options = {}): string =>
  flagsOf(definition.file(wire({ ...OPTIONS, ...options }, PORTS))).join(' ')

test('Rotel listens and sends where the file says, and batches where it does', () => {
  assert.match(
    flags(passthrough),
    /--otlp-grpc-endpoint 127.0.0.1:4317 .*--otlp-exporter-endpoint http:\/\/127.0.0.1:5317 /,
  )
  assert.match(flags(passthrough), /--otlp-exporter-compression none .*--disable-batching$/)
  assert.doesNotMatch(flags(plant), /--disable-batching/)
  const http = flags(passthrough, { input: 'http', output: 'http', compression: 'gzip' })
  assert.match(http, /--otlp-http-endpoint 127.0.0.1:4317 .*--otlp-exporter-protocol http .*5317 .*-compression gzip/)
})

test('Rotel refuses a file that it could not follow', () => {
  assert.throws(() => flags(attributes), /rotel does not run this: attributes/)
  assert.throws(() => flags(passthrough, { compression: 'zstd' }), /rotel does not run this: otlp_grpc, zstd/)
})
