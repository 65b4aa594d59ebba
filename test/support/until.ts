/** Looks again every few milliseconds; throws when nothing has come of it after a time that no machine needs. */
export async function until(condition: () => boolean | Promise<boolean>, withinMs = 30_000): Promise<void> {
  const end = performance.now() + withinMs
  while (!(await condition())) {
    if (performance.now() > end) throw new Error(`never true: ${condition}`)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}
