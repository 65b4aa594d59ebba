// `millrace --config FILE`: runs the router until a signal or a component ends it.

import { ConfigError } from '../config/problem.ts'
import type { BuildInfo } from '../graph/component.ts'
import { Router } from '../router.ts'
import { letYoungGenerationGrow } from '../shards/heap.ts'
import type { CommandLine } from './args.ts'
import { checkSources, problemsText } from './config-commands.ts'

/** Resolves to the exit code: 0 after a clean stop (also when a component gave up at run time), 1 after an error. */
export async function run(line: CommandLine, build: BuildInfo, onReady: () => void): Promise<number> {
  const wrong = checkSources(line)
  if (wrong !== undefined) {
    process.stderr.write(wrong.stderr)
    return wrong.exitCode
  }
  // Signals are heard from the first moment on: what comes while the router starts is done once it has started. The
  // first signal to stop drains, the second does not wait. SIGHUP reloads; unlike the Collector, which ends with exit
  // code 1 then, the router runs on with what it had when the new configuration cannot be taken.
  let router: Router | undefined
  let stopping = false
  let reloading = false
  const stop = (): void => {
    if (stopping) process.exit(1)
    stopping = true
    void router?.stop()
  }
  process.on('SIGINT', stop)
  process.on('SIGTERM', stop)
  process.on('SIGHUP', () => {
    reloading = router === undefined
    void router?.reload()
  })
  try {
    router = await Router.start(line, build)
  } catch (error) {
    const text = error instanceof ConfigError ? problemsText(error.problems) : `Error: ${(error as Error).message}\n`
    process.stderr.write(text)
    return 1
  }
  onReady()
  letYoungGenerationGrow()
  if (stopping) void router.stop()
  else if (reloading) void router.reload()
  const { failed } = await router.ended
  return failed ? 1 : 0
}
