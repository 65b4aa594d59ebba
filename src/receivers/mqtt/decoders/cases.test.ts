// Every payload form has a case that a person can read; npm run golden writes what comes out.

import assert from 'node:assert/strict'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { DECODERS } from './decoders.ts'
import { asMessage, decoderCases } from './testing-cases.ts'

const cases = decoderCases()

for (const one of cases) {
  test(`decoder ${one.decoder}: ${one.name.replaceAll('-', ' ')}`, () => {
    const rig = one.rig()
    const lines: string[] = []
    for (const message of one.messages) {
      const refused = rig.push(message.payload, asMessage(message))
      if (refused !== undefined) lines.push(JSON.stringify({ refused: refused.reason, why: refused.message }))
      lines.push(...rig.takenRequests())
      for (const clock of rig.badClocks.splice(0)) lines.push(JSON.stringify({ clock }))
    }
    const file = join(one.folder, 'output.jsonl')
    const actual = `${lines.join('\n')}\n`
    if (process.env.GOLDEN === 'write') writeFileSync(file, actual)
    assert.ok(existsSync(file), 'there is no output.jsonl yet: npm run golden writes it')
    assert.equal(actual, readFileSync(file, 'utf8'))
  })

  test(`decoder ${one.decoder}: ${one.name.replaceAll('-', ' ')}: every beginning of a message is read or refused`, () => {
    for (const message of one.messages)
      for (let length = 0; length < message.payload.length; length++) {
        const rig = one.rig()
        // takenRequests checks what was written as a door would; anything but BadPayload is thrown by push.
        rig.push(message.payload.subarray(0, length), asMessage(message))
        rig.takenRequests()
      }
  })
}

test('every decoder of payloads has a case', () => {
  const own = new Set(['json_points', 'value', 'text', 'auto', 'sparkplug_b'])
  const without = DECODERS.map(({ name }) => name).filter(
    (name) => !own.has(name) && !name.startsWith('otlp') && !cases.some((one) => one.decoder === name),
  )
  assert.deepEqual(without, [])
})
