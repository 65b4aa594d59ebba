// Keeps the live view on a terminal: redraws in place once a second; without a terminal, plain lines now and then.

import { stripVTControlCharacters } from 'node:util'
import type { Clock, Timer } from '../graph/clock.ts'
import type { RouterSnapshot } from './snapshot.ts'
import { pipelineRates } from './snapshot.ts'
import { renderPlain, renderPointers, renderScreen } from './terminal.ts'

/** The part of a terminal, or of a pipe, that the view needs. */
export interface Screen {
  readonly isTTY?: boolean
  readonly columns?: number
  readonly rows?: number
  write(text: string): unknown
}

export interface LiveViewOptions {
  readonly screen: Screen
  readonly clock: Clock
  readonly take: () => Promise<RouterSnapshot>
  /** Environment: NO_COLOR (no-color.org) and TERM=dumb are understood. */
  readonly env?: Readonly<Record<string, string | undefined>>
  readonly redrawEveryMs?: number
  readonly plainEveryMs?: number
}

export class LiveView {
  readonly #options: LiveViewOptions
  readonly #inPlace: boolean
  readonly #color: boolean
  #timer: Timer | undefined
  #before: RouterSnapshot | undefined
  #drawing = false
  #linesOnScreen = 0

  constructor(options: LiveViewOptions) {
    const env = options.env ?? {}
    this.#options = options
    this.#inPlace = options.screen.isTTY === true && env.TERM !== 'dumb'
    this.#color = this.#inPlace && (env.NO_COLOR ?? '') === ''
  }

  async start(): Promise<void> {
    const { clock, redrawEveryMs = 1_000, plainEveryMs = 5_000 } = this.#options
    if (!this.#inPlace) this.#print(renderPointers(await this.#options.take()))
    await this.draw()
    this.#timer = clock.every(this.#inPlace ? redrawEveryMs : plainEveryMs, () => void this.draw())
  }

  /** Takes a snapshot and shows it; does nothing while the last one is still on its way. */
  async draw(): Promise<void> {
    if (this.#drawing) return
    this.#drawing = true
    try {
      const now = await this.#options.take()
      const rates = pipelineRates(this.#before, now)
      if (this.#inPlace) this.#redraw(now, rates)
      else if (this.#before !== undefined) this.#print(renderPlain(now, rates))
      this.#before = now
    } catch {
      // The router is stopping: its last words are the totals.
    } finally {
      this.#drawing = false
    }
  }

  /** The last picture stays on the screen. */
  stop(): void {
    this.#timer?.cancel()
    this.#timer = undefined
    this.#linesOnScreen = 0
  }

  #redraw(now: RouterSnapshot, rates: ReturnType<typeof pipelineRates>): void {
    const { screen } = this.#options
    const rows = screen.rows ?? 24
    const traceRows = Math.max(2, Math.min(12, rows - now.pipelines.length - now.endpoints.length - 11))
    const lines = renderScreen(now, rates, { width: (screen.columns ?? 80) - 1, color: this.#color, traceRows })
    // More lines than rows would scroll, and the cursor would not find the first line again.
    const shown = lines.slice(0, Math.max(1, rows - 1))
    const home = this.#linesOnScreen === 0 ? '' : `\x1b[${this.#linesOnScreen}F`
    screen.write(`${home}${shown.map((line) => `${line}\x1b[K\n`).join('')}\x1b[J`)
    // A word that is longer than a line takes several rows of the terminal.
    const columns = screen.columns ?? Number.POSITIVE_INFINITY
    const rowsOf = (line: string): number => Math.max(1, Math.ceil(stripVTControlCharacters(line).length / columns))
    this.#linesOnScreen = shown.reduce((sum, line) => sum + rowsOf(line), 0)
  }

  #print(lines: readonly string[]): void {
    this.#options.screen.write(lines.map((line) => `${line}\n`).join(''))
  }
}
