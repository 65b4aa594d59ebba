// Paths into JSON:
//
//   a.b            names, with dots between them          a[0]     an element
//   ['a.b']        a name with anything in it             a.*      every member or element
//   $.a            from the root of the message           @key     not a path: the name under which a point stands
//
// A path is parsed at start; walking one costs a look for each name.

import { type JsonTape, Name, NONE } from '../../../readings/json-tape.ts'

export type Step = Name | number | '*'

export interface Path {
  readonly fromRoot: boolean
  readonly steps: readonly Step[]
  readonly text: string
}

/** The path, or what is wrong with the text. */
export function parsePath(text: string): Path | string {
  const fromRoot = text.startsWith('$')
  let rest = fromRoot ? text.slice(1) : text
  if (rest !== '' && !rest.startsWith('[') && !rest.startsWith('.')) rest = `.${rest}`
  const steps: Step[] = []
  while (rest !== '') {
    const match = /^(?:\.([^.[\]'"]+)|\[(\d{1,6})\]|\['([^']*)'\]|\["([^"]*)"\]|\[(\*)\])/.exec(rest)
    if (match === null) return `${text} is no path: ${rest} cannot be read`
    const [whole, name, index, single, double, star] = match
    if (star !== undefined || name === '*') steps.push('*')
    else steps.push(index === undefined ? new Name((name ?? single ?? double)!) : Number(index))
    rest = rest.slice(whole.length)
  }
  if (steps.length === 0 && !fromRoot) return 'an empty path'
  return { fromRoot, steps, text }
}

/** Of a text that parsePath has found to be right. */
export function pathOf(text: string): Path {
  const path = parsePath(text)
  if (typeof path === 'string') throw new Error(path)
  return path
}

/** One step that is no `*`; NONE where it leads nowhere. */
function stepInto(tape: JsonTape, node: number, step: Name | number): number {
  if (typeof step !== 'number') return tape.find(node, step)
  if (!tape.isList(node)) return NONE
  let child = tape.first(node)
  for (let i = 0; i < step && child !== NONE; i++) child = tape.after(node, child)
  return child
}

/** Where a path without `*` leads from `node`, or from the root; NONE where it leads nowhere. */
export function walk(tape: JsonTape, node: number, path: Path): number {
  let at = path.fromRoot ? 0 : node
  for (const step of path.steps) {
    if (at === NONE || step === '*') return NONE
    at = stepInto(tape, at, step)
  }
  return at
}

/** Calls `visit` for everything that a path leads to; `key` is the name of the last member that a `*` stood for, or NONE. */
export function walkAll(
  tape: JsonTape,
  node: number,
  path: Path,
  visit: (node: number, key: number) => void,
  from = 0,
  key = NONE,
): void {
  let at = from === 0 && path.fromRoot ? 0 : node
  for (let i = from; i < path.steps.length; i++) {
    const step = path.steps[i]!
    if (step !== '*') {
      at = stepInto(tape, at, step)
      if (at === NONE) return
      continue
    }
    const isObject = tape.isObject(at)
    if (!isObject && !tape.isList(at)) return
    for (let child = tape.first(at); child !== NONE; child = tape.after(at, child))
      walkAll(tape, isObject ? tape.valueOf(child) : child, path, visit, i + 1, isObject ? child : key)
    return
  }
  visit(at, key)
}
