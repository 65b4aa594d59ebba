// The live view as lines of text: snapshots in, lines out, nothing else. live.ts puts them on the screen.

import type { SlowTrace } from './slowest-trace.ts'
import type { PipelineRates, RouterSnapshot } from './snapshot.ts'
import { countText, durationText, fit, rateText, shortText, uptimeText } from './text.ts'

export interface RenderOptions {
  /** Columns of the terminal; lines are never longer. */
  readonly width: number
  readonly color: boolean
  /** Rows of the waterfall at most. */
  readonly traceRows?: number
}

const TRACE_ROWS = 12
/** Wide enough for every line that is not cut. */
const PLAIN_WIDTH = 500
const STYLE = { bold: '1', dim: '2', red: '31', green: '32', yellow: '33', cyan: '36' } as const
type Style = keyof typeof STYLE
type Paint = (style: Style, text: string) => string

const painter = (color: boolean): Paint =>
  color ? (style, text) => `\x1b[${STYLE[style]}m${text}\x1b[0m` : (_style, text) => text

/** The whole screen. */
export function renderScreen(
  snapshot: RouterSnapshot,
  rates: ReadonlyMap<string, PipelineRates>,
  options: RenderOptions,
): string[] {
  const width = Math.max(40, options.width)
  const paint = painter(options.color)
  const health = snapshot.healthy ? paint('green', 'healthy') : paint('red', 'not healthy')
  return [
    `${paint('bold', 'Millrace')}  up ${uptimeText(snapshot.uptimeMs)}, ${health}`,
    '',
    ...pipelineTable(snapshot, rates, width, paint),
    '',
    ...renderTrace(snapshot.slowest, { ...options, width }),
    '',
    ...pointers(snapshot, width, paint),
    '',
    paint('dim', fit('Ctrl-C drains what is on its way and prints the totals.', width).trimEnd()),
  ]
}

const COLUMN = 10

function pipelineTable(
  snapshot: RouterSnapshot,
  rates: ReadonlyMap<string, PipelineRates>,
  width: number,
  paint: Paint,
): string[] {
  // From the least important column: a narrow terminal loses them in this order.
  const titles = ['in/s', 'out/s', 'refused', 'dropped', 'in total', 'out total']
  const columns = Math.max(4, Math.min(titles.length, Math.floor((width - 12) / COLUMN)))
  const cell = Math.min(COLUMN, Math.floor((width - 8) / columns))
  const nameWidth = Math.min(28, width - columns * cell)
  const head =
    fit('pipeline', nameWidth) +
    titles
      .slice(0, columns)
      .map((title) => title.padStart(cell))
      .join('')
  const rows = snapshot.pipelines.map((pipeline) => {
    const rate = rates.get(pipeline.name)
    const figures: [string, Style | undefined][] = [
      [rateText(rate?.inPerSecond ?? 0), 'cyan'],
      [rateText(rate?.outPerSecond ?? 0), 'cyan'],
      [countText(pipeline.refused), pipeline.refused > 0 ? 'yellow' : undefined],
      [countText(pipeline.dropped), pipeline.dropped > 0 ? 'red' : undefined],
      [countText(pipeline.in), undefined],
      [countText(pipeline.delivered), undefined],
    ]
    const cells = figures
      .slice(0, columns)
      .map(([text, style]) => [shortText(text, cell - 1), style] as const)
      .map(([text, style]) => (style === undefined ? text.padStart(cell) : paint(style, text.padStart(cell))))
    return fit(pipeline.name, nameWidth) + cells.join('')
  })
  return [paint('dim', head), ...rows]
}

