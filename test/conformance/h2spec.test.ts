// h2spec, a test program for HTTP/2 servers written in Go (RFC 7540 and RFC 7541), against our session on a bare socket.

import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { H2_ERROR } from '../../src/net/http2/frame.ts'
import type { HeaderList } from '../../src/net/http2/hpack.ts'
import { ServerSession } from '../../src/net/http2/server-session.ts'
import { greeting } from '../../src/net/http2/server-settings.ts'
import type { ServerStream } from '../../src/net/http2/server-stream.ts'
import { Slabs } from '../../src/net/http2/slabs.ts'
import { findProgram } from '../support/programs.ts'

/** RFC 9113 5.3.2 took the tree of priorities out of HTTP/2, and with it the error of a stream that depends on itself. */
const OF_RFC_7540_ALONE = ['Sends HEADERS frame that depend on itself', 'Sends PRIORITY frame that depend on itself']

const HEAD: HeaderList = [[':status', '200']]
const TRAILERS: HeaderList = [['x-end', 'y']]
const SETTINGS = {
  maxStreams: 100,
  maxHeaderListBytes: 64 * 1024,
  maxHeaders: 200,
  maxFrameBytes: 16_384,
  streamWindowBytes: 65_535,
  connectionWindowBytes: 1024 * 1024,
}
/** Streams stay open so long, so that there can be too many. */
const ANSWER_AFTER_MS = 20

/** Answers whatever is asked, with a body. Returns the port. */
async function serve(t: TestContext): Promise<number> {
  const hello = greeting(SETTINGS)
  const slabs = new Slabs()
  const sockets = new Set<Socket>()
  const answerTo = (stream: ServerStream): void => {
    if (!stream.closed) stream.answer(HEAD, Buffer.from('answer'), TRAILERS)
  }
  const server = createServer({ noDelay: true }, (socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
    const session = new ServerSession(
      socket,
      SETTINGS,
      hello,
      {
        onRequest(stream) {
          stream.listener = {
            onData() {},
            onEnd: () => void setTimeout(answerTo, ANSWER_AFTER_MS, stream),
            onClosed() {},
          }
        },
        onOpen() {},
        onControlFrame() {},
        onPong() {},
        onMalformed() {},
        onFailed: (error) => assert.ok('code' in error && error.code !== H2_ERROR.INTERNAL_ERROR, String(error)),
        onClosed() {},
      },
      slabs,
    )
    socket.on('data', (chunk: Buffer) => session.received(chunk))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return (server.address() as { port: number }).port
}

const h2spec = findProgram('h2spec')

test('h2spec finds nothing but what RFC 9113 has dropped', {
  skip: typeof h2spec === 'string' && h2spec,
}, async (t) => {
  if (typeof h2spec === 'string') return
  const folder = mkdtempSync(join(tmpdir(), 'millrace-h2spec-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const report = join(folder, 'report.xml')
  const args = [...h2spec.args, '-h', '127.0.0.1', '-p', String(await serve(t)), '-o', '1', '-j', report]
  await new Promise((resolve) => execFile(h2spec.command, args, { timeout: 100_000 }, resolve))
  const cases = [
    ...readFileSync(report, 'utf8').matchAll(/<testcase [^>]*?classname="([^"]*)"[^>]*?(\/>|>[\s\S]*?<\/testcase>)/g),
  ]
  const those = (mark: string): string[] => cases.filter((one) => one[2]!.includes(mark)).map((one) => one[1]!)
  const failed = [...those('<failure'), ...those('<error')]
  assert.deepEqual(failed, OF_RFC_7540_ALONE)
  t.diagnostic(`${cases.length} cases, ${those('<skipped').length} skipped`)
  assert.ok(cases.length - those('<skipped').length >= 140, `only ${cases.length} cases were run`)
})
