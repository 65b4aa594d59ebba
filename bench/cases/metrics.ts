import { defineCase } from '../case.ts'
import passthrough from './passthrough.ts'

export default defineCase({
  ...passthrough,
  summary: 'As passthrough, with metrics: CPU-seconds are for a million points.',
  items: [1000],
  signal: 'metrics',
})
