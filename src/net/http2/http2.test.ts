import assert from 'node:assert/strict'
import { EventEmitter } from 'node:events'
import type { Socket } from 'node:net'
import { test } from 'node:test'
import { ClientSession } from './client-session.ts'
import { FLAG, FRAME, FrameReader, H2ConnectionError, numberFrame, payloadFrame, settingsFrame } from './frame.ts'
import { type HeaderList, HpackDecoder, HpackEncoder, HpackError, MAX_HEADER_LIST_BYTES } from './hpack.ts'
import { readHuffman } from './huffman.ts'

const hex = (text: string): Buffer => Buffer.from(text.replaceAll(' ', ''), 'hex')

function decode(decoder: HpackDecoder, bytes: Uint8Array): string[] {
  const out: string[] = []
  decoder.decode(bytes, 0, bytes.length, (name, value) => out.push(`${name}: ${value}`))
  return out
}

const random = (seed: number) => (): number => {
  seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0
  return seed / 2 ** 32
}

test('the examples of RFC 7541 appendix C.3 and C.4 read as they should, with the table that they build', () => {
  const plain = [
    '828684410f7777772e6578616d706c652e636f6d',
    '828684be58086e6f2d6361636865',
    '828785bf400a637573746f6d2d6b65790c637573746f6d2d76616c7565',
  ]
  const huffman = [
    '828684418cf1e3c2e5f23a6ba0ab90f4ff',
    '828684be5886a8eb10649cbf',
    '828785bf408825a849e95ba97d7f8925a849e95bb8e8b4bf',
  ]
  const expected = [
    [':method: GET', ':scheme: http', ':path: /', ':authority: www.example.com'],
    [':method: GET', ':scheme: http', ':path: /', ':authority: www.example.com', 'cache-control: no-cache'],
    [':method: GET', ':scheme: https', ':path: /index.html', ':authority: www.example.com', 'custom-key: custom-value'],
  ]
  for (const blocks of [plain, huffman]) {
    const decoder = new HpackDecoder()
    for (const [i, block] of blocks.entries()) assert.deepEqual(decode(decoder, hex(block)), expected[i])
  }
})

test('a table that the sender made smaller evicts the oldest entries (RFC 7541 C.5 shape)', () => {
  const decoder = new HpackDecoder()
  assert.deepEqual(decode(decoder, hex('3f1f')), []) // table size 62
  assert.deepEqual(decode(decoder, Buffer.concat([hex('4001 61 01 62'), hex('4001 63 01 64')])), ['a: b', 'c: d'])
  assert.deepEqual(decode(decoder, hex('be')), ['c: d'])
  assert.throws(() => decode(decoder, hex('bf')), HpackError)
})

test('a header block that breaks the rules is an HpackError', () => {
  const bad = {
    'index 0': '80',
    'index beyond the table': 'ff00',
    'endless integer': 'ffffffffffffffff',
    'integer cut': 'ff',
    'name cut': '400a61',
    'value cut': '400161 05 62',
    'table larger than allowed': '3fe2ff03',
    'size update after a header': '82 20',
    'Huffman padding of zeros': '4001 61 81 00',
    'Huffman padding of a whole octet': '4001 61 82 1f ff',
    'end of string inside': '4001 61 84 ffffffff',
  }
  for (const [what, block] of Object.entries(bad))
    assert.throws(() => decode(new HpackDecoder(), hex(block)), HpackError, what)
})

test('what a block may decode to is bounded, however small it is', () => {
  const decoder = new HpackDecoder()
  decode(decoder, Buffer.concat([hex('4001 61'), hex('7f 8101'), Buffer.alloc(256, 98)]))
  const bomb = Buffer.alloc(MAX_HEADER_LIST_BYTES / 256, 0xbe)
  assert.throws(() => decode(decoder, bomb), HpackError)
})

