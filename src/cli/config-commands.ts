// The commands that look at a configuration and run nothing: validate, print-config, components, featuregate
// (reference 1.1). Each gives what to print and the exit code; nothing is written from here.

import { chooseGates, GATES } from '../config/gates.ts'
import type { LoadOptions } from '../config/load.ts'
import { printConfig, toYaml } from '../config/print.ts'
import { formatProblem, type Problem, sortProblems } from '../config/problem.ts'
import { readOnce, retrieverOf, SCHEMES, type Surroundings } from '../config/sources.ts'
import type { AnyFactory, BuildInfo } from '../graph/component.ts'
import { type Configuration, loadConfiguration } from '../graph/configuration.ts'
import { creationProblems } from '../graph/create-all.ts'
import { planToMermaid, planToText } from '../graph/print-plan.ts'
import { registry } from '../graph/registry.ts'
import { telemetryConfig } from '../self/config.ts'
import type { CommandLine } from './args.ts'

export interface CommandResult {
  readonly stdout: string
  readonly stderr: string
  readonly exitCode: number
}

/** What the commands know of this build and machine. */
export interface CommandContext {
  readonly build: BuildInfo
  readonly surroundings: Surroundings
}

const done = (stdout: string, stderr = ''): CommandResult => ({ stdout, stderr, exitCode: 0 })
const failed = (stderr: string): CommandResult => ({ stdout: '', stderr, exitCode: 1 })

/** The text that goes to stderr for these problems, with their number at the end. */
export function problemsText(problems: readonly Problem[]): string {
  const count = problems.length === 1 ? '1 problem' : `${problems.length} problems`
  return `${problems.map(formatProblem).join('\n')}\nError: the configuration has ${count}\n`
}

export const warningsText = (warnings: readonly Problem[]): string =>
  warnings.map((warning) => `warning: ${formatProblem(warning)}\n`).join('')

/** Everything that can be known to be wrong before anything starts. */
async function check(options: LoadOptions, context: CommandContext): Promise<Configuration> {
  const configuration = await loadConfiguration(options, readOnce(retrieverOf(context.surroundings)))
  if (configuration.problems.length > 0) return configuration
  const problems = await creationProblems(configuration, context.build, { receivers: true })
  return { ...configuration, problems: sortProblems(problems) }
}

export async function validate(line: CommandLine, context: CommandContext): Promise<CommandResult> {
  const wrong = checkSources(line)
  if (wrong !== undefined) return wrong
  const { problems, warnings } = await check(line, context)
  const text = warningsText(warnings)
  return problems.length === 0 ? done('', text) : failed(text + problemsText(problems))
}

export async function printConfigCommand(line: CommandLine, context: CommandContext): Promise<CommandResult> {
  const wrong = checkSources(line)
  if (wrong !== undefined) return wrong
  const { loaded, problems, warnings } = await check(line, context)
  const words = warningsText(warnings)
  if (problems.length > 0 && line.validate) return failed(words + problemsText(problems))
  const text = printConfig(loaded, telemetryConfig, { format: line.format, reveal: line.mode === 'unredacted' })
  return done(text, words + problems.map((problem) => `${formatProblem(problem)}\n`).join(''))
}

/** What is wrong with the flags themselves, if anything. */
export function checkSources(line: CommandLine): CommandResult | undefined {
  if (line.operands.length > 0) return failed(`Error: unknown argument "${line.operands[0]}"\n`)
  if (line.configs.length === 0) return failed('Error: at least one config flag must be provided\n')
  const { errors } = chooseGates(line.featureGates)
  return errors.length === 0 ? undefined : failed(`Error: ${errors[0]}\n`)
}

/** `millrace graph FILE...`: files may also stand without --config. */
export async function graph(line: CommandLine, context: CommandContext): Promise<CommandResult> {
  const sources = { ...line, configs: [...line.configs, ...line.operands], operands: [] }
  const wrong = checkSources(sources)
  if (wrong !== undefined) return wrong
  const { plan, problems, warnings } = await check(sources, context)
  const words = warningsText(warnings)
  if (problems.length > 0) return failed(words + problemsText(problems))
  return done(line.mermaid ? planToMermaid(plan) : planToText(plan), words)
}

const STABILITY = { development: 'Development', alpha: 'Alpha', beta: 'Beta', stable: 'Stable' } as const

export async function components(line: CommandLine, context: Pick<CommandContext, 'build'>): Promise<CommandResult> {
  if (line.operands.length > 0) return failed(`Error: unknown argument "${line.operands[0]}"\n`)
  const { build } = context
  const module = `millrace v${build.version}`
  const factories = await Promise.all(registry.map((entry) => entry.load()))
  const listOf = (kind: AnyFactory['kind']): object[] =>
    factories
      .filter((factory) => factory.kind === kind)
      .toSorted((a, b) => (a.type < b.type ? -1 : 1))
      .map((factory) => ({ name: factory.type, module, stability: stabilityOf(factory) }))
  const tree = {
    buildinfo: { command: build.command, description: build.description, version: build.version },
    receivers: listOf('receiver'),
    processors: listOf('processor'),
    exporters: listOf('exporter'),
    connectors: listOf('connector'),
    extensions: listOf('extension'),
    providers: SCHEMES.map((scheme) => ({ scheme, module })),
    converters: [],
  }
  return done(toYaml(tree))
}

function stabilityOf(factory: AnyFactory): Record<string, string> {
  const word = factory.stability === undefined ? 'Undefined' : STABILITY[factory.stability]
  if (factory.kind === 'extension') return { extension: word }
  const keys = factory.kind === 'connector' ? factory.pairs.map(({ from, to }) => `${from}-to-${to}`) : factory.signals
  return Object.fromEntries(keys.toSorted().map((key) => [key, word]))
}

export function featuregate(line: CommandLine): CommandResult {
  const { operands } = line
  if (operands.length > 1) return failed('Error: featuregate takes at most one gate id\n')
  const [id] = operands
  if (id === undefined) {
    const rows = GATES.map((gate) => [gate.id, String(gate.stage === 'beta'), gate.stage, gate.description])
    return done(table([['ID', 'Enabled', 'Stage', 'Description'], ...rows]))
  }
  const gate = GATES.find((one) => one.id === id)
  if (gate === undefined) return failed(`Error: feature ${JSON.stringify(id)} not found\n`)
  const rows = [
    ['Feature:', gate.id],
    ['Enabled:', String(gate.stage === 'beta')],
    ['Stage:', gate.stage],
    ['Description:', gate.description],
  ]
  return done(table(rows))
}

function table(rows: readonly (readonly string[])[]): string {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)))
  return rows
    .map(
      (row) =>
        `${row
          .map((cell, column) => cell.padEnd(widths[column]!))
          .join('  ')
          .trimEnd()}\n`,
    )
    .join('')
}
