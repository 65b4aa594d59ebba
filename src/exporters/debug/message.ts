// One OTLP message as read from JSON, with the defaults that JSON leaves out. For printing only: it allocates freely.

export class Message {
  readonly #json: Readonly<Record<string, unknown>>

  constructor(json: Readonly<Record<string, unknown>>) {
    this.#json = json
  }

  has(name: string): boolean {
    return this.#json[name] !== undefined
  }

  /** A string, a 64-bit number in digits, or the hexadecimal digits of an id; '' when absent. */
  text(name: string): string {
    return (this.#json[name] as string | undefined) ?? ''
  }

  /** A 64-bit number in digits, '0' when absent. */
  digits(name: string): string {
    return (this.#json[name] as string | undefined) ?? '0'
  }

  /** A number of up to 32 bits, an enum, or a double; 0 when absent. */
  number(name: string): number {
    return toNumber(this.#json[name] ?? 0)
  }

  flag(name: string): boolean {
    return this.#json[name] === true
  }

  /** The nested message; an empty one when absent. */
  child(name: string): Message {
    return new Message((this.#json[name] as Record<string, unknown> | undefined) ?? {})
  }

  children(name: string): readonly Message[] {
    return ((this.#json[name] as Record<string, unknown>[] | undefined) ?? []).map((json) => new Message(json))
  }

  /** Strings, or 64-bit numbers in digits. */
  texts(name: string): readonly string[] {
    return (this.#json[name] as string[] | undefined) ?? []
  }

  numbers(name: string): readonly number[] {
    return ((this.#json[name] as unknown[] | undefined) ?? []).map(toNumber)
  }
}

// NaN and the infinities are strings in OTLP/JSON, with JavaScript's own names.
const toNumber = (value: unknown): number => Number(value)
