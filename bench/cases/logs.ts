import { defineCase } from '../case.ts'
import passthrough from './passthrough.ts'

export default defineCase({
  ...passthrough,
  summary: 'As passthrough, with logs: CPU-seconds are for a million records.',
  items: [1000],
  signal: 'logs',
})
