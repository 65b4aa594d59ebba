// Names of rotated files, and which of them have to go.
//
//   data.json  ->  data-2022-09-14T05-02-14.173.json      the time of the rotation, before the extension

import { basename, dirname, extname, join } from 'node:path'
import type { Rotation } from './config.ts'

const DAY_MS = 24 * 60 * 60 * 1000

const pad = (value: number, digits = 2): string => String(value).padStart(digits, '0')

function timeText(ms: number, local: boolean): string {
  if (!local) return new Date(ms).toISOString().slice(0, 23).replaceAll(':', '-')
  const t = new Date(ms)
  const date = `${t.getFullYear()}-${pad(t.getMonth() + 1)}-${pad(t.getDate())}`
  return `${date}T${pad(t.getHours())}-${pad(t.getMinutes())}-${pad(t.getSeconds())}.${pad(t.getMilliseconds(), 3)}`
}

const TIME = /^(\d{4})-(\d\d)-(\d\d)T(\d\d)-(\d\d)-(\d\d)\.(\d{3})$/

function readTime(text: string, local: boolean): number | undefined {
  const parts = TIME.exec(text)?.slice(1).map(Number)
  if (parts === undefined) return undefined
  const [year, month, day, hour, minute, second, ms] = parts as [number, number, number, number, number, number, number]
  if (local) return new Date(year, month - 1, day, hour, minute, second, ms).getTime()
  return Date.UTC(year, month - 1, day, hour, minute, second, ms)
}

/** The name that the file at `path` gets when it is rotated at `ms`. */
export function backupPath(path: string, ms: number, local: boolean): string {
  const extension = extname(path)
  return join(dirname(path), `${basename(path, extension)}-${timeText(ms, local)}${extension}`)
}

/** Of the names in the directory of `path`, the rotated files of it that are too many or too old at `nowMs`. */
export function outdatedBackups(path: string, names: readonly string[], rotation: Rotation, nowMs: number): string[] {
  const extension = extname(path)
  const prefix = `${basename(path, extension)}-`
  const backups: { name: string; ms: number }[] = []
  for (const name of names) {
    if (!name.startsWith(prefix) || !name.endsWith(extension)) continue
    const ms = readTime(name.slice(prefix.length, name.length - extension.length), rotation.localtime)
    if (ms !== undefined) backups.push({ name, ms })
  }
  backups.sort((a, b) => b.ms - a.ms)
  const { maxBackups, maxDays } = rotation
  return backups
    .filter(({ ms }, i) => (maxBackups > 0 && i >= maxBackups) || (maxDays > 0 && ms < nowMs - maxDays * DAY_MS))
    .map(({ name }) => name)
}
