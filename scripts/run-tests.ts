// npm test: every test file, or those whose path contains one of the arguments, in processes of their own.
import { spawnSync } from 'node:child_process'
import { globSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const wanted = process.argv.slice(2)
const files = globSync([
  'src/**/*.test.ts',
  'test/**/*.test.ts',
  'demo/**/*.test.ts',
  'bench/**/*.test.ts',
  'scripts/**/*.test.ts',
  'deploy/**/*.test.ts',
])
  .filter((file) => wanted.length === 0 || wanted.some((part) => file.includes(part)))
  .sort()
if (files.length === 0) {
  console.error(`no test file matches ${wanted.join(' ')}`)
  process.exit(1)
}
const flags = ['--test', '--test-concurrency=2', '--test-timeout=120000']
const reporter = process.stdout.isTTY ? ['--test-reporter=spec'] : ['--test-reporter=./scripts/terse-reporter.ts']
// Hundreds of processes load the same files: their types are taken out once.
const env = { NODE_COMPILE_CACHE: join(tmpdir(), 'millrace-compile-cache'), ...process.env }
const run = spawnSync(process.execPath, [...flags, ...reporter, ...files], { stdio: 'inherit', env })
process.exit(run.status ?? 1)
