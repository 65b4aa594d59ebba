import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { test } from 'node:test'
import { readUsage, type Usage } from './usage.ts'

const linux = { skip: process.platform === 'linux' ? false : 'there is no /proc' }

/** Burns 0.3 s of CPU by Node's own count, with 60 MiB in use, prints a line, and waits. */
const BURN = `
  const bytes = Buffer.alloc(60 * 2 ** 20, 1)
  const cpu = () => { const { user, system } = process.cpuUsage(); return (user + system) / 1e6 }
  while (cpu() < 0.3);
  console.log('burnt')
  if (process.argv[1] === 'wait') setInterval(() => bytes.length, 1000)
`

/** Of a shell once `word` is printed. */
async function usageOf(script: string, word: string): Promise<Usage> {
  const child = spawn('sh', ['-c', script, process.execPath, BURN], {
    stdio: ['pipe', 'pipe', 'inherit'],
    detached: true,
  })
  try {
    for await (const chunk of child.stdout) if (String(chunk).includes(word)) break
    return readUsage(child.pid!)
  } finally {
    process.kill(-child.pid!, 'SIGKILL')
    await once(child, 'exit')
  }
}

test('CPU and memory of a program behind a script count', linux, async () => {
  const { cpuSeconds, rssBytes, peakRssBytes } = await usageOf('"$0" -e "$1" wait & wait', 'burnt')
  assert.ok(cpuSeconds >= 0.25, `${cpuSeconds} s`)
  assert.ok(rssBytes >= 60 * 2 ** 20, `${rssBytes} bytes`)
  assert.ok(peakRssBytes >= rssBytes)
})

test('CPU of helpers that have ended counts', linux, async () => {
  const { cpuSeconds } = await usageOf('"$0" -e "$1" end; echo ended; read line', 'ended')
  assert.ok(cpuSeconds >= 0.25, `${cpuSeconds} s`)
})