test('what the encoder writes the decoder reads, block after block, also when the table changes its size', () => {
  const lists: HeaderList[] = [
    [
      [':method', 'POST'],
      [':path', '/a'],
      ['x-a', '1'],
      ['te', 'trailers'],
    ],
    [
      [':method', 'POST'],
      [':path', '/b'],
      ['x-a', '1'],
      ['x-long', 'v'.repeat(3000)],
    ],
    [
      [':method', 'POST'],
      [':path', '/c'],
      ['x-longer', 'v'.repeat(5000)],
    ],
  ]
  for (const size of [4096, 0, 100, 65_536]) {
    const encoder = new HpackEncoder(size)
    const decoder = new HpackDecoder()
    const lengths: number[] = []
    for (let round = 0; round < 6; round++)
      for (const list of lists) {
        if (round === 4) encoder.resize(round % 2 === 0 ? 200 : 0)
        const block = encoder.encode(list)
        lengths.push(block.length)
        assert.deepEqual(
          decode(decoder, block),
          list.map(([name, value]) => `${name}: ${value}`),
        )
      }
    if (size >= 4096) assert.ok(lengths[3]! <= 6, 'repeated headers are a byte each')
  }
})

test('every truncation of a block is read or refused, and nothing else', () => {
  const encoder = new HpackEncoder(0)
  const block = encoder.encode([
    [':status', '200'],
    ['content-type', 'application/grpc'],
    ['grpc-status', '0'],
    ['x', 'y'.repeat(300)],
  ])
  const whole = Buffer.concat([block, hex('418cf1e3c2e5f23a6ba0ab90f4ff')])
  for (let to = 0; to < whole.length; to++) {
    try {
      decode(new HpackDecoder(), whole.subarray(0, to))
    } catch (error) {
      assert.ok(error instanceof HpackError)
    }
  }
})

test('fuzz: any bytes as Huffman or header block give text or an error of their kind', () => {
  const next = random(7)
  for (let i = 0; i < 20_000; i++) {
    const bytes = Uint8Array.from({ length: Math.floor(next() * 40) }, () => Math.floor(next() * 256))
    try {
      readHuffman(bytes, 0, bytes.length)
    } catch (error) {
      assert.match((error as Error).message, /^HPACK/)
    }
    try {
      decode(new HpackDecoder(), bytes)
    } catch (error) {
      assert.ok(error instanceof HpackError, String(error))
    }
  }
})

test('frames come out whole however their bytes were cut', () => {
  const stream = Buffer.concat([
    settingsFrame([[4, 100]]),
    payloadFrame(FRAME.DATA, 0, 1, Buffer.alloc(16_384, 7)),
    payloadFrame(FRAME.PING, 0, 0, Buffer.alloc(8)),
    payloadFrame(FRAME.DATA, FLAG.END_STREAM, 0x7fffffff, Buffer.alloc(0)),
    numberFrame(FRAME.WINDOW_UPDATE, 3, 1),
  ])
  const read = (step: number): string[] => {
    const seen: string[] = []
    const reader = new FrameReader((type, flags, id, bytes, from, to) =>
      seen.push(`${type} ${flags} ${id} ${to - from} ${bytes.subarray(from, to).reduce((a, b) => a + b, 0)}`),
    )
    for (let at = 0; at < stream.length; at += step) {
      const chunk = Buffer.from(stream.subarray(at, at + step))
      reader.push(chunk)
      chunk.fill(0xff) // the reader keeps nothing of a chunk
    }
    return seen
  }
  const whole = read(stream.length)
  assert.equal(whole.length, 5)
  for (const step of [1, 2, 8, 9, 10, 1000, 16_393]) assert.deepEqual(read(step), whole)
  assert.throws(() => new FrameReader(() => {}).push(hex('010000 00 00 00000001')), H2ConnectionError)
})

