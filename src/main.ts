// The command line: reads it, calls what it names, and ends with the Collector's exit codes (reference 1.1).

import { enableCompileCache, flushCompileCache } from 'node:module'
import { buildInfo } from './build.ts'
import { type CommandLine, helpText, readCommandLine, UsageError } from './cli/args.ts'
import type { CommandResult } from './cli/config-commands.ts'
import { keepYoungGenerationSmall } from './shards/heap.ts'

// Modules of a second start come compiled from the cache: a third of the start-up time.
enableCompileCache()
keepYoungGenerationSmall()

async function look(line: CommandLine): Promise<CommandResult> {
  const commands = await import('./cli/config-commands.ts')
  const context = { build: buildInfo, surroundings: { env: process.env } }
  switch (line.command) {
    case 'validate':
      return await commands.validate(line, context)
    case 'print-config':
      return await commands.printConfigCommand(line, context)
    case 'components':
      return await commands.components(line, context)
    case 'graph':
      return await commands.graph(line, context)
    default:
      return commands.featuregate(line)
  }
}

async function main(args: readonly string[]): Promise<number> {
  const line = readCommandLine(args)
  if (line.version) {
    process.stdout.write(`${buildInfo.command} version ${buildInfo.version}\n`)
    return 0
  }
  if (line.help || line.command === 'help') {
    process.stdout.write(helpText(`${buildInfo.description}: a telemetry router that reads the Collector's YAML.`))
    return 0
  }
  if (line.command === 'run')
    return await (await import('./cli/run.ts')).run(line, buildInfo, () => flushCompileCache())
  if (line.command === 'send') return await (await import('./send/command.ts')).run(line.operands)
  if (line.command === 'simulate') return await (await import('./simulate/command.ts')).run(line.operands)
  const { stdout, stderr, exitCode } = await look(line)
  process.stderr.write(stderr)
  process.stdout.write(stdout)
  return exitCode
}

try {
  process.exitCode = await main(process.argv.slice(2))
} catch (error) {
  if (!(error instanceof UsageError)) throw error
  process.stderr.write(`Error: ${error.message}\n`)
  process.exitCode = 1
}
