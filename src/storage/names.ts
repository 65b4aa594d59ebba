// Names of directories in a store, as the Collector names its files (reference 5.3): kind, type, name and purpose, joined by
// `_`, with every character that a file system might not take written as `~` and its code point in four hex digits.

export interface Owner {
  readonly kind: string
  /** As the user wrote it: `otlp/2`. */
  readonly id: string
}

export function ownerName({ kind, id }: Owner, purpose = ''): string {
  const slash = id.indexOf('/')
  const type = slash < 0 ? id : id.slice(0, slash)
  const name = slash < 0 ? '' : id.slice(slash + 1)
  return safeName([kind, type, name, ...(purpose === '' ? [] : [purpose])].join('_'))
}

export function safeName(text: string): string {
  let safe = ''
  for (const character of text) {
    if (/[A-Za-z0-9._-]/.test(character)) safe += character
    else safe += `~${character.codePointAt(0)!.toString(16).toUpperCase().padStart(4, '0')}`
  }
  return safe
}
