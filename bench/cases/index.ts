// The cases, by the names of their files.

import { readdirSync } from 'node:fs'
import type { BenchCase } from '../case.ts'

export const caseNames = (): string[] =>
  readdirSync(new URL('.', import.meta.url))
    .filter((file) => file.endsWith('.ts') && file !== 'index.ts')
    .map((file) => file.slice(0, -'.ts'.length))
    .sort()

export async function loadCase(name: string): Promise<BenchCase> {
  const module = (await import(new URL(`${name}.ts`, import.meta.url).href)) as { default: BenchCase }
  return module.default
}