/** A socket that only counts. */
class NullSocket extends EventEmitter {
  destroyed = false
  writableLength = 0
  written = 0
  cork(): void {}
  uncork(): void {}
  setTimeout(): void {}
  write(bytes: Uint8Array): boolean {
    this.written += bytes.length
    return true
  }
  end(bytes: Uint8Array): void {
    this.write(bytes)
  }
  destroySoon(): void {
    this.destroyed = true
  }
}

/** A session over a NullSocket, what its owner heard, and how its streams ended. */
function stage(firstId?: number) {
  const socket = new NullSocket()
  const heard: string[] = []
  const session = new ClientSession(
    socket as unknown as Socket,
    {
      onOpen: () => heard.push('open'),
      onRoom: () => heard.push('room'),
      onDraining: () => heard.push('draining'),
      onCancelled: () => heard.push('cancelled'),
      onClosed: () => heard.push('closed'),
    },
    firstId,
  )
  session.received(settingsFrame([[3, 5]]))
  const send = () =>
    session.request([[':path', '/x']], [new Uint8Array(100)], 100, {
      onHeader() {},
      onHeadersEnd() {},
      onData() {},
      onEnd: () => heard.push('end'),
      onFail: () => heard.push('fail'),
    })
  return { socket, session, heard, send }
}

test('a stream that is cancelled before the socket took any of it makes room, is told, and lets a draining session close', () => {
  const { socket, session, heard, send } = stage()
  socket.writableLength = 2 ** 30
  const [one, two] = [send(), send()]
  assert.equal(one.headersSent, false)
  session.cancel(one)
  assert.deepEqual(heard, ['open', 'cancelled', 'room'])
  session.drain()
  session.cancel(two)
  assert.deepEqual(heard.slice(3), ['draining', 'cancelled', 'closed'])
})

test('the last stream that a connection can carry gets its answer before the connection ends', () => {
  const { session, heard, send } = stage(2 ** 31 - 3)
  const last = send()
  assert.deepEqual([session.room, session.active, last.headersSent], [0, 1, true])
  const headers = new HpackEncoder(0).encode([['grpc-status', '0']])
  session.received(payloadFrame(FRAME.HEADERS, FLAG.END_STREAM | FLAG.END_HEADERS, last.id, headers))
  assert.deepEqual(heard, ['open', 'draining', 'end', 'closed'])
})

test('fuzz: whatever frames a server sends, every stream ends at most once and the session survives or closes', () => {
  const next = random(11)
  const pick = (n: number): number => Math.floor(next() * n)
  let closed = 0
  let ended = 0
  for (let i = 0; i < 3000; i++) {
    const socket = new NullSocket()
    let isClosed = false
    const session = new ClientSession(socket as unknown as Socket, {
      onOpen() {},
      onRoom() {},
      onDraining() {},
      onCancelled() {},
      onClosed() {
        assert.equal(isClosed, false)
        isClosed = true
      },
    })
    session.received(settingsFrame([[3, 5]]))
    const ends = [0, 0, 0]
    for (const at of ends.keys())
      session.request([[':path', '/x']], [new Uint8Array(100)], 100, {
        onHeader() {},
        onHeadersEnd() {},
        onData() {},
        onEnd: () => void ends[at]!++,
        onFail: () => void ends[at]!++,
      })
    const encoder = new HpackEncoder(0)
    for (let frames = pick(12); frames > 0; frames--) {
      const id = [0, 1, 3, 5, 7, 2][pick(6)]!
      const flags = [0, 1, 4, 5, 8, 0x20, 0xff][pick(7)]!
      const body =
        pick(3) === 0
          ? encoder.encode([['grpc-status', '0']])
          : Buffer.from(Uint8Array.from({ length: pick(12) }, () => pick(256)))
      session.received(payloadFrame(pick(11), flags, id, body))
    }
    for (const count of ends) assert.ok(count <= 1)
    if (isClosed) closed++
    ended += ends.reduce((a, b) => a + b, 0)
    session.destroy(new Error('over'))
    assert.deepEqual(ends, [1, 1, 1])
  }
  assert.ok(closed > 100 && ended > 100)
})
