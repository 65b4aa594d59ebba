// Feature gates (Collector reference 1.10). Millrace knows the Collector's, so that unit files keep working; four of
// them change what a configuration means here, the others have no effect. Those that begin with `millrace.` are our own.

import type { Problem } from './problem.ts'

export interface Gate {
  readonly id: string
  readonly stage: 'alpha' | 'beta'
  readonly description: string
}

const gate = (id: string, stage: Gate['stage'], description: string): Gate => ({ id, stage, description })
const NO_EFFECT = 'Accepted; has no effect in Millrace.'

/** Sorted by id. Beta gates are on by default, alpha gates off. */
export const GATES: readonly Gate[] = [
  gate(
    'confmap.enableMergeAppendOption',
    'alpha',
    'Lists of extensions, receivers and exporters of several sources are joined.',
  ),
  gate('exporter.prometheusexporter.DisableAddMetricSuffixes', 'alpha', NO_EFFECT),
  gate(
    'exporter.prometheusexporter.ResourceConstantLabels',
    'alpha',
    'The prometheus exporter may have resource_constant_labels. In Millrace it may without it.',
  ),
  gate(
    'millrace.grpc.grpcJsClient',
    'alpha',
    "OTLP/gRPC is sent through @grpc/grpc-js instead of Millrace's own client: slower, for comparison.",
  ),
  gate(
    'millrace.grpc.nodeHttp2',
    'alpha',
    "OTLP/gRPC is received through node:http2 instead of Millrace's own HTTP/2: slower, for comparison.",
  ),
  gate(
    'millrace.shards.oneListener',
    'alpha',
    'Of several shards only the first listens and hands over what the others can do, as on systems without SO_REUSEPORT.',
  ),
  gate('pdata.useProtoPooling', 'alpha', NO_EFFECT),
  gate('pkg.exporterhelper.queueBatchEnabled', 'alpha', NO_EFFECT),
  gate('pkg.translator.prometheus.NormalizeName', 'beta', NO_EFFECT),
  gate(
    'pkg.translator.prometheus.PermissiveLabelSanitization',
    'alpha',
    'Several `_` in a row become one in the names of labels that the prometheus exporter shows.',
  ),
  gate('receiverhelper.newReceiverMetrics', 'alpha', NO_EFFECT),
  gate('service.AllowNoPipelines', 'alpha', 'A configuration without pipelines, receivers or exporters may run.'),
  gate('service.partialReload', 'alpha', NO_EFFECT),
  gate('service.partialReloadReceivers', 'beta', NO_EFFECT),
  gate('service.profilesSupport', 'alpha', 'Pipelines may carry profiles. In Millrace they may without it.'),
  gate('telemetry.newPipelineTelemetry', 'alpha', NO_EFFECT),
]

export interface GateChoice {
  readonly enabled: ReadonlySet<string>
  readonly warnings: readonly Problem[]
  /** What makes the command line wrong; empty elements. */
  readonly errors: readonly string[]
}

/** `lists` are the values of --feature-gates: `id`, `+id` or `-id`, joined by commas. The last word on a gate counts. */
export function chooseGates(lists: readonly string[]): GateChoice {
  const enabled = new Set(GATES.filter((known) => known.stage === 'beta').map((known) => known.id))
  const unknown: string[] = []
  const errors: string[] = []
  for (const list of lists) {
    for (const element of list.split(',')) {
      const id = element.trim().replace(/^[-+]/, '')
      if (id === '')
        errors.push(`invalid argument ${JSON.stringify(list)} for "--feature-gates" flag: an empty gate id`)
      else if (!GATES.some((known) => known.id === id)) unknown.push(id)
      else if (element.trim().startsWith('-')) enabled.delete(id)
      else enabled.add(id)
    }
  }
  const what = `unknown feature gates are ignored: ${[...new Set(unknown)].join(', ')}`
  const fix = 'remove them; millrace featuregate lists those that exist'
  const warnings: Problem[] = unknown.length === 0 ? [] : [{ code: 'CONFIG_UNKNOWN_GATE', path: '', what, fix }]
  return { enabled, warnings, errors }
}
