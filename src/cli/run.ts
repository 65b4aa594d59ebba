// `millrace --config FILE`: runs the router until a signal or a component ends it.

import { ConfigError } from '../config/problem.ts'
import type { BuildInfo } from '../graph/component.ts'
import { Router } from '../router.ts'
import type { CommandLine } from './args.ts'
import { checkSources, problemsText } from './config-commands.ts'

/** Resolves to the exit code: 0 after a clean stop (also when a component gave up at run time), 1 after an error. */
export async function run(line: CommandLine, build: BuildInfo, onReady: () => void): Promise<number> {
  const wrong = checkSources(line)
  if (wrong !== undefined) {
    process.stderr.write(wrong.stderr)
    return wrong.exitCode
  }
  let router: Router
  try {
    router = await Router.start(line, build)
  } catch (error) {
    process.stderr.write(
      error instanceof ConfigError ? problemsText(error.problems) : `Error: ${(error as Error).message}\n`,
    )
    return 1
  }
  onReady()
  // The first signal drains, the second does not wait.
  let asked = false
  const stop = (): void => {
    if (asked) process.exit(1)
    asked = true
    void router.stop()
  }
  process.on('SIGINT', stop)
  process.on('SIGTERM', stop)
  process.on('SIGHUP', () => void router.reload())
  const { failed } = await router.ended
  return failed ? 1 : 0
}
