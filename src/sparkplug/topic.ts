// Topics of Sparkplug.
//
//   spBv1.0/<group>/<type>/<edge node>[/<device>]
//   spBv1.0/STATE/<host>        STATE/<host> in Sparkplug 2.2

export const NAMESPACE = 'spBv1.0'

/** The last level says whether there is a device: of these, N... has none and D... has one. */
const TYPES = ['NBIRTH', 'DBIRTH', 'NDATA', 'DDATA', 'NDEATH', 'DDEATH', 'NCMD', 'DCMD'] as const
export type MessageType = (typeof TYPES)[number] | 'STATE'

export interface SparkplugTopic {
  readonly type: MessageType
  readonly group: string
  /** The edge node; of STATE the host. */
  readonly node: string
  /** Empty: the node itself. */
  readonly device: string
}

/** Undefined when the topic is none of Sparkplug's. */
export function parseSparkplugTopic(topic: string): SparkplugTopic | undefined {
  const levels = topic.split('/')
  if (levels[0] === 'STATE' && levels.length === 2) return { type: 'STATE', group: '', node: levels[1]!, device: '' }
  if (levels[0] !== NAMESPACE) return undefined
  if (levels[1] === 'STATE' && levels.length === 3) return { type: 'STATE', group: '', node: levels[2]!, device: '' }
  const [, group = '', type = '', node = '', device = ''] = levels
  const known = TYPES.find((one) => one === type)
  if (known === undefined || group === '' || node === '') return undefined
  if (known.startsWith('D') !== (levels.length === 5 && device !== '') || levels.length > 5) return undefined
  return { type: known, group, node, device }
}

export const nodeCommandTopic = (group: string, node: string): string => `${NAMESPACE}/${group}/NCMD/${node}`
export const stateTopic = (host: string): string => `${NAMESPACE}/STATE/${host}`
