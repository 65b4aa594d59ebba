// The command line: one command, the Collector's flags, and its words for what is wrong (reference 1.1).

import { parseArgs } from 'node:util'

export const COMMANDS = {
  run: 'Run the router (this is what happens without a command).',
  validate: 'Check the configuration, print every problem, and exit.',
  components: 'List the components of this build as YAML.',
  'print-config': 'Print the configuration as it was understood, with all defaults.',
  featuregate: 'List the feature gates, or explain one.',
  graph: 'Print the plan: which component stands where and who feeds whom.',
  send: 'Send generated telemetry to a router.',
  simulate: 'Let a plant of simulated devices publish to an MQTT broker.',
  help: 'Print this text.',
} as const
export type Command = keyof typeof COMMANDS

const ALIASES: Readonly<Record<string, Command>> = { 'print-initial-config': 'print-config' }

export interface CommandLine {
  readonly command: Command
  /** What stands after the command and is no flag. */
  readonly operands: readonly string[]
  readonly configs: readonly string[]
  readonly sets: readonly string[]
  readonly featureGates: readonly string[]
  readonly mode: 'redacted' | 'unredacted'
  readonly format: 'yaml' | 'json'
  /** print-config: whether an invalid configuration is refused. */
  readonly validate: boolean
  readonly mermaid: boolean
  /** Reload when a file of the configuration changes. */
  readonly watch: boolean
  readonly help: boolean
  readonly version: boolean
}

/** A command line that cannot be followed; its message goes to stderr as `Error: ...`, the exit code is 1. */
export class UsageError extends Error {}

const FLAGS = {
  config: { type: 'string', multiple: true },
  set: { type: 'string', multiple: true },
  'feature-gates': { type: 'string', multiple: true },
  mode: { type: 'string' },
  format: { type: 'string' },
  validate: { type: 'boolean' },
  mermaid: { type: 'boolean' },
  watch: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
  version: { type: 'boolean', short: 'v' },
} as const
type Flag = keyof typeof FLAGS

const SOURCE_FLAGS: readonly Flag[] = ['config', 'set', 'feature-gates', 'help']
const FLAGS_OF: Readonly<Record<Command, readonly Flag[]>> = {
  run: [...SOURCE_FLAGS, 'watch', 'version'],
  validate: SOURCE_FLAGS,
  components: ['help'],
  'print-config': [...SOURCE_FLAGS, 'mode', 'format', 'validate'],
  featuregate: ['help'],
  graph: [...SOURCE_FLAGS, 'mermaid'],
  send: ['help'],
  simulate: ['help'],
  help: ['help'],
}

/** Commands that read their own flags: everything after their name is theirs. */
export const OWN_FLAGS: ReadonlySet<Command> = new Set(['send', 'simulate'])

/** Reads the arguments after the program's name. Throws a UsageError. */
export function readCommandLine(args: readonly string[]): CommandLine {
  const first = args[0]
  if (first !== undefined && OWN_FLAGS.has(first as Command)) return line(first as Command, args.slice(1))
  const { tokens } = parseArgs({ args: [...args], options: FLAGS, strict: false, allowPositionals: true, tokens: true })
  const operands: string[] = []
  const given: { flag: Flag; value: string | undefined }[] = []
  for (const token of tokens) {
    if (token.kind === 'positional') operands.push(token.value)
    if (token.kind !== 'option') continue
    if (!Object.hasOwn(FLAGS, token.name) || isOneDash(token.rawName, token.name))
      throw unknownFlag(token.rawName, args)
    const flag = token.name as Flag
    if (FLAGS[flag].type === 'string' && token.value === undefined) {
      throw new UsageError(`flag needs an argument: ${token.rawName}`)
    }
    given.push({ flag, value: token.value })
  }
  const name = operands.shift() ?? 'run'
  const command = ALIASES[name] ?? (name as Command)
  if (!Object.hasOwn(COMMANDS, command)) throw new UsageError(`unknown command "${name}" for "millrace"`)
  const read = line(command, operands)
  for (const { flag, value } of given) {
    if (!FLAGS_OF[command].includes(flag)) throw new UsageError(`unknown flag: --${flag}`)
    take(read, flag, value)
  }
  return read
}

type Writable<T> = { -readonly [K in keyof T]: T[K] extends readonly string[] ? string[] : T[K] }

function line(command: Command, operands: readonly string[]): Writable<CommandLine> {
  return {
    command,
    operands: [...operands],
    configs: [],
    sets: [],
    featureGates: [],
    mode: 'redacted',
    format: 'yaml',
    validate: true,
    mermaid: false,
    watch: false,
    help: false,
    version: false,
  }
}

function take(read: Writable<CommandLine>, flag: Flag, value: string | undefined): void {
  const invalid = (why: string): UsageError =>
    new UsageError(`invalid argument "${value}" for "--${flag}" flag: ${why}`)
  switch (flag) {
    case 'config':
      read.configs.push(value!)
      break
    case 'set':
      if (!value!.includes('=')) throw invalid('missing equal sign')
      read.sets.push(value!)
      break
    case 'feature-gates':
      read.featureGates.push(value!)
      break
    case 'mode':
      if (value !== 'redacted' && value !== 'unredacted') throw invalid('it is redacted or unredacted')
      read.mode = value
      break
    case 'format':
      if (value !== 'yaml' && value !== 'json') throw invalid('it is yaml or json')
      read.format = value
      break
    default:
      if (value !== undefined && !/^(?:true|false|1|0|t|f)$/i.test(value)) throw invalid('it is true or false')
      read[flag] = value === undefined || /^(?:true|1|t)$/i.test(value)
  }
}

/** `-config x` is a run of one-letter flags, as in the Collector. */
const isOneDash = (raw: string, name: string): boolean =>
  !raw.startsWith('--') && raw.length > 2 && raw.slice(1) === name

function unknownFlag(raw: string, args: readonly string[]): UsageError {
  if (raw.startsWith('--')) return new UsageError(`unknown flag: ${raw}`)
  const letter = raw[1] ?? ''
  const written = args.find((arg) => arg.startsWith('-') && !arg.startsWith('--') && arg.includes(letter)) ?? raw
  return new UsageError(`unknown shorthand flag: '${letter}' in ${written}`)
}

export function helpText(description: string): string {
  const width = Math.max(...Object.keys(COMMANDS).map((name) => name.length))
  const commands = Object.entries(COMMANDS).map(([name, words]) => `  ${name.padEnd(width)}  ${words}`)
  return `${description}

Usage:
  millrace --config FILE [flags]
  millrace COMMAND [flags]

Commands:
${commands.join('\n')}

Flags:
  --config URI          A file, or file:, env:, yaml:, http: or https: source; several are merged in their order.
  --set PATH=VALUE      One value over all sources, for example processors.batch.timeout=2s. May be repeated.
  --feature-gates LIST  Gate ids joined by commas; -id switches off.
  --watch               Reload when a file that the configuration was read from changes, as SIGHUP does.
  -v, --version         Print the version.
  -h, --help            Print this text.

Flags of print-config:
  --mode MODE           redacted (default) or unredacted.
  --format FORMAT       yaml (default) or json.
  --validate            Refuse an invalid configuration (default true).

Flags of graph:
  --mermaid             Print a Mermaid diagram.
`
}
