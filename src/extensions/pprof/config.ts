// The configuration of `pprof` (Collector reference 5.3).

import { type Infer, ignored, object, string } from '../../config/schema.ts'
import { endpointField, endpointProblem } from '../../net/listen.ts'

export const config = object(
  {
    endpoint: endpointField('localhost:1777'),
    dialer: ignored('dialer', { doc: 'Read for compatibility: a server dials nobody.' }),
    blockProfileFraction: ignored('block_profile_fraction', {
      doc: 'Read for compatibility: a shard never blocks on locks.',
    }),
    mutexProfileFraction: ignored('mutex_profile_fraction', {
      doc: 'Read for compatibility: a shard never waits for locks.',
    }),
    saveToFile: string('save_to_file', {
      default: '',
      doc: 'Profile the processor time from start to stop and write it to this file, or with several shards to one for each: `cpu-0.cpuprofile`; empty: no.',
    }),
  },
  {
    check(value, problem) {
      const found = endpointProblem(value.endpoint, 'tcp')
      if (found !== undefined) problem('endpoint', found.what, found.fix)
    },
  },
)
export type PprofConfig = Infer<typeof config>
