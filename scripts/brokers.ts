// npm run brokers: builds the brokers of test/brokers that have to be built, and runs the mqtt receiver against all of them,
// or against one: BROKERS=NATS server npm run brokers
import { spawnSync } from 'node:child_process'
import { buildAll } from '../test/support/programs.ts'

for (const line of buildAll(['mochi-mqtt', 'HiveMQ', 'Moquette'])) console.log(line)
const run = spawnSync(process.execPath, ['scripts/run-tests.ts', 'test/brokers'], {
  stdio: 'inherit',
  env: { ...process.env, BROKERS: process.env.BROKERS ?? 'all' },
})
process.exit(run.status ?? 1)
