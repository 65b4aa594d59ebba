// The Collector's translators, in Go, called with requests; and what they make beside what we make.

import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import type { Signal } from '../../../src/otlp/signal.ts'
import { encode } from '../../support/oracle.ts'
import type { Program } from '../../support/programs.ts'
import { chooser } from '../../support/scramble.ts'
import { type RequestOptions, request } from './requests.ts'

/** For each thing that is compared; TRANSLATED_REQUESTS and SEED say others. */
export const REQUESTS = Number(process.env.TRANSLATED_REQUESTS ?? 100)
export const SEED = Number(process.env.SEED ?? 1)
const SHOWN_LINES = 5
const LENGTH_BYTES = 4

export function requests(signal: Signal, options?: RequestOptions): Uint8Array[] {
  const choose = chooser(SEED)
  return Array.from({ length: REQUESTS }, () => encode(signal, request(signal, choose, options)))
}

/** What the Collector's translator of that name makes of each request. */
export function translated({ command, args }: Program, name: string, list: readonly Uint8Array[]): Buffer[] {
  const frames = list.flatMap((bytes) => {
    const length = Buffer.alloc(LENGTH_BYTES)
    length.writeUInt32BE(bytes.length)
    return [length, bytes]
  })
  const input = Buffer.concat(frames)
  const { stdout, stderr, status } = spawnSync(command, [...args, name], { input, maxBuffer: 2 ** 30 })
  assert.equal(status, 0, String(stderr))
  const answers: Buffer[] = []
  for (let at = 0; at < stdout.length; ) {
    const from = at + LENGTH_BYTES
    at = from + stdout.readUInt32BE(at)
    answers.push(stdout.subarray(from, at))
  }
  return answers
}

/** That each of our lines is one of theirs, and the other way round; in any order. */
export function assertSame(name: string, i: number, ours: readonly string[], theirs: readonly string[]): void {
  const [mine, other] = [new Set(ours), new Set(theirs)]
  const only = (lines: Set<string>, others: Set<string>): string[] => [...lines].filter((line) => !others.has(line))
  const difference = { ours: only(mine, other), theirs: only(other, mine) }
  if (difference.ours.length + difference.theirs.length === 0) return
  const shown = (lines: string[], sign: string): string[] => lines.slice(0, SHOWN_LINES).map((line) => sign + line)
  const words = [...shown(difference.ours, '+ '), ...shown(difference.theirs, '- ')].join('\n')
  assert.fail(`${name}, request ${i} of seed ${SEED}: ours are not those of the Collector (-)\n${words}`)
}
