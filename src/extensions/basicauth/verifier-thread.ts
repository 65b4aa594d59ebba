// The thread of verifier.ts: one question at a time.

import { parentPort } from 'node:worker_threads'
import { verifySlow } from './slow-hash.ts'

export interface Question {
  readonly number: number
  readonly password: string
  readonly hash: string
}

export interface Answer {
  readonly number: number
  readonly right: boolean
}

parentPort!.on('message', ({ number, password, hash }: Question) => {
  const answer: Answer = { number, right: verifySlow(password, hash) }
  parentPort!.postMessage(answer)
})
