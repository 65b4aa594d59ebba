// Who gets the router's own metrics: Prometheus pages that others fetch, and reports that are sent or printed by the
// clock. Runs on the supervisor; `collect` asks the shards.

import { object } from '../config/schema.ts'
import type { Clock } from '../graph/clock.ts'
import type { BuildInfo } from '../graph/component.ts'
import { NOT_FOUND, servePages, text } from '../net/http/pages.ts'
import { httpServerFields } from '../net/http/server-config.ts'
import { findAddress, type Listening } from '../net/listen.ts'
import type { MetricsConfig } from './config.ts'
import { EXPOSITION_CONTENT_TYPE, type ExpositionOptions, toExposition } from './exposition.ts'
import { LineSink } from './line-sink.ts'
import type { Logger } from './log.ts'
import type { Labels } from './meter.ts'
import { toOtlpJson } from './otlp-metrics.ts'
import { makeSender } from './otlp-sender.ts'
import type { ReaderConfig } from './reader-config.ts'
import { mergeSnapshots, type Snapshot } from './snapshot.ts'

/** How long stopping waits for a last report and for pages under way, unless it is told. */
const STOP_MS = 2_000

export interface MetricsServersContext {
  readonly clock: Clock
  readonly log: Logger
  /** From resourceAttributes(). */
  readonly resource: Labels
  /** One snapshot of each thread; may wait for the shards, and should give up on one that is stuck. */
  collect(): Promise<readonly Snapshot[]>
  readonly build: BuildInfo
  /** Where the console exporter prints; default stdout. */
  readonly print?: (line: string) => void
}

export interface MetricsServers {
  /** Where the pages are, in the order of the configuration. */
  readonly pages: readonly Listening[]
  /** Sends a last report and closes the pages. */
  stop(deadline?: AbortSignal): Promise<void>
}

interface Running {
  readonly page?: Listening
  close(deadline: AbortSignal): Promise<void>
}

/** Starts every reader that `config` names. Rejects when a page's address is taken. */
export async function startMetricsServers(
  config: MetricsConfig,
  context: MetricsServersContext,
): Promise<MetricsServers> {
  const running: Running[] = []
  const stop = async (deadline: AbortSignal = AbortSignal.timeout(STOP_MS)): Promise<void> => {
    await Promise.all(running.map((reader) => reader.close(deadline)))
  }
  const collect = shareCalls(context.collect)
  try {
    for (const page of prometheusPages(config)) running.push(await startPage(page, { ...context, collect }))
    for (const { periodic } of activeReaders(config)) {
      if (periodic !== undefined) running.push(await startReports(periodic, { ...context, collect }))
    }
  } catch (error) {
    await stop(AbortSignal.abort())
    throw error
  }
  return { pages: running.flatMap(({ page }) => page ?? []), stop }
}

type Periodic = NonNullable<ReaderConfig['periodic']>
type Prometheus = NonNullable<NonNullable<ReaderConfig['pull']>['exporter']['prometheus']>

interface Page extends Pick<Prometheus, 'constantLabels' | 'withoutScopeInfo' | 'withoutTypeSuffix' | 'withoutUnits'> {
  readonly endpoint: string
}

const activeReaders = (config: MetricsConfig): readonly ReaderConfig[] =>
  config.level === 'none' ? [] : (config.readers ?? [])

/** The pages of readers and of the older `address`; localhost:8888 where the file names neither. */
export function prometheusPages(config: MetricsConfig): Page[] {
  if (config.level === 'none') return []
  const standard = { constantLabels: undefined, withoutScopeInfo: true, withoutTypeSuffix: true, withoutUnits: true }
  const pages: Page[] = []
  for (const { pull } of config.readers ?? []) {
    const prometheus = pull?.exporter.prometheus
    if (prometheus === undefined) continue
    const { host, port } = prometheus
    pages.push({
      ...prometheus,
      endpoint: `${host.includes(':') && !host.startsWith('[') ? `[${host}]` : host}:${port}`,
    })
  }
  const { address } = config
  if (address !== undefined && findAddress(address) !== undefined) pages.push({ ...standard, endpoint: address })
  if (config.readers === undefined && address === undefined) pages.push({ ...standard, endpoint: 'localhost:8888' })
  return pages
}

