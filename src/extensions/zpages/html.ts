// Pages of tables. Whatever is put into a page is escaped here and nowhere else.

export interface Table {
  readonly title: string
  readonly head: readonly string[]
  readonly rows: readonly (readonly Cell[])[]
}

/** Text, texts below each other, or a link. */
export type Cell = string | readonly string[] | { readonly href: string; readonly text: string }

const STYLE = `body{font:15px/1.45 system-ui,sans-serif;margin:2rem auto;max-width:72rem;padding:0 1rem;color:#222;background:#fff}
h1{font-size:1.4rem}h2{font-size:1.1rem;margin-top:2rem}nav a{margin-right:1rem}
table{border-collapse:collapse;width:100%}th,td{text-align:left;vertical-align:top;padding:.35rem .75rem .35rem 0;border-bottom:1px solid #ddd}
td{font-family:ui-monospace,monospace;font-size:.9em}
@media(prefers-color-scheme:dark){body{color:#ddd;background:#181818}th,td{border-color:#444}a{color:#8bf}}`

/** No script, nothing from elsewhere, no frame. */
export const CONTENT_SECURITY_POLICY = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"

export function htmlPage(
  title: string,
  links: readonly { href: string; text: string }[],
  tables: readonly Table[],
): string {
  const nav = links.map((link) => anchor(link.href, link.text)).join('')
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${escapeHtml(title)}</title>
<style>${STYLE}</style></head>
<body><nav>${nav}</nav><h1>${escapeHtml(title)}</h1>
${tables.map(htmlTable).join('\n')}
</body></html>
`
}

function htmlTable({ title, head, rows }: Table): string {
  const body = rows.map((row) => `<tr>${row.map((cell) => `<td>${htmlCell(cell)}</td>`).join('')}</tr>`).join('\n')
  const heads = head.map((name) => `<th>${escapeHtml(name)}</th>`).join('')
  return `<h2>${escapeHtml(title)}</h2>\n<table><thead><tr>${heads}</tr></thead><tbody>\n${body}\n</tbody></table>`
}

function htmlCell(cell: Cell): string {
  if (typeof cell === 'string') return escapeHtml(cell)
  if ('href' in cell) return anchor(cell.href, cell.text)
  return cell.map(escapeHtml).join('<br>')
}

const anchor = (href: string, text: string): string => `<a href="${escapeHtml(href)}">${escapeHtml(text)}</a>`

const ENTITY: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' }

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => ENTITY[character]!)
}
