// Which attributes of a resource are labels of its series, besides job and instance.

import { SERVICE_KEYS } from '../../prometheus/labels.ts'
import type { PrometheusConfig } from './config.ts'

export type TakesAttribute = (key: string) => boolean

/** Undefined: none. */
export function takenAttributes(
  config: Pick<PrometheusConfig, 'resourceToTelemetryConversion' | 'resourceConstantLabels'>,
): TakesAttribute | undefined {
  const { enabled, excludeServiceAttributes } = config.resourceToTelemetryConversion
  if (enabled) return excludeServiceAttributes ? (key) => !SERVICE_KEYS.has(key) : () => true
  const lists = config.resourceConstantLabels
  if (lists === undefined) return undefined
  const included = lists.included.map(wildcard)
  const excluded = lists.excluded.map(wildcard)
  const isAmong = (patterns: readonly RegExp[], key: string): boolean => patterns.some((pattern) => pattern.test(key))
  return (key) => (included.length === 0 || isAmong(included, key)) && !isAmong(excluded, key)
}

/** `*` stands for any letters, `?` for one. */
function wildcard(pattern: string): RegExp {
  const escaped = pattern.replace(/[.+^${}()|[\]\\]/g, '\\$&')
  return new RegExp(`^${escaped.replaceAll('*', '.*').replaceAll('?', '.')}$`, 'su')
}
