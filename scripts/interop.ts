// npm run interop: builds the programs of test/interop, those too that take minutes, and runs the tests that talk to them.
import { spawnSync } from 'node:child_process'
import { buildAll } from '../test/support/programs.ts'

for (const line of buildAll()) console.log(line)
const run = spawnSync(process.execPath, ['scripts/run-tests.ts', 'test/interop', 'test/conformance'], {
  stdio: 'inherit',
})
process.exit(run.status ?? 1)
