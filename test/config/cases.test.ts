// Each folder of cases/ is a configuration and, in problems.txt, all that is printed about it. flags.json names other
// files, --set values, gates and the environment. `npm run golden` rewrites problems.txt.

import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { load, printed, type TestFlags } from './load.ts'

const root = join(import.meta.dirname, 'cases')

for (const name of readdirSync(root).sort()) {
  test(`configuration ${name} is answered word for word`, async () => {
    const folder = join(root, name)
    const flagsPath = join(folder, 'flags.json')
    const flags = existsSync(flagsPath) ? (JSON.parse(readFileSync(flagsPath, 'utf8')) as Partial<TestFlags>) : {}
    const files = Object.fromEntries(
      readdirSync(folder)
        .filter((file) => file !== 'problems.txt')
        .map((file) => [file, readFileSync(join(folder, file), 'utf8')]),
    )
    const text = printed(await load({ configs: ['config.yaml'], ...flags }, files))
    const expected = join(folder, 'problems.txt')
    if (process.env.GOLDEN === 'write') writeFileSync(expected, text)
    assert.equal(text, readFileSync(expected, 'utf8'))
  })
}
