// From one assembly to the next while batches pass: nothing is lost, and what lives on notices nothing.
//
//   prepare   1. what is new and clashes with nothing starts, beside what runs
//             2. what is new and needs something that an old part holds (a port, a file, a queue on disk): the way into the
//                old part is closed, so that batches wait; it stops; the new one starts; the way leads into the new one
//             3. new receivers start: what they take goes the way that is there
//   commit    between two turns of the event loop everything that lives on is pointed to where the new plan wants it
//   drain     what is out stops in the order of flow: processors flush into the exporters they had, exporters send, and
//             what a replaced exporter could not send goes to the one in its place
//
// Whatever fails before the commit is undone step by step, and the assembly before runs on.

import type { Logger } from '../self/log.ts'
import type { Assembly, Draft } from './assembly.ts'
import { namesAddress } from './identity.ts'
import { ExporterWay, type Part, type Way } from './part.ts'

/** Names of components, as `receiver otlp`; a processor's is followed by its pipeline. */
export interface Changes {
  readonly kept: readonly string[]
  readonly started: readonly string[]
  readonly stopped: readonly string[]
}

/** An update that failed and could not be undone: the graph is to be started again as a whole. */
export class BrokenUpdate extends Error {}

export class Update {
  readonly removed: readonly Part[]
  readonly #before: Assembly
  readonly #draft: Draft
  /** Made anew for each wait. */
  readonly #deadline: () => AbortSignal
  readonly #log: Logger
  readonly #undo: (() => Promise<void>)[] = []

  constructor(before: Assembly, draft: Draft, deadline: () => AbortSignal, log: Logger) {
    this.#log = log
    this.#before = before
    this.#draft = draft
    this.#deadline = deadline
    this.removed = [...before.parts.values()].filter((part) => draft.parts.get(part.facts.key) !== part)
  }

  get changes(): Changes {
    const { created, parts } = this.#draft
    const names = (list: Iterable<Part>): string[] => [...list].map((part) => part.facts.key)
    const kept = [...parts.values()].filter((part) => !created.includes(part))
    return { kept: names(kept), started: names(created), stopped: names(this.removed) }
  }

