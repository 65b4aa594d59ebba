// npm test: every test file, or those whose path contains one of the arguments, in processes of their own.
import { globSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { run } from 'node:test'
import { spec } from 'node:test/reporters'
import terse from './terse-reporter.ts'

/** A file waits for servers, and for processes of its own, about as long as it computes. */
const SIDE_BY_SIDE = Math.ceil(1.5 * Math.min(availableParallelism(), 8))
const TEST_MS = 120_000
/**
 * What takes longest goes first, or one of them would run alone at the end: see TEST_TIMES of terse-reporter.ts. What
 * computes stands between what waits.
 */
const LONGEST = [
  'faults/kills',
  'exporters/elasticsearch/real',
  'test/attacks/http2',
  'deploy/',
  'faults/faults',
  'e2e/dockerfile',
  'e2e/configs',
  'test/interop/',
  '/real',
  'demo/',
  'test/',
]

function turn(file: string): number {
  const at = LONGEST.findIndex((part) => file.includes(part))
  return at === -1 ? LONGEST.length : at
}

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
  .sort((a, b) => turn(a) - turn(b) || (a < b ? -1 : 1))
if (files.length === 0) {
  console.error(`no test file matches ${wanted.join(' ')}`)
  process.exit(1)
}
// Hundreds of processes load the same files: their types are taken out once.
process.env.NODE_COMPILE_CACHE ??= join(tmpdir(), 'millrace-compile-cache')
const { stdout } = process
run({ files, concurrency: SIDE_BY_SIDE, timeout: TEST_MS })
  .on('test:fail', () => {
    process.exitCode = 1
  })
  .compose(stdout.isTTY ? new spec() : terse)
  .pipe(stdout)
