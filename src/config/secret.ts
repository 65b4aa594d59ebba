// A value that is never printed by accident: text, JSON and inspection show [REDACTED]. So is the password in a URL, which
// is a plain text to whoever uses it and a secret to whoever reads about it.

export const REDACTED = '[REDACTED]'

/** `scheme://user:password@`, the user in the first group and the password in the second. A reference is no secret. */
export const URL_PASSWORD = /(\b[a-z][a-z0-9+.-]*:\/\/[^\s/?#@:"']*:)(?!\$\{)([^\s/?#@"']+)(?=@)/gi

/** The text with the passwords of URLs in it masked: for what a person is shown. */
export const maskUrlPasswords = (text: string): string => text.replace(URL_PASSWORD, `$1${REDACTED}`)

export class Secret {
  readonly #value: string

  constructor(value: string) {
    this.#value = value
  }

  /** The real value: for the wire, never for a log. */
  reveal(): string {
    return this.#value
  }

  get isEmpty(): boolean {
    return this.#value === ''
  }

  toString(): string {
    return REDACTED
  }

  toJSON(): string {
    return REDACTED
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return REDACTED
  }
}
