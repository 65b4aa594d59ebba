// The keys of the probabilistic sampler (reference/otelcol-processors.md 2.1).

import { bool, choice, float, type Infer, int, object, string } from '../../config/schema.ts'
import { MIN_PROBABILITY } from './bits.ts'

export const config = object(
  {
    mode: choice('mode', {
      default: '',
      of: {
        '': 'As hash_seed.',
        hash_seed: 'By a hash of the trace id, or of an attribute, and of the seed.',
        proportional: 'Keeps that share of what comes, whatever share was kept before.',
        equalizing: 'Keeps no more than that share of what there was at first.',
      },
      doc: 'How it is decided what stays. The last two take the randomness from the trace id itself, or from `rv` in its tracestate, so that all samplers of a trace agree.',
    }),
    samplingPercentage: float('sampling_percentage', {
      default: 0,
      min: 0,
      doc: 'How many percent stay. 0: nothing; 100 and more: everything.',
    }),
    hashSeed: int('hash_seed', {
      default: 0,
      min: 0,
      max: 0xffffffff,
      doc: 'Goes into the hash. The same for all samplers of one tier, another one for the next tier.',
    }),
    failClosed: bool('fail_closed', {
      default: true,
      doc: 'Drops what cannot be decided: no trace id, a tracestate that cannot be read or that contradicts itself. Off: it stays.',
    }),
    samplingPrecision: int('sampling_precision', {
      default: 4,
      min: 1,
      max: 14,
      doc: 'Hexadecimal digits of the threshold, in modes proportional and equalizing.',
    }),
    attributeSource: choice('attribute_source', {
      default: 'traceID',
      of: {
        traceID: 'The trace id, and from_attribute for records that have none.',
        record: 'from_attribute alone.',
      },
      doc: 'Of log records in mode hash_seed: what is hashed.',
    }),
    fromAttribute: string('from_attribute', {
      default: '',
      doc: 'Of log records in mode hash_seed: the attribute that is hashed, for example a unique id.',
    }),
    samplingPriority: string('sampling_priority', {
      default: '',
      doc: "Of log records: an attribute with a number above 0 and up to 100, the percentage for this record alone. A span's attribute `sampling.priority` is always obeyed.",
    }),
  },
  {
    check(value, problem) {
      const percentage = Math.fround(value.samplingPercentage)
      if (!Number.isFinite(percentage))
        problem('sampling_percentage', `${value.samplingPercentage} is not finite`, 'write a percentage from 0 to 100')
      else if (value.samplingPercentage > 0 && percentage / 100 < MIN_PROBABILITY)
        problem('sampling_percentage', `${value.samplingPercentage} is below 2^-56`, 'write 0, or a larger number')
    },
  },
)

export type ProbabilisticSamplerConfig = Infer<typeof config>
