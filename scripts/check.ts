// npm run check: what review runs. Every step runs even when an earlier one failed; the exit code tells of all.
import { spawnSync } from 'node:child_process'

const steps: [name: string, command: string, args: string[]][] = [
  ['types', 'tsc', ['-p', 'tsconfig.json']],
  ['lint and format', 'biome', ['check', '.']],
  ['lock file', 'npm', ['ci', '--dry-run']],
  ['tests, imports and generated files', process.execPath, ['scripts/run-tests.ts']],
]
let failed = 0
for (const [name, command, args] of steps) {
  console.log(`> ${name}`)
  const run = spawnSync(command, args, { stdio: 'inherit' })
  if (run.status !== 0) {
    console.error(`  ${name}: failed`)
    failed++
  }
}
process.exit(failed === 0 ? 0 : 1)
