// The programs that are measured: Millrace, the Collector, and whatever reads the same file.
//
//   millrace        bin/millrace.js of this clone
//   otelcol         peers/otelcol, built once where Go is installed; otherwise otelcol-contrib or otelcol on the PATH
//   NAME=COMMAND    any program that is started with `COMMAND --config FILE`

import { execFileSync, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, renameSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { commit } from './results.ts'
import { ownCommand } from './rig/processes.ts'

export const KNOWN_SUTS = ['millrace', 'otelcol'] as const

export interface Sut {
  readonly name: string
  readonly command: readonly string[]
  readonly version: string
  /** Understands the pprof extension as Millrace does. */
  readonly profiles: boolean
}

/** Why a program cannot be measured here. */
export interface MissingSut {
  readonly name: string
  readonly missing: string
}

export const isMissing = (sut: Sut | MissingSut): sut is MissingSut => 'missing' in sut

export function findSut(word: string, tell: (line: string) => void): Sut | MissingSut {
  const [name = '', command] = word.split(/=(.*)/s)
  if (command !== undefined) {
    const parts = command.trim().split(/\s+/)
    if (!canStart(parts[0]!))
      return { name, missing: `not installed (${parts[0]} cannot be started: is it a program on the PATH?)` }
    return {
      name,
      command: parts,
      version: versionOf(parts),
      profiles: parts.some((part) => part.includes('millrace')),
    }
  }
  if (name === 'otelcol') return findCollector(tell)
  return { name, command: ownCommand(), version: commit() ?? versionOf(ownCommand()), profiles: true }
}

/** Of what `--version` prints, such as `otelcol version 0.155.0`, the first word that looks like one. */
function versionOf([program = '', ...args]: readonly string[]): string {
  const run = spawnSync(program, [...args, '--version'], { encoding: 'utf8', timeout: 10_000 })
  return /\bv?\d+\.\S+/.exec(run.stdout ?? '')?.[0] ?? 'unknown'
}

const canStart = (program: string): boolean =>
  spawnSync(program, ['--version'], { timeout: 10_000 }).error === undefined

function findCollector(tell: (line: string) => void): Sut | MissingSut {
  const name = 'otelcol'
  const built = buildPeer(name, tell)
  const program = typeof built === 'string' ? built : ['otelcol-contrib', 'otelcol'].find(canStart)
  if (program === undefined) return { name, missing: `not installed (${(built as { why: string }).why})` }
  return { name, command: [program], version: versionOf([program]), profiles: false }
}

const SOURCES = ['go.mod', 'go.sum', 'main.go'] as const

/** A program of peers/ that is built from its Go modules. */
type Peer = 'otelcol' | 'telegraf'

const peerFolder = (peer: Peer): string => fileURLToPath(new URL(`./peers/${peer}/`, import.meta.url))
const cacheFolder = (): string => join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'millrace-bench')

/** Where the peer is that was built from these very sources. */
function peerPath(peer: Peer): string {
  const hash = createHash('sha256')
  for (const file of SOURCES) hash.update(readFileSync(join(peerFolder(peer), file)))
  return join(cacheFolder(), `${peer}-${hash.digest('hex').slice(0, 12)}`)
}

/** Undefined where none was built yet. */
export const builtCollector = (): string | undefined =>
  existsSync(peerPath('otelcol')) ? peerPath('otelcol') : undefined

const NO_GO: Readonly<Record<Peer, string>> = {
  otelcol: 'no Go that could build it, and no otelcol-contrib on the PATH',
  telegraf: 'no Go that could build it',
}

/** Telegraf with the plugins of MQTT cases, or why there is none. */
export function findTelegraf(tell: (line: string) => void): Sut | MissingSut {
  const name = 'telegraf'
  const built = buildPeer(name, tell)
  if (typeof built !== 'string') return { name, missing: `not installed (${built.why})` }
  return { name, command: [built], version: versionOf([built]), profiles: false }
}

/** The binary's path; builds it where it was not built from these sources before. */
function buildPeer(peer: Peer, tell: (line: string) => void): string | { readonly why: string } {
  const program = peerPath(peer)
  if (existsSync(program)) return program
  if (spawnSync('go', ['version']).error !== undefined) return { why: NO_GO[peer] }
  tell(`building bench/peers/${peer} once, which takes some minutes: ${program}`)
  mkdirSync(cacheFolder(), { recursive: true })
  // Whole under another name first: a build that is broken off leaves nothing that looks like a program.
  const making = `${program}.${process.pid}`
  try {
    execFileSync('go', ['build', '-buildvcs=false', '-trimpath', '-ldflags=-s -w', '-o', making, '.'], {
      cwd: peerFolder(peer),
      env: { ...process.env, CGO_ENABLED: '0' },
      // Standard output belongs to whoever asked.
      stdio: ['ignore', 2, 2],
    })
  } catch (error) {
    return { why: `bench/peers/${peer} did not build: ${(error as Error).message}` }
  }
  renameSync(making, program)
  return program
}
