// `npm run bench`: see options.ts for its words.

import { caseNames, loadCase } from './cases/index.ts'
import { compare, printConfigs } from './compare.ts'
import { listFunctions, runFunctions } from './functions/run.ts'
import { HELP, parseCommandLine, UsageError } from './options.ts'
import { endOnSignals } from './rig/processes.ts'

async function main(): Promise<number> {
  const command = parseCommandLine(process.argv.slice(2), caseNames())
  switch (command.kind) {
    case 'help':
      console.log(HELP)
      return 0
    case 'list':
      await list(new RegExp(command.pattern))
      return 0
    case 'functions':
      return await runFunctions(command)
    case 'harness':
      if (!command.printConfig) return await compare(command, console.log)
      await printConfigs(command, console.log)
      return 0
  }
}

async function list(pattern: RegExp): Promise<void> {
  console.log('routers: npm run bench -- --case NAME')
  for (const name of caseNames()) {
    if (!pattern.test(name)) continue
    const { summary, variants = {} } = await loadCase(name)
    console.log(`  ${name.padEnd(19)}${summary}`)
    for (const [variant, words] of Object.entries(variants)) console.log(`    ${variant.padEnd(17)}${words}`)
  }
  console.log('\nfunctions: npm run bench -- REGEX')
  for (const { name } of await listFunctions(pattern)) console.log(`  ${name}`)
}

endOnSignals()
try {
  process.exitCode = await main()
} catch (error) {
  if (!(error instanceof UsageError)) throw error
  console.error(`bench: ${error.message}`)
  process.exitCode = 2
}
