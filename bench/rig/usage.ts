// CPU and memory of a program, from the kernel's own books: all its threads, and all processes that it has started, so
// that one behind a script or with helpers of its own shows what it really takes. Linux only. One that leaves its
// parent for good, as a daemon does, is not found.

import { readdirSync, readFileSync } from 'node:fs'

/** Ticks of utime and stime in /proc/PID/stat: USER_HZ, which is 100 on every Linux that Node runs on. */
const TICKS_PER_SECOND = 100

export interface Usage {
  readonly cpuSeconds: number
  readonly rssBytes: number
  /** Of several processes the sum of what each had at most. */
  readonly peakRssBytes: number
}

/** Throws where there is no such process. */
export function readUsage(pid: number): Usage {
  const own = readProcess(pid)
  let { cpuSeconds, rssBytes, peakRssBytes } = own
  for (const child of childrenOf(pid)) {
    try {
      const usage = readUsage(child)
      cpuSeconds += usage.cpuSeconds
      rssBytes += usage.rssBytes
      peakRssBytes += usage.peakRssBytes
    } catch {
      // It has ended just now, and is in its parent's books the next time.
    }
  }
  return { cpuSeconds, rssBytes, peakRssBytes }
}

function readProcess(pid: number): Usage {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
  // The second field is the program's name and may hold blanks; the rest begins behind its closing parenthesis.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  // utime, stime, and the same of children that have ended and were waited for.
  const ticks = fields.slice(11, 15).reduce((sum, field) => sum + Number(field), 0)
  const status = readFileSync(`/proc/${pid}/status`, 'latin1')
  // A process that has ended and was not waited for has no memory.
  const bytes = (key: string): number => Number(new RegExp(`^${key}:\\s+(\\d+)`, 'm').exec(status)?.[1] ?? 0) * 1024
  return { cpuSeconds: ticks / TICKS_PER_SECOND, rssBytes: bytes('VmRSS'), peakRssBytes: bytes('VmHWM') }
}

/** Each thread has its own list of those that it started. */
function childrenOf(pid: number): number[] {
  return readdirSync(`/proc/${pid}/task`).flatMap((thread) => {
    try {
      return readFileSync(`/proc/${pid}/task/${thread}/children`, 'latin1').split(' ').filter(Boolean).map(Number)
    } catch {
      return []
    }
  })
}

/** CPU time that the machine has given to anybody since it started, interrupts and what its host took from it included. */
export function machineCpuSeconds(): number {
  // user nice system idle iowait irq softirq steal
  const ticks = readFileSync('/proc/stat', 'latin1').split('\n', 1)[0]!.trim().split(/\s+/).slice(1, 9).map(Number)
  const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0, steal = 0] = ticks
  return (user + nice + system + irq + softirq + steal) / TICKS_PER_SECOND
}
