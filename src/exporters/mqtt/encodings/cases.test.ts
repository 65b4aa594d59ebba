// Every encoding has a case that a person can read: requests in, messages out; npm run golden writes what comes out.

import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { type IPublishPacket, parser } from 'mqtt-packet'
import { parse } from 'yaml'
import { batchOf, REQUEST_KEY } from '../../../../test/support/harness.ts'
import { parseConfig } from '../../../config/testing.ts'
import type { MessageList } from '../../../net/mqtt/message-list.ts'
import { bytesToJson } from '../../../otlp/json/index.ts'
import { SIGNALS, type Signal } from '../../../otlp/signal.ts'
import { Writer } from '../../../wire/writer.ts'
import { config } from '../config.ts'
import { encoderOf } from './encodings.ts'

const CASES = new URL('cases/', import.meta.url).pathname

/** What a broker would be sent, in words. */
function wordsOf(list: MessageList, signal: Signal): object[] {
  const words: object[] = []
  const reader = parser({ protocolVersion: 5 })
  reader.on('packet', (packet) => {
    const { topic, payload, properties } = packet as IPublishPacket
    const bytes = payload as Buffer
    const isEncoded = properties?.contentType === 'application/x-protobuf'
    const { contentType, ...others } = { ...properties }
    words.push({ topic, payload: isEncoded ? bytesToJson(signal, [bytes]) : bytes.toString(), contentType, ...others })
  })
  const options = { version: 5, qos: 0, retain: false, dup: false, id: 0, alias: 0, hasTopic: true } as const
  for (let i = 0; i < list.count; i++) {
    const out = new Writer()
    list.writeFrame(out, i, options)
    assert.equal(out.length, list.frameBytes(i, options))
    reader.parse(Buffer.from(out.toBytes()))
  }
  return words
}

for (const name of readdirSync(CASES)) {
  test(`encoding: ${name.replaceAll('-', ' ')}`, () => {
    const folder = join(CASES, name)
    const cfg = parseConfig(config, parse(readFileSync(join(folder, 'config.yaml'), 'utf8')))
    const lines: string[] = []
    for (const line of readFileSync(join(folder, 'input.jsonl'), 'utf8').trim().split('\n')) {
      const signal = SIGNALS.find((one) => Object.hasOwn(JSON.parse(line), REQUEST_KEY[one]))!
      const batch = batchOf(signal, line)
      const { list, leftOut } = encoderOf(cfg, signal, 'mqtt').encode(batch)
      for (const message of wordsOf(list, signal)) lines.push(JSON.stringify(message))
      if (leftOut.size > 0) lines.push(JSON.stringify({ left_out: Object.fromEntries(leftOut) }))
      let items = 0
      for (let i = 0; i < list.count; i++) items += list.items(i)
      for (const left of leftOut.values()) items += left
      assert.equal(items, batch.items, 'every item is in a message or left out')
    }
    const file = join(folder, 'messages.jsonl')
    const actual = `${lines.join('\n')}\n`
    if (process.env.GOLDEN === 'write') writeFileSync(file, actual)
    assert.ok(existsSync(file), 'there is no messages.jsonl yet: npm run golden writes it')
    assert.equal(actual, readFileSync(file, 'utf8'))
  })
}
