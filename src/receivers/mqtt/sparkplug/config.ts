// How Sparkplug is listened to, for the rules whose decoder is sparkplug_b.

import { bool, byteSize, choice, duration, type Infer, int, object, string } from '../../../config/schema.ts'

export const sparkplugConfig = object(
  {
    role: choice('role', {
      default: 'passive',
      of: {
        passive: 'Listens, and publishes nothing: another host is in charge.',
        secondary_active: 'Asks edge nodes for a rebirth when something is missing.',
        primary: 'Does that, and says in STATE whether it is there: edge nodes may wait for it. One per host_id.',
      },
      doc: 'What we are to the edge nodes.',
    }),
    hostId: string('host_id', { default: '', doc: 'Under which name a primary says in STATE that it is there.' }),
    reorderTimeoutMs: duration('reorder_timeout', {
      default: '5s',
      min: '1ms',
      doc: 'How long messages that came too early wait for those before them. Then what is missing is taken for lost, and a rebirth is asked for.',
    }),
    rebirthEveryMs: duration('rebirth_interval', {
      default: '10s',
      min: '100ms',
      doc: 'An edge node is asked for a rebirth at most this often.',
    }),
    certificates: bool('certificates', {
      default: false,
      doc: 'Read the births that a Sparkplug-aware broker keeps under `$sparkplug/certificates/`; their values may be old.',
    }),
    maxEdgeNodes: int('max_edge_nodes', {
      default: 10_000,
      min: 1,
      doc: 'Edge nodes at most; messages of further ones are counted and left.',
    }),
    maxMetrics: int('max_metrics', {
      default: 20_000,
      min: 1,
      doc: 'Metrics of one edge node with all of its devices at most; further ones are counted and left.',
    }),
    maxHeldMessages: int('max_held_messages', {
      default: 100,
      min: 1,
      max: 127,
      doc: 'Messages of one edge node that wait for those before them at most; then nothing is waited for any more.',
    }),
    maxHeldBytes: byteSize('max_held_bytes', {
      default: '8MiB',
      min: '1KiB',
      doc: 'The same in bytes, of all edge nodes together.',
    }),
    maxTemplateDepth: int('max_template_depth', {
      default: 8,
      min: 1,
      max: 32,
      doc: 'Templates within templates at most; what is deeper is counted and left.',
    }),
    maxElements: int('max_elements', {
      default: 1000,
      min: 1,
      max: 100_000,
      doc: 'Elements of an array, and rows of a dataset, at most; those behind are counted and left.',
    }),
  },
  {
    check({ role, hostId }, problem) {
      if (role === 'primary' && hostId === '')
        problem('host_id', 'a primary host needs a name', 'write the id that the edge nodes wait for')
      if (/[+#/]/.test(hostId)) problem('host_id', 'a name has no +, # or /', 'write a word, for example scada')
    },
  },
)

export type SparkplugConfig = Infer<typeof sparkplugConfig>