async function startPage(page: Page, context: MetricsServersContext): Promise<Running> {
  const { constantLabels, endpoint, ...form } = page
  const errors = { gathering: 0, encoding: 0 }
  const options: ExpositionOptions = {
    ...form,
    resource: context.resource,
    version: context.build.version,
    constantLabels: constantLabels === undefined ? {} : pickLabels(context.resource, constantLabels),
    errors,
  }
  const render = async (): Promise<string> => {
    let snapshots: readonly Snapshot[]
    try {
      snapshots = await context.collect()
    } catch (error) {
      errors.gathering++
      throw error
    }
    try {
      return await toExposition(mergeSnapshots(snapshots), options)
    } catch (error) {
      errors.encoding++
      throw error
    }
  }
  const settings = { ...object(httpServerFields).zero(), endpoint }
  const door = {
    log: context.log,
    clock: context.clock,
    report: (_status: 'fatal', error: Error) =>
      context.log.error('The metrics page has failed.', { endpoint, error: error.message }),
  }
  const server = await servePages(settings, door, async ({ path }) => {
    if (path !== '/metrics') return NOT_FOUND
    try {
      return { status: 200, type: EXPOSITION_CONTENT_TYPE, body: await render() }
    } catch (error) {
      const { message } = error as Error
      context.log.error('The metrics page could not be made.', { error: message })
      return text(500, message)
    }
  })
  return { page: server, close: (deadline) => server.close(deadline) }
}

async function startReports(periodic: Periodic, context: MetricsServersContext): Promise<Running> {
  const { build, clock, log, resource } = context
  const startedAtMs = clock.now()
  const { otlp } = periodic.exporter
  const sender = otlp === undefined ? undefined : await makeSender(otlp, { build, clock, random: Math.random })
  const sink = sender === undefined && context.print === undefined ? LineSink.open(['stdout'], ['stderr']) : undefined
  const print = context.print ?? ((line: string) => sink?.write(line))

  const report = async (deadline: AbortSignal): Promise<void> => {
    try {
      const snapshot = mergeSnapshots(await context.collect())
      const json = toOtlpJson(snapshot, { resource, version: build.version, startedAtMs, nowMs: clock.now() })
      if (sender === undefined) print(`${json}\n`)
      else await sender.send(json, deadline)
    } catch (error) {
      // Counts are since the start, so the next report tells what this one could not.
      log.error('Own metrics could not be reported.', { error: (error as Error).message })
    }
  }
  let busy: Promise<void> | undefined
  const timer = clock.every(periodic.intervalMs, () => {
    busy ??= report(AbortSignal.timeout(periodic.timeoutMs)).finally(() => {
      busy = undefined
    })
  })
  let closing: Promise<void> | undefined
  const close = async (deadline: AbortSignal): Promise<void> => {
    timer.cancel()
    await busy
    await report(AbortSignal.any([deadline, AbortSignal.timeout(periodic.timeoutMs)]))
    await sender?.close()
    sink?.close()
  }
  return {
    close: (deadline) => {
      closing ??= close(deadline)
      return closing
    },
  }
}

/** Resource attributes that become labels (OpenTelemetry configuration, IncludeExclude). */
function pickLabels(
  resource: Labels,
  lists: { included?: readonly string[] | undefined; excluded: readonly string[] },
): Labels {
  const matches = (patterns: readonly string[], name: string): boolean =>
    patterns.some((pattern) => wildcard(pattern).test(name))
  const picked = Object.entries(resource).filter(
    ([name]) => (lists.included === undefined || matches(lists.included, name)) && !matches(lists.excluded, name),
  )
  return Object.fromEntries(picked)
}

function wildcard(pattern: string): RegExp {
  const escaped = pattern.replace(/[.+^${}()|[\]\\]/g, '\\$&')
  return new RegExp(`^${escaped.replaceAll('*', '.*').replaceAll('?', '.')}$`, 's')
}

/** Calls that come while one is under way get its result: many scrapers ask the shards once. */
function shareCalls<T>(call: () => Promise<T>): () => Promise<T> {
  let current: Promise<T> | undefined
  return () => {
    current ??= call().finally(() => {
      current = undefined
    })
    return current
  }
}
