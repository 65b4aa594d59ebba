// Files with secrets in them: who else can read or change one is told once, at start; what changes is taken while we run.

import { readFileSync, type Stats, statSync } from 'node:fs'
import { readFile, stat } from 'node:fs/promises'
import type { Clock, Timer } from '../graph/clock.ts'
import type { Logger } from '../self/log.ts'

/** How often a file is looked at. Its name is followed anew each time, as Kubernetes swaps a link to a new version. */
export const LOOK_EVERY_MS = 1_000
/** A file that is larger holds no credentials. */
const MAX_BYTES = 4 * 1024 * 1024

/** What is wrong with who may use the file, in words; undefined when nothing is, and where files have no modes. */
export function openFileWords(facts: Pick<Stats, 'mode' | 'uid'>, ownUid: number | undefined): string | undefined {
  if (ownUid === undefined) return undefined
  const wrong: string[] = []
  if ((facts.mode & 0o004) !== 0) wrong.push('everybody on this machine can read it')
  if ((facts.mode & 0o022) !== 0) wrong.push('others than its owner can change it')
  if (facts.uid !== 0 && facts.uid !== ownUid) wrong.push(`it belongs to user ${facts.uid}, who is neither root nor us`)
  return wrong.length === 0 ? undefined : wrong.join(', ')
}

/** One warning for a file of secrets that others can read or change; none for one that is as it should be, or missing. */
export function warnOfOpenFile(path: string, log: Logger): void {
  let facts: Stats
  try {
    facts = statSync(path)
  } catch {
    return // Whoever reads it has the better words.
  }
  const words = openFileWords(facts, process.getuid?.())
  if (words === undefined) return
  const mode = (facts.mode & 0o777).toString(8).padStart(4, '0')
  log.warn(`a file with secrets is too open: ${words}`, { path, mode, fix: `chmod 600 ${path}` })
}

export interface FileSurroundings {
  readonly clock: Clock
  readonly log: Logger
}

/** A file that is read at start and again whenever it has changed. One that cannot be read or used leaves the old value. */
export class WatchedFile<T> {
  readonly #path: string
  readonly #parse: (text: string) => T
  readonly #around: FileSurroundings
  readonly #onChange: ((value: T) => void) | undefined
  #value: T | undefined
  #version = ''
  #timer: Timer | undefined
  #looking = false

  /** `parse` throws an Error that says what is wrong, without quoting what is in the file. */
  constructor(path: string, parse: (text: string) => T, around: FileSurroundings, onChange?: (value: T) => void) {
    this.#path = path
    this.#parse = parse
    this.#around = around
    this.#onChange = onChange
  }

  /** As last read well. Only after start(). */
  get value(): T {
    return this.#value as T
  }

  /** Reads and begins to watch. Throws an Error that names the file when it cannot be read or used. */
  start(): T {
    const { clock, log } = this.#around
    warnOfOpenFile(this.#path, log)
    try {
      this.#version = fileVersion(statSync(this.#path))
      this.#value = this.#parse(readFileSync(this.#path, 'utf8'))
    } catch (cause) {
      throw new Error(`${this.#path} cannot be used: ${(cause as Error).message}`, { cause })
    }
    this.#timer = clock.every(LOOK_EVERY_MS, () => void this.look())
    return this.#value
  }

  stop(): void {
    this.#timer?.cancel()
  }

  /** Reads again if it has changed. Never rejects. */
  async look(): Promise<void> {
    if (this.#looking) return
    this.#looking = true
    const { log } = this.#around
    let version = ''
    try {
      const facts = await stat(this.#path)
      version = fileVersion(facts)
      if (version === this.#version) return
      if (facts.size > MAX_BYTES) throw new Error('it is too large')
      const value = this.#parse(await readFile(this.#path, 'utf8'))
      this.#value = value
      log.info('a file has changed and was read again', { path: this.#path })
      this.#onChange?.(value)
    } catch (error) {
      // Once for each version of it, also for the one that is gone.
      if (version === this.#version) return
      log.error('a file has changed and cannot be used; what it held before stays in use', {
        path: this.#path,
        error: (error as Error).message,
      })
    } finally {
      this.#version = version
      this.#looking = false
    }
  }
}

/** Other whenever the file was written, replaced or given other rights. */
export const fileVersion = ({ dev, ino, size, mtimeMs, ctimeMs }: Stats): string =>
  `${dev} ${ino} ${size} ${mtimeMs} ${ctimeMs}`
