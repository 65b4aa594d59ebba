import { defineCase } from '../case.ts'
import passthrough from './passthrough.ts'

export default defineCase({
  ...passthrough,
  summary: 'As passthrough, OTLP/JSON over HTTP in, gRPC out.',
  items: [1000],
  input: 'http',
  output: 'grpc',
  format: 'json',
})
