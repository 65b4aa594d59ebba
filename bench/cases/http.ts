import { defineCase } from '../case.ts'
import passthrough from './passthrough.ts'

export default defineCase({
  ...passthrough,
  summary: 'As passthrough, OTLP/HTTP with protobuf in and out.',
  items: [1000],
  protocol: 'http',
})
