// The keys of the memory limiter and what is wrong with them together (reference/otelcol-core.md 3.5).

import { duration, type Infer, int, object } from '../../config/schema.ts'

export const config = object(
  {
    checkIntervalMs: duration('check_interval', {
      default: '0s',
      min: '0s',
      doc: 'How often the use of memory is looked at. Must be set; 1s suits most, less where load comes in bursts.',
    }),
    limitMib: int('limit_mib', {
      default: 0,
      min: 0,
      doc: 'Most memory that telemetry and the heap may take, in MiB, of all shards together. Wins over limit_percentage.',
    }),
    spikeLimitMib: int('spike_limit_mib', {
      default: 0,
      min: 0,
      doc: 'How far below the limit refusing begins, in MiB; the room for what comes in between two checks. 0 stands for a fifth of the limit.',
    }),
    limitPercentage: int('limit_percentage', {
      default: 0,
      min: 0,
      max: 100,
      doc: "The limit as a share of the container's memory limit, or of the machine's memory where there is none.",
    }),
    spikeLimitPercentage: int('spike_limit_percentage', {
      default: 0,
      min: 0,
      max: 100,
      doc: 'spike_limit_mib as such a share; only with limit_percentage. 0 stands for a fifth of the limit.',
    }),
    minGcIntervalSoftMs: duration('min_gc_interval_when_soft_limited', {
      default: '10s',
      min: '0s',
      doc: 'Least time between two forced collections of garbage above the soft limit.',
    }),
    minGcIntervalHardMs: duration('min_gc_interval_when_hard_limited', {
      default: '0s',
      min: '0s',
      doc: 'The same above the limit itself; at most the value for the soft limit.',
    }),
    maxGcIntervalSoftMs: duration('max_gc_interval_when_soft_limited', {
      default: '30s',
      min: '0s',
      doc: 'Up to where that time grows while collections bring back less than a twentieth. 0 keeps it constant.',
    }),
    maxGcIntervalHardMs: duration('max_gc_interval_when_hard_limited', {
      default: '30s',
      min: '0s',
      doc: 'The same above the limit itself.',
    }),
  },
  {
    check(value, problem) {
      if (value.checkIntervalMs <= 0) problem('check_interval', 'must be greater than zero', 'write check_interval: 1s')
      if (value.minGcIntervalSoftMs < value.minGcIntervalHardMs)
        problem(
          'min_gc_interval_when_soft_limited',
          'must not be smaller than min_gc_interval_when_hard_limited',
          'write a duration that is at least as long',
        )
      if (value.limitMib === 0 && value.limitPercentage === 0)
        problem('limit_mib', 'either limit_mib or limit_percentage must be greater than zero', 'write limit_mib: 400')
      if (value.limitMib > 0 && value.spikeLimitMib >= value.limitMib)
        problem('spike_limit_mib', 'must be smaller than limit_mib', 'write about a fifth of limit_mib')
      if (value.limitMib === 0 && value.limitPercentage > 0 && value.spikeLimitPercentage >= value.limitPercentage)
        problem(
          'spike_limit_percentage',
          'must be smaller than limit_percentage',
          'write about a fifth of limit_percentage',
        )
    },
  },
)

export type MemoryLimiterConfig = Infer<typeof config>
