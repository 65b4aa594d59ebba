#!/usr/bin/env node
// Finds a Node new enough to run the router and hands over. Written for any Node, so that an old one still gets words.
const { spawn } = await import('node:child_process')
const { existsSync } = await import('node:fs')
const { fileURLToPath } = await import('node:url')

const NEEDS = 24
const at = (path) => fileURLToPath(new URL(path, import.meta.url))
// A clone runs the sources; an installed package runs what tsc made of them.
const main = existsSync(at('../src/main.ts')) ? at('../src/main.ts') : at('../dist/main.js')
const pinned = at('../node_modules/.bin/node')

if (Number(process.versions.node.split('.')[0]) >= NEEDS) {
  const { enableCompileCache } = await import('node:module')
  enableCompileCache()
  process.argv[1] = main
  await import(main)
} else if (existsSync(pinned)) {
  const child = spawn(pinned, [main, ...process.argv.slice(2)], { stdio: 'inherit' })
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal))
  child.on('exit', (code, signal) => process.exit(code ?? (signal === 'SIGINT' ? 130 : 1)))
} else {
  console.error(`millrace needs Node ${NEEDS} or newer; this is ${process.version}. In a clone, npm ci brings one.`)
  process.exit(1)
}