/** A trace as a waterfall: one row a span, its bar where and as long as the span was. */
export function renderTrace(trace: SlowTrace | undefined, options: RenderOptions): string[] {
  const paint = painter(options.color)
  if (trace === undefined) return [paint('dim', 'No trace yet.')]
  const { width } = options
  const shown = trace.spans.slice(0, options.traceRows ?? TRACE_ROWS)
  const title = `Slowest trace of the last seconds: ${durationText(trace.durationMs)}, ${trace.spanCount} spans`
  const longest = (lengths: readonly number[], atMost: number): number => Math.min(atMost, Math.max(4, ...lengths))
  const serviceWidth = longest(
    shown.map((span) => span.service.length),
    Math.floor(width * 0.2),
  )
  const nameWidth = longest(
    shown.map((span) => span.name.length + 2 * span.depth),
    Math.floor(width * 0.35),
  )
  const timeWidth = 8
  const barWidth = Math.max(4, width - serviceWidth - nameWidth - timeWidth - 3)
  const rows = shown.map((span) => {
    const total = Math.max(trace.durationMs, 1e-6)
    const from = Math.min(barWidth - 1, Math.floor((span.startMs / total) * barWidth))
    const to = Math.min(barWidth, Math.max(from + 1, Math.round(((span.startMs + span.durationMs) / total) * barWidth)))
    const bar = ' '.repeat(from) + '█'.repeat(to - from) + ' '.repeat(barWidth - to)
    return [
      fit(span.service, serviceWidth),
      ' ',
      fit('  '.repeat(span.depth) + span.name, nameWidth),
      ' ',
      paint(span.error ? 'red' : 'cyan', bar),
      ' ',
      durationText(span.durationMs).padStart(timeWidth),
    ].join('')
  })
  const hidden = trace.spanCount - shown.length
  if (hidden > 0) rows.push(paint('dim', `and ${countText(hidden)} more`))
  const id = title.length + 2 + trace.traceId.length <= width ? `  ${paint('dim', trace.traceId)}` : ''
  return [fitStyled(title, width, paint) + id, ...rows]
}

const fitStyled = (title: string, width: number, paint: Paint): string => paint('bold', fit(title, width).trimEnd())

/** How to send one's own telemetry here. */
function pointers(snapshot: RouterSnapshot, width: number, paint: Paint): string[] {
  if (snapshot.endpoints.length === 0) return ['No OTLP receiver is listening.']
  const lines = snapshot.endpoints.map(
    ({ protocol, address }) =>
      `  OTEL_EXPORTER_OTLP_PROTOCOL=${protocol === 'grpc' ? 'grpc' : 'http/protobuf'} ` +
      `OTEL_EXPORTER_OTLP_ENDPOINT=http://${address}`,
  )
  return [
    paint('bold', fit('Point a service of your own at it, with one of', width).trimEnd()),
    // A line that is to be copied is broken rather than cut.
    ...lines.flatMap((line) =>
      line.length <= width
        ? [line]
        : line
            .trim()
            .split(' ')
            .map((part) => `  ${part}`),
    ),
  ]
}

/** One line per pipeline, for logs and pipes. */
export function renderPlain(snapshot: RouterSnapshot, rates: ReadonlyMap<string, PipelineRates>): string[] {
  const lines = snapshot.pipelines.map((pipeline) => {
    const rate = rates.get(pipeline.name)
    return (
      `${uptimeText(snapshot.uptimeMs)} ${pipeline.name}: in ${rateText(rate?.inPerSecond ?? 0)}/s, ` +
      `out ${rateText(rate?.outPerSecond ?? 0)}/s, refused ${countText(pipeline.refused)}, ` +
      `dropped ${countText(pipeline.dropped)}`
    )
  })
  const { slowest } = snapshot
  if (slowest !== undefined) {
    const root = slowest.spans[0]
    const words = fit(root === undefined ? '' : `${root.service} ${root.name}`, 60).trimEnd()
    lines.push(
      `${uptimeText(snapshot.uptimeMs)} slowest trace: ${durationText(slowest.durationMs)}, ` +
        `${slowest.spanCount} spans, ${words}, ${slowest.traceId}`,
    )
  }
  return lines
}

/** How to reach the router, once, for a start without a terminal. */
export const renderPointers = (snapshot: RouterSnapshot): string[] => pointers(snapshot, PLAIN_WIDTH, painter(false))

/** What passed in all, for the end. */
export function renderTotals(snapshot: Pick<RouterSnapshot, 'pipelines' | 'uptimeMs'>): string[] {
  const nameWidth = Math.max(8, ...snapshot.pipelines.map(({ name }) => name.length))
  const row = (name: string, cells: readonly string[]): string =>
    name.padEnd(nameWidth) + cells.map((cell) => cell.padStart(13)).join('')
  return [
    `Totals after ${uptimeText(snapshot.uptimeMs)}:`,
    row('pipeline', ['in', 'delivered', 'refused', 'dropped', 'unsettled']),
    ...snapshot.pipelines.map((p) => row(p.name, [p.in, p.delivered, p.refused, p.dropped, p.inFlight].map(countText))),
  ]
}
