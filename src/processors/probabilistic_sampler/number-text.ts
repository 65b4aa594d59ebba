// Numbers as spans carry them in texts.

const DECIMAL = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i
const INFINITE = /^([+-]?)inf(inity)?$/i

/** As the Collector reads a text with a decimal number in it; NaN for everything else. */
export function numberOf(text: string): number {
  if (DECIMAL.test(text)) return Number(text)
  const infinite = INFINITE.exec(text)
  return infinite === null ? Number.NaN : infinite[1] === '-' ? -Infinity : Infinity
}
