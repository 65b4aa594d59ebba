// Texts with references to data, as measurements, tags and topics are written:
//
//   template = { text | %{name} | %{name:-fallback} }
//
// What names there are is for the component to say.

export class TemplateError extends Error {}

export interface Reference {
  readonly name: string
  /** In place of what is absent or empty. */
  readonly fallback: string | undefined
  /** What stands between the braces. */
  readonly written: string
}

const REFERENCE = /%\{([^}]*)\}/g

/** Texts and references in their order; no text is empty. Throws TemplateError where a `%{` has no `}`. */
export function templatePieces(template: string): (string | Reference)[] {
  const pieces: (string | Reference)[] = []
  let at = 0
  const text = (upTo: number): void => {
    if (upTo > at) pieces.push(template.slice(at, upTo))
  }
  for (const found of template.matchAll(REFERENCE)) {
    text(found.index)
    at = found.index + found[0].length
    pieces.push(reference(found[1]!))
  }
  text(template.length)
  if (template.slice(at).includes('%{')) throw new TemplateError(`"${template}" has a %{ without its }`)
  return pieces
}

function reference(written: string): Reference {
  const split = written.indexOf(':-')
  const name = (split < 0 ? written : written.slice(0, split)).trim()
  return { name, fallback: split < 0 ? undefined : written.slice(split + 2), written }
}

/** Whose attribute a name means, and which: `resource.attributes.KEY`, `attributes.KEY`. Undefined: none. */
export function attributeOf(name: string): { readonly of: 'resource' | 'item'; readonly key: string } | undefined {
  const found = /^(resource\.)?attributes\.(.+)$/s.exec(name)
  return found === null ? undefined : { of: found[1] === undefined ? 'item' : 'resource', key: found[2]! }
}
