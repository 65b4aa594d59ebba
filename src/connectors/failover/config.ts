// The keys of failover (reference/otelcol-processors.md 5.7). retry_gap and max_retries are in src/config/removed.ts.

import { anyValue, type Complain, duration, type Infer, list, object, type YamlValue } from '../../config/schema.ts'
import { listType, stringType } from '../../config/types.ts'

export const config = object(
  {
    levels: list('priority_levels', listType(stringType), {
      required: true,
      doc: 'Lists of pipelines. Data go to all pipelines of the first list; when one of them refuses, to the next list.',
    }),
    retryIntervalMs: duration('retry_interval', {
      default: '10m',
      min: '1ms',
      doc: 'How long after leaving the first level, and how often from then on, the levels above are tried again.',
    }),
    queue: anyValue('sending_queue', {
      optional: true,
      doc: 'Read for compatibility: there is no queue in front of the levels, since it would answer before any level has the data. Queues belong to the exporters behind the levels; `storage` is refused.',
    }),
  },
  {
    check({ levels, queue }, problem) {
      checkLevels(levels, problem)
      checkQueue(queue, problem)
    },
  },
)

export type FailoverConfig = Infer<typeof config>

function checkLevels(levels: readonly (readonly string[])[], problem: Complain): void {
  if (levels.length === 0)
    problem('priority_levels', 'names no pipeline', 'write [[PIPELINE], [PIPELINE]], the preferred one first')
  const seen = new Set<string>()
  levels.forEach((level, i) => {
    if (level.length === 0) problem(`priority_levels[${i}]`, 'this level has no pipeline', 'name one, or remove it')
    level.forEach((pipeline, j) => {
      if (seen.has(pipeline))
        problem(`priority_levels[${i}][${j}]`, `${pipeline} stands in the list already`, 'name each pipeline once')
      seen.add(pipeline)
    })
  })
}

/** Whoever asks for a queue on disk is promised something that must not be left out without a word. */
function checkQueue(queue: YamlValue | undefined, problem: Complain): void {
  if (typeof queue !== 'object' || queue === null || Array.isArray(queue)) return
  const { enabled, storage } = queue as Readonly<Record<string, YamlValue>>
  if (enabled !== false && storage !== undefined && storage !== null)
    problem(
      'sending_queue.storage',
      'there is no queue in front of the levels',
      'write storage in the sending_queue of the exporters behind the levels',
    )
}
