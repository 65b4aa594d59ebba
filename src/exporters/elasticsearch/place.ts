// Where the walk stands: what resource and scope contribute to every document below them, made once for each of them.

import type { Walk } from '../../otlp/walk.ts'
import { Piece } from '../../wire/piece.ts'
import { AttributePaths } from './attribute-paths.ts'
import type { AttributesJson } from './attributes-json.ts'
import type { MappingMode } from './config.ts'
import { DocumentText } from './document-text.ts'
import type { Routing, Target } from './routing.ts'
import { SpecialAttributes } from './special-attributes.ts'

export class Place {
  readonly resourceSpecial = new SpecialAttributes()
  readonly scopeSpecial = new SpecialAttributes()
  readonly recordSpecial = new SpecialAttributes()
  /** Attributes of the record, where `isFollowed`: then they have not been read in another way, and none is special. */
  readonly paths = new AttributePaths()
  isFollowed = false
  scopeName = ''
  scopeVersion = ''
  mode: MappingMode
  /** `"resource":{...},"scope":{...},` as documents of mode otel have them. */
  readonly aroundJson = new Piece()
  readonly #resourceJson = new Piece()
  #isResourceWritten = false
  #target: Target | undefined
  readonly #defaultMode: MappingMode
  readonly #scratch = new DocumentText().begin()
  readonly #attributes: AttributesJson

  constructor(defaultMode: MappingMode, attributes: AttributesJson) {
    this.#defaultMode = defaultMode
    this.mode = defaultMode
    this.#attributes = attributes
  }

  enterResource(walk: Walk): void {
    this.resourceSpecial.read(walk.resourceAttributes)
    this.#isResourceWritten = false
  }

  /** `requestMode` is what the client's header asks for; `modeOf` reads what the scope asks for. */
  enterScope(walk: Walk, requestMode: MappingMode | undefined, modeOf: (word: string) => MappingMode): void {
    this.scopeSpecial.read(walk.scopeAttributes)
    this.scopeName = walk.scope.toName()
    this.scopeVersion = walk.scope.toVersion()
    const word = this.scopeSpecial.find('MODE')
    this.mode = word === undefined ? (requestMode ?? this.#defaultMode) : modeOf(word)
    this.#target = undefined
  }

  /** Both of them. For mode otel, behind enterScope(); `flatMaps` for metrics. */
  writeAround(walk: Walk, flatMaps: boolean): void {
    const text = this.#scratch
    if (!this.#isResourceWritten) {
      this.#isResourceWritten = true
      const { resource } = walk
      text.begin()
      text.ascii('"resource":{')
      this.#string('schema_url', resource.toSchemaUrl())
      this.#attributes.write(text, walk.resourceAttributes, this.resourceSpecial, flatMaps)
      this.#count(resource.droppedAttributesCount())
      this.#close(this.#resourceJson)
    }
    const { scope } = walk
    text.begin()
    text.piece(this.#resourceJson)
    text.ascii('"scope":{')
    this.#string('schema_url', scope.toSchemaUrl())
    this.#string('name', this.scopeName)
    this.#string('version', this.scopeVersion)
    this.#attributes.write(text, walk.scopeAttributes, this.scopeSpecial, flatMaps)
    this.#count(scope.droppedAttributesCount())
    this.#close(this.aroundJson)
  }

  enterRecord(walk: Walk): void {
    const { bytes, recordStart, recordEnd } = walk
    this.isFollowed = this.paths.follow(bytes, walk.words, recordStart, recordEnd, walk.attributesField)
    if (this.isFollowed) this.recordSpecial.clear()
    else this.recordSpecial.read(walk.attributes)
  }

  /** Of a record whose special attributes have been read. */
  target(routing: Routing): Target {
    if (this.recordSpecial.any)
      return routing.target(this.recordSpecial, this.scopeSpecial, this.resourceSpecial, this.scopeName)
    this.#target ??= routing.target(undefined, this.scopeSpecial, this.resourceSpecial, this.scopeName)
    return this.#target
  }

  #string(key: string, value: string): void {
    if (value === '') return
    this.#scratch.ascii(`"${key}":`)
    this.#scratch.quotedText(value)
    this.#scratch.ascii(',')
  }

  #count(dropped: number): void {
    if (dropped > 0) this.#scratch.ascii(`"dropped_attributes_count":${dropped},`)
  }

  #close(piece: Piece): void {
    const text = this.#scratch
    if (text.bytes[text.length - 1] === 0x2c) text.cut(text.length - 1)
    text.ascii('},')
    piece.set(text.bytes, 0, text.length)
  }
}
