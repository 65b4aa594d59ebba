// What brokers say with numbers: reason codes of MQTT 5, return codes of 3.1.1.

export const REASON = {
  UNSUPPORTED_VERSION: 0x84,
  NOT_AUTHORIZED: 0x87,
  SESSION_TAKEN_OVER: 0x8e,
  TOPIC_ALIAS_INVALID: 0x94,
  PACKET_TOO_LARGE: 0x95,
} as const

/**
 * What PUBACK and PUBREC may say of a message (MQTT 5.0, 3.4.2.1 and 3.5.2.1), and whether the same message may be taken
 * later:
 *
 *   0x00 success, 0x10 no matching subscribers   taken
 *   0x80 unspecified error                       later
 *   0x83 implementation specific error           later
 *   0x87 not authorized                          never
 *   0x90 topic name invalid                      never
 *   0x91 packet identifier in use                later, under another
 *   0x95 packet too large                        never; we say so ourselves, by the broker's Maximum Packet Size
 *   0x97 quota exceeded                          later
 *   0x99 payload format invalid                  never
 */
const NEVER: ReadonlySet<number> = new Set([0x87, 0x90, 0x95, 0x99])

export const mayPassLater = (code: number): boolean => !NEVER.has(code)

/** CONNACK of 3.1.1: unacceptable protocol version. */
export const UNACCEPTABLE_VERSION = 1

/** MQTT 5.0, 2.4: those from which a connection or subscription fails. */
const WORDS_5: Readonly<Record<number, string>> = {
  128: 'unspecified error',
  129: 'malformed packet',
  130: 'protocol error',
  131: 'implementation specific error',
  132: 'unsupported protocol version',
  133: 'client identifier not valid',
  134: 'bad user name or password',
  135: 'not authorized',
  136: 'server unavailable',
  137: 'server busy',
  138: 'banned',
  139: 'server shutting down',
  140: 'bad authentication method',
  141: 'keep alive timeout',
  142: 'session taken over',
  143: 'topic filter invalid',
  144: 'topic name invalid',
  145: 'packet identifier in use',
  147: 'receive maximum exceeded',
  148: 'topic alias invalid',
  149: 'packet too large',
  150: 'message rate too high',
  151: 'quota exceeded',
  152: 'administrative action',
  153: 'payload format invalid',
  154: 'retain not supported',
  155: 'QoS not supported',
  156: 'use another server',
  157: 'server moved',
  158: 'shared subscriptions not supported',
  159: 'connection rate exceeded',
  160: 'maximum connect time',
  161: 'subscription identifiers not supported',
  162: 'wildcard subscriptions not supported',
}

/** MQTT 3.1.1, 3.2.2.3. */
const WORDS_4: Readonly<Record<number, string>> = {
  1: 'unacceptable protocol version',
  2: 'client identifier rejected',
  3: 'server unavailable',
  4: 'bad user name or password',
  5: 'not authorized',
}

/** Those that mean an authentication of several steps, which we do not have. */
const AUTHENTICATION = 140
/** Use another server, server moved: with a reference to it, or without. */
const REDIRECTIONS: readonly number[] = [156, 157]

export interface ReasonProperties {
  readonly reasonString?: string
  readonly serverReference?: string
  readonly authenticationMethod?: string
}

/** `said` is what came with it. */
export function reasonWords(code: number, said: ReasonProperties = {}): string {
  let words = WORDS_5[code] ?? WORDS_4[code] ?? `reason code ${code}`
  const { reasonString = '', serverReference = '' } = said
  if (reasonString !== '') words += `: ${reasonString}`
  if (REDIRECTIONS.includes(code))
    words += serverReference === '' ? ' (it names none)' : ` (${serverReference}); write it into brokers to follow`
  if (code === AUTHENTICATION) words += `; ${authenticationWords(said.authenticationMethod)}`
  return words
}

/** What a broker asks for that wants more than a name, a password or a certificate. */
export const authenticationWords = (method = ''): string =>
  `enhanced authentication (AUTH${method === '' ? '' : `, ${method}`}) is not supported: use a password or a client certificate`
