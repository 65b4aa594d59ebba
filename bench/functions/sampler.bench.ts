// What the probabilistic sampler costs on spans and log records of ten attributes: all stay and are written to, or few stay.

import { parseConfig } from '../../src/config/testing.ts'
import { Delivery } from '../../src/delivery/delivery.ts'
import type { ProcessorContext } from '../../src/graph/component.ts'
import { Batch } from '../../src/otlp/batch.ts'
import { factory } from '../../src/processors/probabilistic_sampler/factory.ts'
import { MeterRegistry } from '../../src/self/meter-registry.ts'
import { RequestGenerator } from '../../src/send/generate.ts'
import { bench } from './harness.ts'

const requestOf = (signal: 'traces' | 'logs') =>
  new RequestGenerator({ signal, itemsPerRequest: 1000, attributes: 10, service: 'bench', seed: 1 }).next(
    1_767_225_600_000,
  )
const REQUESTS = { traces: requestOf('traces'), logs: requestOf('logs') }

const contextOf = (signal: 'traces' | 'logs') =>
  ({
    id: 'bench',
    signal,
    pipeline: signal,
    meter: new MeterRegistry('normal').component('processor', 'bench'),
  }) as unknown as ProcessorContext

const keeping = (mode: string, percentage: number, signal: 'traces' | 'logs' = 'traces') =>
  bench({
    name: `sampler/${signal === 'logs' ? 'logs ' : ''}${mode} ${percentage} %`,
    items: 1000,
    bytes: REQUESTS[signal].length,
    setup: () =>
      factory.create(parseConfig(factory.config, { mode, sampling_percentage: percentage }), contextOf(signal)),
    run: (processor) => {
      let bytes = 0
      const out = { send: (batch: Batch) => (bytes += batch.byteLength) }
      processor.process(new Batch(signal, [REQUESTS[signal]], 1000, Delivery.none()), out as never)
      return bytes
    },
  })

export default [
  keeping('equalizing', 100),
  keeping('hash_seed', 100),
  keeping('hash_seed', 50),
  keeping('hash_seed', 10),
  keeping('proportional', 10),
  keeping('hash_seed', 1),
  keeping('hash_seed', 100, 'logs'),
  keeping('hash_seed', 10, 'logs'),
]
