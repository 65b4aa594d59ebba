// What it costs to make Jaeger's batches of spans of ten attributes.

import { Translator } from '../../src/exporters/jaeger/translate.ts'
import { RequestGenerator } from '../../src/send/generate.ts'
import { bench } from './harness.ts'

const REQUEST = new RequestGenerator({
  signal: 'traces',
  itemsPerRequest: 1000,
  attributes: 10,
  service: 'bench',
  seed: 1,
}).next(1_767_225_600_000)

export default [
  bench({
    name: 'jaeger/translate',
    items: 1000,
    bytes: REQUEST.length,
    setup: () => new Translator(),
    run: (translator) => translator.translate([REQUEST]).reduce((sum, batch) => sum + batch.length, 0),
  }),
]
