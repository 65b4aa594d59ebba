// The configuration of `headers_setter` (Collector reference 5.3).

import { type Complain, choice, type Decoded, extensionId, list, object, secret, string } from '../../config/schema.ts'

const header = object({
  action: choice('action', {
    default: 'upsert',
    of: {
      insert: 'Set it where it is not there yet.',
      update: 'Set it where it is there already.',
      upsert: 'Set it.',
      delete: 'Take it away.',
    },
    doc: 'What is done with the header.',
  }),
  key: string('key', { required: true, doc: 'Name of the header.' }),
  value: secret('value', { optional: true, doc: 'The value.' }),
  valueFile: string('value_file', {
    optional: true,
    doc: 'File with the value, read again when it changes.',
  }),
  fromContext: string('from_context', {
    optional: true,
    doc: "The value of this header of the client's request. Needs include_metadata at the receiver, and metadata_keys in batch.",
  }),
  fromAttribute: string('from_attribute', {
    optional: true,
    doc: "What the receiver's authenticator found under this name, for example `username` or `subject`.",
  }),
  defaultValue: secret('default_value', { optional: true, doc: 'Where the others give nothing.' }),
})

const fields = {
  headers: list('headers', header, { default: [], doc: 'What is done with headers, in this order; at least one.' }),
  additionalAuth: extensionId('additional_auth', {
    optional: true,
    role: 'client_authenticator',
    doc: 'Another authenticator, which adds its headers first.',
  }),
}
export type HeadersSetterConfig = Decoded<typeof fields>
export type HeaderConfig = HeadersSetterConfig['headers'][number]

export const config = object(fields, { check })

/** What carries the request itself, and cannot be chosen. */
const PROTOCOL = /^(:.*|grpc-.*|te|connection|transfer-encoding|content-(type|encoding|length)|upgrade|keep-alive)$/

function check({ headers }: HeadersSetterConfig, problem: Complain): void {
  if (headers.length === 0) problem('headers', 'there is no header', 'write headers: [{key: NAME, from_context: NAME}]')
  for (const [at, one] of headers.entries()) {
    const key = one.key.toLowerCase()
    if (!/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(key))
      problem(`headers[${at}].key`, `"${one.key}" is not the name of a header`, 'use letters, digits and `-`')
    else if (PROTOCOL.test(key))
      problem(`headers[${at}].key`, `${one.key} belongs to the protocol`, 'name another header')
    const sources = sourcesOf(one)
    if (one.action !== 'delete' && sources.length === 0)
      problem(
        `headers[${at}]`,
        'there is no source of the value',
        'add value, value_file, from_context or from_attribute',
      )
    if (sources.length > 1)
      problem(`headers[${at}]`, `${sources.join(' and ')} are both given`, `keep one of ${sources.join(' and ')}`)
    if (one.value !== undefined && !isHeaderText(one.value.reveal()))
      problem(`headers[${at}].value`, 'it cannot stand in a header', 'write it on one line, in ASCII')
  }
}

function sourcesOf(one: HeaderConfig): string[] {
  const sources = {
    value: one.value,
    value_file: one.valueFile,
    from_context: one.fromContext,
    from_attribute: one.fromAttribute,
  }
  return Object.entries(sources).flatMap(([key, value]) => (value === undefined ? [] : [key]))
}

/** What every server takes: printable ASCII. */
export const isHeaderText = (text: string): boolean => /^[\x20-\x7e]*$/.test(text)