  /** Rejects with the reason after all is as it was, or with a BrokenUpdate. */
  async prepare(): Promise<void> {
    const { late, early } = this.#clashes()
    const isDoor = (part: Part): boolean => part.facts.kind === 'receiver'
    try {
      for (const part of this.#created()) if (!late.has(part) && !isDoor(part)) await this.#start(part)
      await this.#replace(early)
      for (const part of this.#created()) if (late.has(part) && !isDoor(part)) await this.#start(part)
      this.#forward(early)
      for (const part of this.#created()) if (isDoor(part)) await this.#start(part)
    } catch (error) {
      await this.#rollBack(error as Error)
      throw error
    }
  }

  /** Synchronous, and throws nothing. */
  commit(): void {
    this.#draft.relink()
    const seats = new Set([...this.#draft.parts.values()].map(({ facts }) => `${facts.kind} ${facts.id}`))
    for (const part of this.removed) {
      part.retired = true
      this.#appointHeir(part)
      if (seats.has(`${part.facts.kind} ${part.facts.id}`)) part.meter.retire()
    }
  }

  /** Resolves when what is out has stopped, and what passed through its pipelines has settled. Never rejects. */
  async drain(): Promise<void> {
    const deadline = this.#deadline()
    await Promise.all(this.#out('receiver').map((part) => part.stop(deadline)))
    for (const part of this.#out('processor', 'connector', 'exporter')) await part.stop(deadline)
    const living = new Set(this.#draft.plan.pipelines.map(({ name }) => name))
    const gone = this.#before.plan.pipelines.filter(({ name }) => !living.has(name))
    const idle = Promise.all(gone.map(({ name }) => this.#before.entries.get(name)!.idle()))
    await Promise.race([idle, aborted(deadline)])
    for (const part of this.#out('extension')) await part.stop(deadline)
    for (const part of this.removed) {
      part.meter.release()
      const items = part.way instanceof ExporterWay ? part.way.heir.items : 0
      if (items > 0)
        this.#log.info('The new exporter takes over what the old one had not sent.', { id: part.facts.id, items })
    }
  }

  #created(): readonly Part[] {
    return [...this.#draft.parts.values()].filter((part) => this.#draft.created.includes(part))
  }

  /** Those that are out, in the order of stopping. */
  #out(...kinds: readonly string[]): Part[] {
    return this.removed.filter((part) => kinds.includes(part.facts.kind)).reverse()
  }

  /** Old parts that hold what a new one wants, and the new ones that have to wait for it. */
  #clashes(): { late: ReadonlySet<Part>; early: ReadonlySet<Part> } {
    const late = new Set<Part>()
    const early = new Set<Part>()
    for (const part of this.#created()) {
      const holders = this.removed.filter((old) => sharesOf(old, part))
      for (const old of holders) early.add(old)
      // Extensions come first among the parts, so those that use one that has to wait are found.
      if (holders.length > 0 || this.#usesOneOf(part, late)) late.add(part)
    }
    for (const old of this.removed) if (this.#usesOneOf(old, early)) early.add(old)
    return { late, early }
  }

  #usesOneOf(part: Part, others: ReadonlySet<Part>): boolean {
    return [...others].some(({ facts }) => facts.kind === 'extension' && part.facts.uses.includes(facts.id))
  }

  /** Stops them in the order of flow, each as soon as batches wait in front of it. */
  async #replace(early: ReadonlySet<Part>): Promise<void> {
    if (early.size === 0) return
    this.#undo.push(() => this.#revive([...early]))
    const deadline = this.#deadline()
    for (const part of this.#out('receiver', 'processor', 'connector', 'exporter', 'extension')) {
      if (!early.has(part)) continue
      part.way.close()
      this.#appointHeir(part)
      await part.stop(deadline)
    }
  }

  /** What an exporter gives back while it drains goes to the one in its place. */
  #appointHeir(old: Part): void {
    const successor = this.#draft.created.find((part) => part.facts.key === old.facts.key)
    if (old.way instanceof ExporterWay && successor?.way instanceof ExporterWay) old.way.heir.next = successor.way.input
  }

  #forward(parts: Iterable<Part>): void {
    const list = [...parts]
    if (list.length === 0) return
    this.#undo.push(async () => {
      for (const part of list) part.way.close()
    })
    for (const part of list) part.way.forwardTo(this.#successorOf(part))
  }

  #successorOf(old: Part): Way | undefined {
    const { created } = this.#draft
    const same = created.find((part) => part.facts.key === old.facts.key)
    return (same ?? created.find((part) => part.facts.kind === old.facts.kind && sharesOf(old, part)))?.way
  }

  /** Starts a new part; where its port is held by an old one, that one stops first. */
  async #start(part: Part): Promise<void> {
    try {
      await this.#startOnce(part)
      return
    } catch (error) {
      const taken = addressIn(error)
      const holders = this.removed.filter(
        (old) => taken !== undefined && old.isStarted && namesAddress(old.facts.declared, taken),
      )
      if (holders.length === 0) throw error
      this.#undo.push(() => this.#revive(holders))
      const deadline = this.#deadline()
      for (const old of holders) {
        old.way.close()
        this.#appointHeir(old)
      }
      // What listens gives its port back as soon as it begins to stop: the new one need not wait for the last answer.
      const stopped = Promise.all(holders.map((old) => old.stop(deadline)))
      await part.make()
      try {
        await this.#startOnce(part)
      } catch (again) {
        if (addressIn(again) === undefined) throw again
        await stopped
        await part.make()
        await this.#startOnce(part)
      }
      this.#forward(holders)
    }
  }

  async #startOnce(part: Part): Promise<void> {
    await part.start()
    this.#undo.push(() => part.stop(this.#deadline()))
    if (part.status === 'fatal') throw part.error ?? new Error(`${part.facts.key} gave up at once`)
  }

  /** Makes and starts parts again that were stopped too early, as it turns out. */
  async #revive(parts: readonly Part[]): Promise<void> {
    for (const part of this.#before.parts.values()) {
      if (!parts.includes(part)) continue
      await part.stop(this.#deadline())
      if (part.way instanceof ExporterWay) part.way.heir.next = undefined
      try {
        await part.make()
        await part.start()
      } catch (error) {
        for (const other of parts) if (!other.isStarted) other.way.forwardTo(undefined)
        throw new BrokenUpdate(`what ran before does not start any more: ${(error as Error).message}`, { cause: error })
      }
    }
  }

  async #rollBack(reason: Error): Promise<void> {
    let broken: Error | undefined
    for (const undo of this.#undo.reverse()) {
      try {
        await undo()
      } catch (error) {
        broken ??= error as Error
      }
    }
    for (const part of this.#draft.created) {
      // What waits in front of one that never ran.
      part.way.forwardTo(this.#before.parts.get(part.facts.key)?.way)
      part.meter.release()
    }
    if (broken !== undefined) throw new BrokenUpdate(`${reason.message}; ${broken.message}`, { cause: broken })
  }
}

const sharesOf = (old: Part, part: Part): boolean =>
  part.facts.exclusive.some((name) => old.facts.exclusive.includes(name))

/** The address that could not be listened on because it is taken, where that is what went wrong. */
function addressIn(error: unknown): { port?: number; address?: string } | undefined {
  for (let one = error; one instanceof Error; one = one.cause) {
    const { code, port, address } = one as NodeJS.ErrnoException & { port?: number; address?: string }
    if (code === 'EADDRINUSE')
      return { ...(port === undefined ? {} : { port }), ...(address === undefined ? {} : { address }) }
  }
  return undefined
}

export const aborted = (signal: AbortSignal): Promise<void> =>
  signal.aborted
    ? Promise.resolve()
    : new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
