// The keys of the batch processor (reference/otelcol-core.md 3.4).

import { duration, type Infer, int, object, strings } from '../../config/schema.ts'

const UINT32_MAX = 2 ** 32 - 1

export const config = object(
  {
    timeoutMs: duration('timeout', {
      default: '200ms',
      min: '0s',
      doc: 'How long telemetry waits for company at most. 0 sends everything at once, split by send_batch_max_size only.',
    }),
    sendBatchSize: int('send_batch_size', {
      default: 8192,
      min: 0,
      max: UINT32_MAX,
      doc: 'Number of spans, metric data points or log records after which a batch leaves without waiting. 0 does not wait at all.',
    }),
    sendBatchMaxSize: int('send_batch_max_size', {
      default: 0,
      min: 0,
      max: UINT32_MAX,
      doc: 'Most items in one batch; larger ones are split. At least send_batch_size, or 0 for no such bound.',
    }),
    metadataKeys: strings('metadata_keys', {
      default: [],
      doc: "Batches are kept apart by the values of these of the client's headers, and carry them on. Needs include_metadata at the receiver.",
    }),
    metadataCardinalityLimit: int('metadata_cardinality_limit', {
      default: 1000,
      min: 0,
      max: UINT32_MAX,
      doc: 'Most combinations of such values while the router runs; telemetry with a further one is refused for good. 0 sets no bound. Holds in each shard by itself.',
    }),
  },
  {
    check(value, problem) {
      if (value.sendBatchMaxSize > 0 && value.sendBatchMaxSize < value.sendBatchSize)
        problem(
          'send_batch_max_size',
          `must be 0 or at least send_batch_size, which is ${value.sendBatchSize}`,
          `write send_batch_max_size: ${value.sendBatchSize}`,
        )
      const seen = new Set<string>()
      for (const [i, key] of value.metadataKeys.entries()) {
        const lower = key.toLowerCase()
        if (seen.has(lower))
          problem(
            `metadata_keys[${i}]`,
            `names ${JSON.stringify(lower)} twice; case does not matter`,
            'write each key once',
          )
        seen.add(lower)
      }
    },
  },
)

export type BatchConfig = Infer<typeof config>
