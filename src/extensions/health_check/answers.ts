// What is answered: the older version's one line, and the newer version's tree (Collector reference 5.1).

import { formatDuration } from '../../config/units.ts'
import type { Status } from '../../graph/component.ts'
import type { LastReload } from '../../graph/supervised.ts'
import type { Answer } from '../../net/http/pages.ts'
import type { ComponentHealthConfig, HealthCheckConfig } from './config.ts'
import type { StatusNode } from './status.ts'

/** Go's zero time. */
const NEVER = '0001-01-01T00:00:00Z'

/** `startedAtMs` undefined: not available. */
export function plainAnswer(
  startedAtMs: number | undefined,
  nowMs: number,
  own: HealthCheckConfig['responseBody'],
): Answer {
  const available = startedAtMs !== undefined
  const status = available ? 200 : 503
  if (own !== undefined) return { status, type: undefined, body: available ? own.healthy : own.unhealthy }
  const body = JSON.stringify({
    status: available ? 'Server available' : 'Server not available',
    upSince: available ? formatTime(startedAtMs) : NEVER,
    uptime: available ? formatDuration(Math.max(0, nowMs - startedAtMs)) : '',
  })
  return { status, type: 'application/json', body }
}

const NAME = {
  starting: 'StatusStarting',
  ok: 'StatusOK',
  recoverable: 'StatusRecoverableError',
  permanent: 'StatusPermanentError',
  fatal: 'StatusFatalError',
  stopping: 'StatusStopping',
  stopped: 'StatusStopped',
} as const satisfies Record<Status, string>

const CODE = {
  starting: 503,
  ok: 200,
  recoverable: 200,
  permanent: 200,
  fatal: 500,
  stopping: 503,
  stopped: 503,
} as const satisfies Record<Status, number>

export interface TreeAnswerOptions {
  readonly config: ComponentHealthConfig
  readonly startedAtMs: number
  readonly lastReload: LastReload | undefined
  readonly nowMs: number
  /** With the parts. */
  readonly verbose: boolean
}

export function treeAnswer(node: StatusNode, options: TreeAnswerOptions): Answer {
  const status = isHealthy(node, options) ? CODE[node.status] : 500
  const body = { start_time: formatTime(options.startedAtMs), ...toJson(node, options), ...refusedReload(options) }
  return { status, type: 'application/json', body: JSON.stringify(body) }
}

// Not a field of the Collector's, and not unhealthy: the router works, with the configuration before. What is wrong with
// the new one quotes it, which is for the log and the admin extension.
const refusedReload = ({ lastReload }: TreeAnswerOptions): object =>
  lastReload?.result.ok === false ? { config_reload: { refused: true, time: formatTime(lastReload.atMs) } } : {}

function toJson(node: StatusNode, options: TreeAnswerOptions): object {
  const parts = Object.fromEntries([...node.parts].map(([name, part]) => [name, toJson(part, options)]))
  return {
    healthy: isHealthy(node, options),
    status: NAME[node.status],
    ...(node.error === undefined ? {} : { error: node.error }),
    status_time: formatTime(node.sinceMs),
    ...(options.verbose && node.parts.size > 0 ? { components: parts } : {}),
  }
}

function isHealthy({ status, sinceMs }: StatusNode, { config, nowMs }: TreeAnswerOptions): boolean {
  if (status === 'permanent') return !config.includePermanentErrors
  if (status === 'recoverable') return !config.includeRecoverableErrors || nowMs < sinceMs + config.recoveryMs
  return status !== 'fatal'
}

const formatTime = (ms: number): string => new Date(ms).toISOString()
