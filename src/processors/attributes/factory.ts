import { findMatchProblem } from '../../attributes/match-config.ts'
import { ConfigError } from '../../config/problem.ts'
import { defineProcessor } from '../../graph/component.ts'
import { AttributesProcessor } from './attributes.ts'
import { config } from './config.ts'

export const factory = defineProcessor({
  type: 'attributes',
  summary: 'Adds, changes and removes the attributes of spans, log records and metric data points.',
  stability: 'beta',
  signals: ['traces', 'metrics', 'logs'],
  config,
  create(cfg, { id, signal }) {
    const problems = (['include', 'exclude'] as const).flatMap((key) => {
      const what = cfg[key] && findMatchProblem(cfg[key], signal as 'traces' | 'metrics' | 'logs')
      return what === undefined ? [] : [{ code: 'CONFIG_INVALID' as const, path: `processors.${id}.${key}`, what }]
    })
    if (problems.length > 0) throw new ConfigError(problems)
    return new AttributesProcessor(cfg, signal)
  },
})
