// A process for tests that kill it: appends numbered records to a queue, or entries to a state, and writes each number to
// its output once it is safe. With the word `settle` it settles what it takes, and says so, too.
//
//   node test/support/append-until-killed.ts queue|settle|state DIRECTORY

import { writeSync } from 'node:fs'
import { DiskQueue } from '../../src/storage/disk-queue.ts'
import { nodeFiles } from '../../src/storage/files.ts'
import { lockDirectory } from '../../src/storage/lock.ts'
import { openState } from '../../src/storage/state.ts'

const [, , what, directory] = process.argv as [string, string, string, string]
const AT_ONCE = 32
const lock = await lockDirectory(directory, { timeoutMs: 0, wait: () => Promise.resolve() })
const common = { directory, files: nodeFiles, fsync: true, lock }
const meta = new Uint8Array(0)
// At once and whole: what is only in a stream is lost with the process.
const say = (line: string): void => void writeSync(1, `${line}\n`)
const events = { onCut: () => say('cut'), onLost: () => say('lost') }

if (what === 'state') {
  let sum = 0
  const state = await openState({ ...common, version: 1, events, restore() {} })
  for (let number = 1; ; number++) {
    await state.append(Buffer.from(String(number)))
    sum += number
    say(`kept ${number}`)
    if (number % 50 === 0) void state.snapshot(Buffer.from(`${number} ${sum}`))
  }
}

const bounds = { fileMaxBytes: 64 * 1024, memoryMaxBytes: 16 * 1024, pendingMaxBytes: 2 ** 20, groupEveryMs: 0 }
const queue = await DiskQueue.open({ ...common, maxBytes: 2 ** 30, events: { ...events, onReady: settleAll }, bounds })
let next = 0

function settleAll(): void {
  if (what !== 'settle') return
  for (let record = queue.take(); record !== undefined; record = queue.take()) {
    queue.settle(record)
    say(`settled ${Buffer.concat(record.parts).toString().split(' ')[0]}`)
  }
}

function append(): void {
  const number = next++
  queue.append(
    { items: 1, meta, parts: [Buffer.from(`${number} `), Buffer.alloc((number * 71) % 2000, 120)] },
    (error) => {
      say(error === undefined ? `kept ${number}` : `refused ${number}`)
      append()
    },
  )
}
for (let i = 0; i < AT_ONCE; i++) append()
