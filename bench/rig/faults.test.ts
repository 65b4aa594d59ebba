// The rig against a router that does wrong on purpose: a harness that shows no fault here shows none anywhere.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import passthrough from '../cases/passthrough.ts'
import { type HarnessOptions, parseCommandLine, settingsOf } from '../options.ts'
import { type RunFigures, runOnce } from '../run.ts'
import { type Fault, STALL_MS } from './faulty-router.ts'

const ROUTER = fileURLToPath(new URL('./faulty-router.ts', import.meta.url))
const linux = { skip: process.platform === 'linux' ? false : 'CPU and memory are read from /proc' }
const ITEMS = 100

/** 100 requests in two seconds, one at a time, after ten others. */
function measure(fault: Fault): Promise<RunFigures> {
  const line = `--case passthrough --protocol http --items ${ITEMS} --rate 5000 --in-flight 1 --duration 2s --warm-up 200ms`
  const options = parseCommandLine(line.split(' '), ['passthrough']) as unknown as HarnessOptions
  const command = [process.execPath, ROUTER, fault]
  const sut = { name: fault, command, version: '', profiles: false }
  return runOnce(sut, settingsOf('passthrough', passthrough, options)[0]!)
}

test(
  'what a router answers OK and drops is lost, what it sends twice comes again, and one does not hide the other',
  linux,
  async () => {
    const { items, lost, duplicates } = await measure('lossy')
    const tenth = items / 10
    // Requests before the first fault are good ones.
    for (const [what, found] of Object.entries({ lost, duplicates }))
      assert.ok(found > tenth * 0.7 && found <= tenth + ITEMS, `${found} items ${what} of ${items}`)
  },
)

test('a router that stalls shows it in the percentiles of all that was due meanwhile', linux, async () => {
  // One request was on its way and 24 waited for it. Timed from when they left, only the one would be slow: a hundredth,
  // which is not in the p99.
  const { answerMs, arrivalMs } = await measure('stall')
  assert.ok(answerMs.p99 > STALL_MS * 0.9, `p99 of the answer ${answerMs.p99} ms`)
  assert.ok(arrivalMs!.p99 > STALL_MS * 0.9, `p99 of the arrival ${arrivalMs!.p99} ms`)
})

test('a router that ends in the middle is said to have ended, at once', linux, async () => {
  await assert.rejects(measure('die'), /^Error: the router ended with 7 in the middle of it/)
})
