// Slow hashes in a thread of their own, so that a stranger who guesses passwords costs one core a part of its time and
// the shard nothing. The thread starts with the first question; what waits for it is bounded.

import { Worker } from 'node:worker_threads'
import type { Answer, Question } from './verifier-thread.ts'

/** Questions that wait; one more is not taken. A bcrypt of cost 10 answers some fifteen in a second. */
export const MAX_WAITING = 64

const THREAD = new URL(
  import.meta.url.endsWith('.ts') ? './verifier-thread.ts' : './verifier-thread.js',
  import.meta.url,
)

export class Verifier {
  readonly #waiting = new Map<number, (right: boolean | undefined) => void>()
  #thread: Worker | undefined
  #number = 0
  #stopped = false

  /** Undefined when too many wait. Resolves to undefined when the thread ended before it could answer. */
  verify(password: string, hash: string): Promise<boolean | undefined> | undefined {
    if (this.#stopped || this.#waiting.size >= MAX_WAITING) return undefined
    const thread = this.#running()
    const question: Question = { number: this.#number++, password, hash }
    return new Promise((resolve) => {
      this.#waiting.set(question.number, resolve)
      thread.postMessage(question)
    })
  }

  async stop(): Promise<void> {
    this.#stopped = true
    await this.#thread?.terminate()
  }

  #running(): Worker {
    if (this.#thread !== undefined) return this.#thread
    const thread = new Worker(THREAD)
    thread.unref()
    thread.on('message', ({ number, right }: Answer) => {
      const resolve = this.#waiting.get(number)
      this.#waiting.delete(number)
      resolve?.(right)
    })
    // It ends when it is stopped, or by a mistake of ours: the next question starts another one.
    thread.on('error', () => {})
    thread.on('exit', () => {
      if (this.#thread === thread) this.#thread = undefined
      const waiting = [...this.#waiting.values()]
      this.#waiting.clear()
      for (const resolve of waiting) resolve(undefined)
    })
    this.#thread = thread
    return thread
  }
}
