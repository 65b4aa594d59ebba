// Prometheus 2 as Debian has it, or 3 where `npm run interop` has built it: a real server on loopback that scrapes what a test
// shows it, and answers queries.

import { spawn, spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { ownDirectory } from './disk.ts'
import { findProgram } from './programs.ts'
import { freePorts } from './router-process.ts'
import { until } from './until.ts'

const START_MS = 30_000

/** For `packageMissing`: package and program. */
export const PROMETHEUS = ['prometheus', 'prometheus'] as const

export interface Series {
  readonly metric: Readonly<Record<string, string>>
  /** As the API writes it. */
  readonly value: string
}

export interface PrometheusServer {
  readonly port: number
  query(promql: string): Promise<Series[]>
  /** The data of an answer of its API. */
  // biome-ignore lint/suspicious/noExplicitAny: whatever the API answers
  ask(path: string, parameters: Readonly<Record<string, string>>): Promise<any>
  /** Resolves once it has scraped its targets after this call began. */
  scraped(): Promise<void>
}

/** The program of Prometheus 3, or why there is none, for `skip`. */
export function findPrometheus3(): { readonly command: string; readonly skip: string | false } {
  const found = findProgram('prometheus 3')
  return typeof found === 'string' ? { command: '', skip: found } : { command: found.command, skip: false }
}

/** `scrape` is the YAML of one scrape configuration, in flow style; ended with the test. */
export async function prometheus(
  t: TestContext,
  scrape: string,
  features: readonly string[] = [],
  program = 'prometheus',
): Promise<PrometheusServer> {
  const directory = ownDirectory(t)
  const [port] = (await freePorts(1)) as [number]
  const file = join(directory, 'prometheus.yml')
  writeFileSync(file, `global: { scrape_interval: 500ms, scrape_timeout: 500ms }\nscrape_configs: [${scrape}]\n`)
  const args = [
    `--config.file=${file}`,
    `--storage.tsdb.path=${join(directory, 'data')}`,
    `--web.listen-address=127.0.0.1:${port}`,
    ...(features.length === 0 ? [] : [`--enable-feature=${features.join(',')}`]),
  ]
  const child = spawn(program, args, { stdio: ['ignore', 'ignore', 'pipe'] })
  let said = ''
  child.stderr!.on('data', (words) => (said += String(words)))
  const ended = new Promise((resolve) => child.once('exit', resolve))
  t.after(async () => {
    child.kill('SIGKILL')
    await ended
  })
  const get = (path: string): Promise<Response> => fetch(`http://127.0.0.1:${port}${path}`)
  const ask: PrometheusServer['ask'] = async (path, parameters) => {
    const answer = await (await get(`/api/v1/${path}?${new URLSearchParams(parameters)}`)).json()
    return (answer as { readonly data: unknown }).data
  }
  await until(async () => {
    if (child.exitCode !== null) throw new Error(`prometheus ended: ${said}`)
    return (await get('/-/ready').catch(() => undefined))?.status === 200
  }, START_MS)
  return {
    port,
    async query(promql) {
      const { result } = (await ask('query', { query: promql })) as {
        readonly result: { metric: Record<string, string>; value: [number, string] }[]
      }
      return result.map(({ metric, value }) => ({ metric, value: value[1] }))
    },
    ask,
    async scraped() {
      const since = Date.now()
      let last: { lastScrape: string; health: string; lastError: string }[] = []
      await until(async () => {
        const { data } = (await (await get('/api/v1/targets')).json()) as {
          data: { activeTargets: typeof last }
        }
        last = data.activeTargets
        return last.length > 0 && last.every((one) => one.health === 'up' && Date.parse(one.lastScrape) > since)
      }, START_MS).catch(() => {
        throw new Error(`no scrape succeeded: ${last.map(({ lastError }) => lastError).join('; ')}`)
      })
    },
  }
}

/** What `promtool check metrics` says of an exposition; empty when it has nothing to say. */
export function checkMetrics(text: string): string {
  const { stdout, stderr } = spawnSync('promtool', ['check', 'metrics'], { input: text, encoding: 'utf8' })
  return stdout + stderr
}
