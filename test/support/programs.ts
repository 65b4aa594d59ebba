// Programs in other languages that tests talk to (test/interop, test/brokers), built where their toolchain is installed and their
// packages can be had. A program is kept in the user's cache, so that it is built once a machine.

import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, globSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { homedir } from 'node:os'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'

export interface Program {
  readonly command: string
  readonly args: readonly string[]
}

type Command = readonly [command: string, ...args: string[]]

interface Recipe {
  /** Below test/interop. */
  readonly folder: string
  /** Says which toolchain it is, and whether it is there. */
  readonly toolchain: Command
  /** Run one after the other in the folder; what they make lies at `out`. */
  build(out: string, scratch: string): readonly Command[]
  run(out: string, folder: string): Command
  /** Takes a minute of CPU or more: built by `npm run interop` or `npm run brokers`, and used by every test run from then on. */
  readonly slow?: boolean
}

/** Jars of a pom.xml, held against jars.sha256, and the classes of one file. */
const javaProgram = (folder: string, main: string, options: readonly string[] = []): Recipe => ({
  folder,
  toolchain: ['javac', '-version'],
  build: (out) => [
    [
      'mvn',
      '-B',
      '-q',
      'org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies',
      `-DoutputDirectory=${out}`,
    ],
    ['sh', '-c', 'sums=$PWD/jars.sha256 && cd "$0" && sha256sum --quiet -c "$sums"', out],
    ['javac', '-cp', join(out, '*'), '-d', out, `${main}.java`],
  ],
  run: (out) => ['java', ...options, '-cp', [out, join(out, '*')].join(delimiter), main],
})

const JAVA_BROKER = ['-Djava.net.preferIPv4Stack=true', '-Xmx256m']

const goBuild = (what: string): Omit<Recipe, 'slow'> => ({
  folder: 'go',
  toolchain: ['go', 'version'],
  build: (out) => [['go', 'build', '-o', out, what]],
  run: (out) => [out],
})

/** The whole of a server: nothing of it stands in the folder but how it is built. */
const builtWhole = (folder: string, ...what: string[]): Recipe => ({
  folder,
  toolchain: ['go', 'version'],
  build: (out) => [['sh', 'build.sh', ...what, out]],
  run: (out) => [out],
  slow: true,
})

const RECIPES = {
  'grpc-go client': goBuild('./client'),
  'grpc-go server': goBuild('./server'),
  h2spec: goBuild('github.com/summerwind/h2spec/cmd/h2spec'),
  'grpc-java client': javaProgram('java', 'Interop', ['-XX:TieredStopAtLevel=1', '-XX:+UseSerialGC']),
  HiveMQ: { ...javaProgram('../brokers/hivemq', 'Broker', JAVA_BROKER), slow: true },
  Moquette: { ...javaProgram('../brokers/moquette', 'Broker', JAVA_BROKER), slow: true },
  'mochi-mqtt': { ...goBuild('github.com/mochi-mqtt/server/v2/cmd'), folder: '../brokers/mochi', slow: true },
  'tonic client': {
    folder: 'rust',
    toolchain: ['cargo', '--version'],
    build: (out, scratch) => [
      ['cargo', 'install', '-q', '--locked', '--debug', '--path', '.', '--target-dir', scratch, '--root', out],
    ],
    run: (out) => [join(out, 'bin', 'interop')],
    slow: true,
  },
  'sparkplug edge-node': {
    folder: 'sparkplug',
    toolchain: ['node', '--version'],
    // Its install scripts print advertisements, and are not run.
    build: (out) => [
      ['sh', '-c', 'mkdir -p "$0" && cp package*.json "$0" && npm ci --ignore-scripts --silent --prefix "$0"', out],
    ],
    run: (out, folder) => ['node', join(folder, 'edge-node.cjs'), join(out, 'node_modules/sparkplug-client')],
  },
  'collector translators': { ...goBuild('.'), folder: 'collector', slow: true },
  'jaeger v1': builtWhole('jaeger', './cmd/all-in-one'),
  'jaeger v2': builtWhole('jaeger', './cmd/jaeger'),
  'prometheus 3': builtWhole('prometheus'),
} satisfies Record<string, Recipe>

export type ProgramName = keyof typeof RECIPES

/** For all that one test file builds: what takes longer is a reason to skip. */
const BUILDS_END_MS = 90_000
const SLOW_BUILD_MS = 1_200_000

/** Builds whatever is missing, the slow ones too; for `npm run interop` and `npm run brokers`. */
export function* buildAll(names = Object.keys(RECIPES) as ProgramName[]): Generator<string> {
  for (const name of names) {
    const found = findProgram(name, performance.now() + SLOW_BUILD_MS, true)
    yield `${name}: ${typeof found === 'string' ? found : 'ready'}`
  }
}

/** The program, or the reason why there is none. */
export function findProgram(name: ProgramName, deadline = BUILDS_END_MS, buildsSlowOnes = false): Program | string {
  const recipe: Recipe = RECIPES[name]
  const folder = fileURLToPath(new URL(`../interop/${recipe.folder}/`, import.meta.url))
  const [tool, ...args] = recipe.toolchain
  const version = spawnSync(tool, args, { encoding: 'utf8' })
  if (version.status !== 0) return `${tool} is not installed`
  const hash = createHash('sha256').update(version.stdout + version.stderr)
  for (const file of globSync('**/*.*', { cwd: folder }).sort()) hash.update(readFileSync(join(folder, file)))
  const cache = join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'millrace-servers')
  const out = join(cache, `${name.replace(' ', '-')}-${hash.digest('hex').slice(0, 16)}`)
  if (!existsSync(out)) {
    if (recipe.slow && !buildsSlowOnes)
      return 'neither `npm run interop` nor `npm run brokers` has built it on this machine'
    mkdirSync(cache, { recursive: true })
    const problem = build(recipe, folder, out, deadline)
    if (problem !== undefined) return problem
  }
  const [command, ...rest] = recipe.run(out, folder)
  return { command, args: rest }
}

function build(recipe: Recipe, folder: string, out: string, deadline: number): string | undefined {
  const made = `${out}-${process.pid}`
  const scratch = `${made}.scratch`
  try {
    for (const [command, ...args] of recipe.build(made, scratch)) {
      const timeout = Math.max(1, Math.ceil(deadline - performance.now()))
      const built = spawnSync(command, args, { cwd: folder, timeout, encoding: 'utf8' })
      if (built.status === 0) continue
      const words = `${built.stdout ?? ''}\n${built.stderr ?? ''}`.trim().split('\n').at(-1)
      return `${command} failed: ${words || built.error?.message || 'it took too long'}`
    }
    if (!existsSync(out)) renameSync(made, out)
    return undefined
  } finally {
    for (const left of [made, scratch]) rmSync(left, { recursive: true, force: true })
  }
}
