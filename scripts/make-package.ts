// npm run package [FOLDER]: writes what is published into a folder (out/package): compiled code, launcher, schema, and a
// package.json without what only a clone needs: tools, and the Node that is pinned for it.

import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const root = join(import.meta.dirname, '..')
const target = process.argv[2] ?? join(root, 'out/package')

rmSync(target, { recursive: true, force: true })
mkdirSync(target, { recursive: true })
const built = spawnSync('tsc', ['-p', 'tsconfig.build.json', '--outDir', join(target, 'dist')], {
  cwd: root,
  stdio: 'inherit',
})
if (built.status !== 0) process.exit(1)
for (const part of ['bin', 'schema', 'README.md', 'LICENSE'])
  cpSync(join(root, part), join(target, part), { recursive: true })

const {
  scripts: _,
  devDependencies: __,
  optionalDependencies: ___,
  overrides: ____,
  ...own
} = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
// What bin/millrace.js asks for: in a clone an older Node hands over to the pinned one, here there is none.
own.engines = { node: '>=24' }
writeFileSync(join(target, 'package.json'), `${JSON.stringify(own, null, 2)}\n`)
console.log(`wrote ${target}: npm publish ${target}`)
