// A bar chart as SVG: a group of bars for each row, one bar for each program, its figure behind it, and a line from the
// smallest to the largest of its runs.

export interface Bar {
  readonly series: string
  /** Absent: `words` stand in its place. */
  readonly value?: number
  readonly least?: number
  readonly most?: number
  /** Behind the bar. */
  readonly words: string
}

export interface Group {
  readonly label: string
  readonly bars: readonly Bar[]
}

export interface Chart {
  readonly title: string
  readonly subtitle: string
  readonly groups: readonly Group[]
}

const WIDTH = 900
const MARGIN = 24
const LABEL_WIDTH = 250
const WORDS_WIDTH = 130
const BAR_HEIGHT = 16
const GROUP_GAP = 14
const HEAD_HEIGHT = 100
const FOOT_HEIGHT = 40
const COLORS = ['#0f766e', '#94a3b8', '#b45309', '#7c3aed', '#be123c']
const INK = '#1e293b'
const FAINT = '#64748b'

export function drawChart({ title, subtitle, groups }: Chart): string {
  const series = [...new Set(groups.flatMap(({ bars }) => bars.map((bar) => bar.series)))]
  const color = (name: string): string => COLORS[series.indexOf(name) % COLORS.length]!
  const most = Math.max(...groups.flatMap(({ bars }) => bars.map((bar) => Math.max(bar.value ?? 0, bar.most ?? 0))))
  const { step, end } = axis(most)
  const left = MARGIN + LABEL_WIDTH
  const scale = (WIDTH - MARGIN - WORDS_WIDTH - left) / end
  const x = (value: number): number => round(left + value * scale)

  const body: string[] = []
  let y = HEAD_HEIGHT
  for (const { label, bars } of groups) {
    const height = bars.length * BAR_HEIGHT
    body.push(text(left - 10, y + height / 2 + 4, label, 'text-anchor="end"'))
    for (const bar of bars) {
      const middle = y + BAR_HEIGHT / 2
      const width = round((bar.value ?? 0) * scale)
      if (width > 0)
        body.push(
          `<rect x="${left}" y="${y + 1}" width="${width}" height="${BAR_HEIGHT - 2}" fill="${color(bar.series)}"/>`,
        )
      if (bar.least !== undefined && bar.most !== undefined && bar.most > bar.least)
        body.push(`<path d="M${x(bar.least)} ${middle}H${x(bar.most)}" stroke="${INK}" stroke-width="1.5"/>`)
      body.push(
        text(x(Math.max(bar.value ?? 0, bar.most ?? 0)) + 6, middle + 4, bar.words, `fill="${FAINT}" font-size="12"`),
      )
      y += BAR_HEIGHT
    }
    y += GROUP_GAP
  }
  const bottom = y
  const grid: string[] = []
  for (let value = 0; value <= end + step / 2; value += step) {
    grid.push(`<path d="M${x(value)} ${HEAD_HEIGHT - 8}V${bottom}" stroke="#e2e8f0"/>`)
    grid.push(text(x(value), bottom + 18, String(round(value)), `fill="${FAINT}" font-size="12" text-anchor="middle"`))
  }
  let legendX = MARGIN
  const legend = series.flatMap((name) => {
    const at = legendX
    legendX += 40 + name.length * 8
    return [`<rect x="${at}" y="70" width="12" height="12" fill="${color(name)}"/>`, text(at + 18, 81, name)]
  })
  const height = bottom + FOOT_HEIGHT
  return `${[
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" font-family="system-ui, 'DejaVu Sans', sans-serif" font-size="13" fill="${INK}">`,
    `<title>${escaped(title)}</title>`,
    `<rect width="${WIDTH}" height="${height}" fill="#ffffff"/>`,
    text(MARGIN, 32, title, 'font-size="18" font-weight="600"'),
    text(MARGIN, 54, subtitle, `fill="${FAINT}" font-size="12"`),
    ...legend,
    ...grid,
    ...body,
    '</svg>',
  ].join('\n')}\n`
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
const text = (x: number, y: number, words: string, more = ''): string =>
  `<text x="${round(x)}" y="${round(y)}"${more === '' ? '' : ` ${more}`}>${escaped(words)}</text>`
