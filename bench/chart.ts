// Bar charts as SVG: panels below each other with the same programs, in each a group of bars for a row, one bar for each
// program, its figure behind it, and a line from the smallest to the largest of its runs. Light or dark as the reader's
// screen is; on its own paper, so that it can be put anywhere.

export interface Bar {
  readonly series: string
  /** Absent: `words` stand in its place. */
  readonly value?: number
  readonly least?: number
  readonly most?: number
  /** Behind the bar, and what stands out behind them. */
  readonly words: string
  readonly strong?: string
}

export interface Group {
  readonly label: string
  readonly bars: readonly Bar[]
}

export interface Panel {
  readonly title: string
  readonly groups: readonly Group[]
}

export interface Chart {
  readonly title: string
  readonly subtitle: string
  /** Colours go by their order; the words are what is to be known of each. */
  readonly series: readonly { readonly name: string; readonly words: string }[]
  readonly panels: readonly Panel[]
  /** Below all: how it is to be read. */
  readonly notes: readonly string[]
}

const LEAST_WIDTH = 900
const MARGIN = 24
const AXIS_WIDTH = 470
const WORDS_WIDTH = 140
const BAR_HEIGHT = 16
const GROUP_GAP = 14
const LINE_HEIGHT = 20
/** Of the text, about; what is wider than average has the margin. */
const CHARACTER_WIDTH = 7.5
const COLORS = ['#0d9488', '#94a3b8', '#d97706', '#8b5cf6', '#e11d48']
const STYLE = `<style>
  .paper { fill: #ffffff } text, .strong { fill: #1e293b } .faint { fill: #64748b; font-size: 12px } .grid { stroke: #e2e8f0 } .runs { stroke: #1e293b }
  @media (prefers-color-scheme: dark) {
    .paper { fill: #0f172a } text, .strong { fill: #e2e8f0 } .faint { fill: #94a3b8 } .grid { stroke: #334155 } .runs { stroke: #f8fafc }
  }
</style>`

export function drawChart({ title, subtitle, series, panels, notes }: Chart): string {
  const labels = panels.flatMap(({ groups }) => groups.map(({ label }) => label.length))
  const left = MARGIN + 10 + Math.max(...labels, 20) * CHARACTER_WIDTH
  const width = Math.max(LEAST_WIDTH, left + AXIS_WIDTH + WORDS_WIDTH + MARGIN)
  const color = (name: string): string => COLORS[series.findIndex((one) => one.name === name) % COLORS.length]!
  const body = [
    text(MARGIN, 34, title, 'font-size="18" font-weight="600"'),
    text(MARGIN, 56, subtitle, 'class="faint"'),
  ]
  let y = 80
  for (const { name, words } of series) {
    body.push(`<rect x="${MARGIN}" y="${y - 10}" width="12" height="12" rx="2" fill="${color(name)}"/>`)
    body.push(text(MARGIN + 20, y, name, '', ` <tspan class="faint">${escaped(words)}</tspan>`))
    y += LINE_HEIGHT
  }
  for (const panel of panels) {
    if (panel.title !== '') body.push(text(MARGIN, (y += 36), panel.title, 'font-weight="600"'))
    const drawn = drawPanel(panel.groups, { left, y: y + 14, width: width - MARGIN - WORDS_WIDTH - left, color })
    body.push(...drawn.lines)
    y = drawn.bottom
  }
  y += 12
  for (const note of notes) body.push(text(MARGIN, (y += 18), note, 'class="faint"'))
  const height = round(y + MARGIN)
  return `${[
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${round(width)} ${height}" width="${round(width)}" height="${height}" font-family="system-ui, 'DejaVu Sans', sans-serif" font-size="13">`,
    `<title>${escaped(title)}</title>`,
    STYLE,
    `<rect class="paper" width="100%" height="100%"/>`,
    ...body,
    '</svg>',
  ].join('\n')}\n`
}

interface Place {
  readonly left: number
  readonly y: number
  readonly width: number
  color(series: string): string
}

function drawPanel(groups: readonly Group[], { left, y: top, width, color }: Place) {
  const most = Math.max(...groups.flatMap(({ bars }) => bars.map((bar) => Math.max(bar.value ?? 0, bar.most ?? 0))))
  const { step, end } = axis(most)
  const scale = width / end
  const x = (value: number): number => round(left + value * scale)
  const lines: string[] = []
  let y = top + 6
  for (const { label, bars } of groups) {
    lines.push(text(left - 10, y + (bars.length * BAR_HEIGHT) / 2 + 4, label, 'text-anchor="end"'))
    for (const { series, value = 0, least = value, most = value, words, strong } of bars) {
      const middle = y + BAR_HEIGHT / 2
      if (value > 0)
        lines.push(
          `<rect x="${round(left)}" y="${y + 1}" width="${round(value * scale)}" height="${BAR_HEIGHT - 2}" fill="${color(series)}"/>`,
        )
      if (most > least) lines.push(`<path class="runs" d="M${x(least)} ${middle}H${x(most)}" stroke-width="1.5"/>`)
      const more =
        strong === undefined ? '' : `<tspan class="strong" dx="8" font-weight="600">${escaped(strong)}</tspan>`
      lines.push(text(x(Math.max(value, most)) + 6, middle + 4, words, 'class="faint"', more))
      y += BAR_HEIGHT
    }
    y += GROUP_GAP
  }
  const grid: string[] = []
  for (let value = 0; value <= end + step / 2; value += step) {
    grid.push(`<path class="grid" d="M${x(value)} ${top}V${y}"/>`)
    grid.push(text(x(value), y + 18, String(round(value)), 'class="faint" text-anchor="middle"'))
  }
  return { lines: [...grid, ...lines], bottom: y + 18 }
}

/** Steps of 1, 2 or 5 times a power of ten, five or so of them. */
export function axis(most: number): { readonly step: number; readonly end: number } {
  if (!(most > 0)) return { step: 1, end: 1 }
  const power = 10 ** Math.floor(Math.log10(most / 5))
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((candidate) => most / candidate <= 6)!
  return { step, end: round(Math.ceil(most / step - 1e-9) * step) }
}

const round = (value: number): number => Math.round(value * 100) / 100
const escaped = (words: string): string =>
  words.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
/** `more` is markup. */
const text = (x: number, y: number, words: string, attributes = '', more = ''): string =>
  `<text x="${round(x)}" y="${round(y)}"${attributes === '' ? '' : ` ${attributes}`}>${escaped(words)}${more}</text>`
