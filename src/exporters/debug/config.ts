// The keys of the debug exporter (reference/otelcol-core.md 4.3).

import { bool, choice, type Infer, ignored, int, object, strings } from '../../config/schema.ts'

export const config = object(
  {
    verbosity: choice('verbosity', {
      default: 'basic',
      ignoreCase: true,
      of: {
        basic: 'One line per batch with its counts.',
        normal: 'In addition about one line per span, data point, log record or profile.',
        detailed: 'In addition every field of everything.',
      },
      doc: 'How much of the telemetry is printed.',
    }),
    samplingInitial: int('sampling_initial', {
      default: 2,
      min: 0,
      doc: 'How many messages with the same text each shard prints in a second before sampling begins.',
    }),
    samplingThereafter: int('sampling_thereafter', {
      default: 1,
      min: 0,
      doc: 'Of the messages after those, every so many are printed: 1 prints all of them, 0 none.',
    }),
    useInternalLogger: bool('use_internal_logger', {
      default: true,
      doc: "Whether the text goes through the router's own log (service::telemetry::logs) or is printed as it is.",
    }),
    outputPaths: strings('output_paths', {
      optional: true,
      doc: 'Where the text is printed when use_internal_logger is false: stdout (the default), stderr, or files.',
    }),
    sendingQueue: ignored('sending_queue', {
      doc: 'Printing is done at once, so there is nothing to queue.',
    }),
  },
  {
    check(value, problem) {
      if (value.outputPaths?.length === 0)
        problem('output_paths', 'is an empty list, so the text would go nowhere', 'output_paths: [stdout]')
    },
  },
)

export type DebugConfig = Infer<typeof config>
