// HPACK and its Huffman code, and a peer that sends anything.

import assert from 'node:assert/strict'
import { connect } from 'node:http2'
import { test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { FLAG, FRAME, FrameReader, PREFACE } from '../../src/net/http2/frame.ts'
import { HpackDecoder, HpackEncoder, HpackError, MAX_HEADER_LIST_BYTES } from '../../src/net/http2/hpack.ts'
import { readHuffman } from '../../src/net/http2/huffman.ts'
import { type Choose, chooser } from '../support/scramble.ts'
import { fuzz, runs } from './harness.ts'
import { MemorySocket } from './http2-peer.ts'

function findHeaders(decoder: HpackDecoder, block: Uint8Array): [string, string][] | undefined {
  const list: [string, string][] = []
  try {
    decoder.decode(block, 0, block.length, (name, value) => list.push([name, value]))
    return list
  } catch (error) {
    assert.ok(error instanceof HpackError, String(error))
    return undefined
  }
}

test('a header block of any bytes is an HpackError or a bounded list, which our encoder writes and we read again', async () => {
  let passed = 0
  await fuzz({
    name: 'hpack',
    inputs: 5000,
    run(bytes) {
      const decoder = new HpackDecoder()
      const list = findHeaders(decoder, bytes)
      if (list === undefined) return
      passed++
      const size = list.reduce((sum, [name, value]) => sum + name.length + value.length + 32, 0)
      assert.ok(size <= MAX_HEADER_LIST_BYTES)
      // The table has changed; whatever the same block means now, it keeps to the rules.
      findHeaders(decoder, bytes)
      // Our encoder writes text as UTF-8, which reads back as one character a byte.
      const bytesOf = (text: string): string => Buffer.from(text).toString('latin1')
      const expected = list.map(([name, value]) => [bytesOf(name), bytesOf(value)])
      for (const tableBytes of [0, 300, 4096]) {
        const encoder = new HpackEncoder(tableBytes)
        const again = new HpackDecoder()
        for (let round = 0; round < 3; round++)
          if (JSON.stringify(expected).length < MAX_HEADER_LIST_BYTES / 2)
            assert.deepEqual(findHeaders(again, encoder.encode(list)), expected)
      }
    },
  })
  assert.ok(passed > 500, `only ${passed} blocks were read`)
})

test('any bytes as a Huffman string are text or an error, and without its last bytes the text begins the same', async () => {
  const find = (bytes: Uint8Array): string | undefined => {
    try {
      return readHuffman(bytes, 0, bytes.length)
    } catch (error) {
      assert.match((error as Error).message, /^HPACK/)
      return undefined
    }
  }
  let passed = 0
  await fuzz({
    name: 'huffman',
    inputs: 5000,
    run(bytes) {
      const text = find(bytes)
      if (text === undefined) return
      passed++
      // The shortest codes have five bits.
      assert.ok(text.length <= (bytes.length * 8) / 5)
      for (let length = 0; length < Math.min(bytes.length, 50); length++) {
        const start = find(bytes.subarray(0, length))
        if (start !== undefined) assert.ok(text.startsWith(start))
      }
    },
  })
  assert.ok(passed > 500, `only ${passed} strings were read`)
})

function randomHeaders(choose: Choose): Record<string, string> {
  const headers: Record<string, string> = { ':path': `/${choose(40)}` }
  for (let count = choose(6); count > 0; count--) {
    const length = choose(10) === 0 ? choose(3000) : choose(40)
    // What a value may hold (RFC 9110 5.5): visible ASCII and bytes above it.
    const value = Array.from({ length }, () =>
      String.fromCharCode(choose(3) === 0 ? 0xa1 + choose(95) : 0x21 + choose(94)),
    )
    headers[`x-${choose(12)}`] = value.join('')
  }
  return headers
}

test('what nghttp2 packs, with its Huffman code and its table, we read as it was meant', async () => {
  const choose = chooser(Number(process.env.FUZZ_SEED ?? 1))
  for (let left = runs(300); left > 0; left -= 60) {
    const socket = new MemorySocket()
    const { chunks } = socket
    const client = connect('http://plant.example', { createConnection: () => socket })
    client.on('error', () => {})
    const sent = Array.from({ length: Math.min(60, left) }, () => randomHeaders(choose))
    for (const headers of sent) client.request(headers).on('error', () => {})
    while (client.state.outboundQueueSize !== 0 || chunks.length === 0) await turn()
    await turn()
    const read: Record<string, string>[] = []
    const decoder = new HpackDecoder()
    let block: Uint8Array[] = []
    const reader = new FrameReader((type, flags, _, bytes, from, to) => {
      if (type !== FRAME.HEADERS && type !== FRAME.CONTINUATION) return
      block.push(bytes.slice(from, to))
      if ((flags & FLAG.END_HEADERS) === 0) return
      const { ':path': path = '', ...rest } = Object.fromEntries(findHeaders(decoder, Buffer.concat(block))!)
      read.push({ ':path': path, ...Object.fromEntries(Object.entries(rest).filter(([name]) => name[0] === 'x')) })
      block = []
    })
    reader.push(Buffer.concat(chunks).subarray(PREFACE.length))
    client.destroy()
    assert.deepEqual(read, sent)
  }
})
