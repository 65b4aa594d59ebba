// A process of its own is killed while it writes: what it said was safe is there, and nothing that it had settled long ago.

import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { type TestContext, test } from 'node:test'
import { openQueue, ownDirectory } from '../../test/support/disk.ts'
import { nodeFiles } from './files.ts'
import { lockDirectory } from './lock.ts'
import { openState, type Restored } from './state.ts'

const SCRIPT = new URL('../../test/support/append-until-killed.ts', import.meta.url).pathname

/** Runs it until it has said `lines` lines, and kills it; what it said. */
async function killedAfter(t: TestContext, what: string, directory: string, lines: number): Promise<string[]> {
  const child: ChildProcess = spawn(process.execPath, [SCRIPT, what, directory], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  t.after(() => child.kill('SIGKILL'))
  let said = ''
  let count = 0
  child.stdout!.setEncoding('utf8').on('data', (text: string) => {
    said += text
    for (const character of text) if (character === '\n') count++
    if (count >= lines) child.kill('SIGKILL')
  })
  await new Promise((resolve) => child.on('close', resolve))
  return said.split('\n').slice(0, -1)
}

const numbersOf = (lines: readonly string[], word: string): number[] =>
  lines.flatMap((line) => (line.startsWith(`${word} `) ? [Number(line.slice(word.length + 1))] : []))

test('every record that a killed process said was safe is in the queue, in order', async (t) => {
  for (const lines of [1, 57, 700, 2500]) {
    const directory = ownDirectory(t)
    const kept = numbersOf(await killedAfter(t, 'queue', directory, lines), 'kept')
    const opened = await openQueue(t, directory)
    const found = (await opened.drain()).map((text) => Number(text.split(' ')[0]))
    assert.deepEqual(
      found,
      found.toSorted((a, b) => a - b),
    )
    const missing = kept.filter((number) => !found.includes(number))
    assert.deepEqual(missing, [])
    assert.deepEqual(opened.losses, [])
    await opened.queue.close()
  }
})

test('of what a killed process had settled only the last comes again', async (t) => {
  const directory = ownDirectory(t)
  const said = await killedAfter(t, 'settle', directory, 3000)
  const settled = numbersOf(said, 'settled')
  const opened = await openQueue(t, directory)
  const found = (await opened.drain()).map((text) => Number(text.split(' ')[0]))
  const again = settled.filter((number) => found.includes(number))
  // What was settled while the list was being written: a matter of milliseconds, which a busy machine makes longer.
  assert.ok(again.length < settled.length / 2, `${again.length} of ${settled.length} came again`)
  for (const number of numbersOf(said, 'kept'))
    assert.ok(settled.includes(number) || found.includes(number), `${number}`)
})

test('state that a killed process said was safe is restored: the last snapshot, and every entry since', async (t) => {
  for (const lines of [1, 30, 260]) {
    const directory = ownDirectory(t)
    const last = numbersOf(await killedAfter(t, 'state', directory, lines), 'kept').at(-1)!
    let restored: Restored | undefined
    const lock = await lockDirectory(directory, { timeoutMs: 0, wait: () => Promise.resolve() })
    const state = await openState({
      directory,
      files: nodeFiles,
      fsync: true,
      lock,
      version: 1,
      events: { onCut() {}, onLost: () => assert.fail('lost') },
      restore(found) {
        restored = found
      },
    })
    const { snapshot, entries } = restored!
    const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString()
    const [to, sum] = snapshot === undefined ? [0, 0] : text(snapshot.bytes).split(' ').map(Number)
    const numbers = entries.map(({ bytes }) => Number(text(bytes)))
    assert.deepEqual(
      numbers,
      Array.from({ length: numbers.length }, (_, i) => to! + 1 + i),
    )
    assert.equal(sum, (to! * (to! + 1)) / 2)
    assert.ok(to! + numbers.length >= last, `${to} and ${numbers.length} more, ${last} were said to be safe`)
    await state.close()
  }
})
