// Rows of one slot in the order of time: pieces that are in order already are merged, two at a time, so that the usual case,
// a late piece or two, takes one look at each row.

export const NONE = -1
/** The upper half of the NaN that stands where a series has no value in a row; no value that is given looks like it. */
export const ABSENT_HIGH = 0x7ff00001

/** Columns of Request. */
export interface Rows {
  readonly times: Float64Array
  readonly next: Int32Array
  readonly valuesAt: Int32Array
  readonly to: Int32Array
  readonly halves: Uint32Array
}

/** From row `first` on, of so many values each; returns the first. Of rows of one time the later one's values count. */
export function sortRows(rows: Rows, first: number, width: number): number {
  let pieces = piecesFrom(rows, first)
  while (pieces.length > 1) {
    const merged: number[] = []
    for (let i = 0; i < pieces.length; i += 2) merged.push(mergedRows(rows, pieces[i]!, pieces[i + 1] ?? NONE, width))
    pieces = merged
  }
  return pieces[0]!
}

/** The first row of each; their ends are cut. */
function piecesFrom({ times, next }: Rows, first: number): number[] {
  const pieces = [first]
  for (let row = first; row !== NONE; ) {
    const after = next[row]!
    if (after !== NONE && times[after]! <= times[row]!) {
      next[row] = NONE
      pieces.push(after)
    }
    row = after
  }
  return pieces
}

/** Those from `later` on came after all of those from `earlier` on. */
function mergedRows(rows: Rows, earlier: number, later: number, width: number): number {
  const { times, next } = rows
  let first = NONE
  let last = NONE
  let a = earlier
  let b = later
  while (a !== NONE || b !== NONE) {
    let row: number
    const isSame = a !== NONE && b !== NONE && times[a] === times[b] && isReplaced(rows, a, b)
    if (b === NONE || (a !== NONE && times[a]! <= times[b]! && !isSame)) {
      row = a
      a = next[a]!
    } else {
      row = b
      b = next[b]!
    }
    if (isSame) {
      fillAbsent(rows, row, a, width)
      a = next[a]!
    }
    if (last === NONE) first = row
    else next[last] = row
    last = row
  }
  return first
}

/** Native histograms replace those of their series, values replace values. */
const isReplaced = ({ to, valuesAt }: Rows, row: number, by: number): boolean =>
  to[row] === 0 ? to[by] === 0 : to[by] !== 0 && valuesAt[row] === valuesAt[by]

function fillAbsent({ valuesAt, to, halves }: Rows, row: number, other: number, width: number): void {
  if (to[row] !== 0) return
  const at = 2 * valuesAt[row]!
  const from = 2 * valuesAt[other]!
  for (let i = 0; i < 2 * width; i += 2) {
    if (halves[at + i + 1] !== ABSENT_HIGH) continue
    halves[at + i] = halves[from + i]!
    halves[at + i + 1] = halves[from + i + 1]!
  }
}
