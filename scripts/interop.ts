// npm run interop: builds the programs of test/interop, those too that take minutes, and runs the tests that talk to them and to
// other real servers.
import { spawnSync } from 'node:child_process'
import { buildAll } from '../test/support/programs.ts'
import { SEARCH_SERVERS } from '../test/support/search-server.ts'

for (const line of buildAll()) console.log(line)
const tests = ['test/interop', 'test/conformance', '/real']
const run = spawnSync(process.execPath, ['scripts/run-tests.ts', ...tests], {
  stdio: 'inherit',
  env: { MILLRACE_SEARCH_SERVERS: SEARCH_SERVERS.join(','), TRANSLATED_REQUESTS: '1000', ...process.env },
})
process.exit(run.status ?? 1)
