// What the keys mean for the encoder.

import { labelName, TRANSLATIONS } from '../../prometheus/names.ts'
import type { RemoteWriteConfig } from './config.ts'
import type { EncoderOptions } from './encoder.ts'

/** Series whose labels are kept at the same time. */
const MAX_SERIES = 100_000
const PERMISSIVE_GATE = 'pkg.translator.prometheus.PermissiveLabelSanitization'

export const isVersion2 = ({ protobufMessage }: RemoteWriteConfig): boolean =>
  protobufMessage === 'io.prometheus.write.v2.Request'

interface Around extends Pick<EncoderOptions, 'seed' | 'onDropped'> {
  readonly gates: ReadonlySet<string>
}

export function encoderOptions(config: RemoteWriteConfig, { gates, ...around }: Around): EncoderOptions {
  const { namespace, resourceToTelemetryConversion: conversion } = config
  const strategy =
    config.translationStrategy ??
    (config.addMetricSuffixes ? 'UnderscoreEscapingWithSuffixes' : 'UnderscoreEscapingWithoutSuffixes')
  const translation = TRANSLATIONS[strategy]
  const isPermissive = gates.has(PERMISSIVE_GATE)
  const labels = { utf8: translation.utf8, collapses: true, keyed: !isPermissive }
  const prefix = namespace === '' ? undefined : labelName(namespace, labels)
  const targetInfo = prefix === undefined ? 'target_info' : `${prefix}_target_info`
  return {
    ...around,
    isV2: isVersion2(config),
    naming: { ...translation, namespace },
    labels,
    targetLabels: isVersion2(config) ? labels : { utf8: false, collapses: isPermissive },
    externalLabels: [...config.externalLabels].flatMap(([name, value]) => {
      const sanitized = labelName(name, labels)
      return sanitized === undefined ? [] : [[sanitized, value] as const]
    }),
    withoutScopeInfo: config.disableScopeInfo,
    resourceToTelemetry: !conversion.enabled ? 'off' : conversion.excludeServiceAttributes ? 'without_service' : 'all',
    targetInfo: config.targetInfo.enabled ? targetInfo : undefined,
    maxSeries: MAX_SERIES,
  }
}
