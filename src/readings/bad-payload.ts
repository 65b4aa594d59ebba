/** Why a payload could not be read: a closed set, for counters. */
export const BAD_PAYLOAD_REASONS = {
  not_utf8: 'Text that is not UTF-8.',
  not_json: 'Not JSON, or JSON that ends too early.',
  duplicate_key: 'A name that comes twice in one JSON object.',
  wrong_shape: 'JSON, but not what the decoder reads.',
  bad_name: 'A reading without a name, or with one that is too long.',
  bad_number: 'A value that is no finite number.',
  bad_time: 'A time that cannot be read.',
  too_deep: 'Objects or lists nested too deeply.',
  not_otlp: 'Not an OTLP request.',
  not_sparkplug: 'Not a Sparkplug payload, or one that ends too early.',
  wrong_type: 'Sparkplug: a value that its data type does not have.',
  unknown: 'Something that the decoder does not know: an alias, a type, a version.',
} as const
export type BadPayloadReason = keyof typeof BAD_PAYLOAD_REASONS

/** Thrown by decoders: the message is counted, told, and acknowledged; nothing of it is delivered. */
export class BadPayload extends Error {
  readonly reason: BadPayloadReason

  constructor(reason: BadPayloadReason, message: string) {
    super(message)
    this.name = 'BadPayload'
    this.reason = reason
  }
}
