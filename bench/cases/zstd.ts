import { defineCase } from '../case.ts'
import passthrough from './passthrough.ts'

export default defineCase({
  ...passthrough,
  summary: 'As passthrough, packed with zstd on both sides; each program packs at its own default level.',
  items: [1000],
  compression: 'zstd',
})
