// Reads an ELF file (64 bits, little-endian): the parts that decide where it loads.

const machines = { 62: 'x64', 183: 'arm64' }
const sectionTypes = { symbols: 2, dynamic: 6, dynamicSymbols: 11, versionsNeeded: 0x6ffffffe }
const dynamicTags = { needed: 1, flags1: 0x6ffffffb }
const nodelete = 0x8

/**
 * @param {Buffer} bytes
 * @returns {{ architecture: string, sections: string[], needed: string[], versions: string[], undefined: string[],
 *   defined: string[], exported: string[], isNodelete: boolean }}
 * needed: libraries. versions: of their symbols ('GLIBC_2.17'). undefined, defined: symbols, local ones too unless the
 * file is stripped. exported: symbols that other files may use.
 */
export function readElf(bytes) {
  if (bytes.toString('latin1', 0, 6) !== '\x7fELF\x02\x01') throw new Error('not an ELF file of 64 bits, little-endian')
  const machine = bytes.readUInt16LE(18)
  const sections = readSections(bytes)
  const dynamic = entries(sections, sectionTypes.dynamic, 16).map(({ at, strings }) => ({
    tag: Number(bytes.readBigUInt64LE(at)),
    value: Number(bytes.readBigUInt64LE(at + 8)),
    strings,
  }))
  const symbols = [sectionTypes.symbols, sectionTypes.dynamicSymbols]
    .flatMap(type => entries(sections, type, 24))
    .map(({ at, strings }) => ({
      name: text(bytes, strings.offset + bytes.readUInt32LE(at)).replace(/@.*/, ''), // the linker may append a version
      isLocal: bytes[at + 4] >> 4 === 0,
      isUndefined: bytes.readUInt16LE(at + 6) === 0,
    }))
    .filter(({ name }) => name !== '')
  const names = chosen => [...new Set(chosen.map(({ name }) => name))].sort()
  return {
    architecture: machines[machine] ?? `ELF machine ${machine}`,
    sections: sections.map(({ name }) => name),
    needed: dynamic
      .filter(({ tag }) => tag === dynamicTags.needed)
      .map(({ value, strings }) => text(bytes, strings.offset + value)),
    versions: readVersions(bytes, sections),
    undefined: names(symbols.filter(({ isUndefined }) => isUndefined)),
    defined: names(symbols.filter(({ isUndefined }) => !isUndefined)),
    exported: names(symbols.filter(({ isLocal, isUndefined }) => !isLocal && !isUndefined)),
    isNodelete: dynamic.some(({ tag, value }) => tag === dynamicTags.flags1 && (value & nodelete) !== 0),
  }
}

function readSections(bytes) {
  const table = Number(bytes.readBigUInt64LE(40))
  const count = bytes.readUInt16LE(60)
  const sections = Array.from({ length: count }, (_, index) => {
    const at = table + 64 * index
    return {
      nameAt: bytes.readUInt32LE(at),
      type: bytes.readUInt32LE(at + 4),
      offset: Number(bytes.readBigUInt64LE(at + 24)),
      size: Number(bytes.readBigUInt64LE(at + 32)),
      link: bytes.readUInt32LE(at + 40),
      info: bytes.readUInt32LE(at + 44),
    }
  })
  const names = sections[bytes.readUInt16LE(62)]
  return sections.map(section => ({
    ...section,
    name: names === undefined ? '' : text(bytes, names.offset + section.nameAt),
    strings: sections[section.link],
  }))
}

/** The entries of every section of a type, each with its string section. */
function entries(sections, type, entryBytes) {
  return sections
    .filter(section => section.type === type)
    .flatMap(({ offset, size, strings }) =>
      Array.from({ length: Math.floor(size / entryBytes) }, (_, index) => ({
        at: offset + entryBytes * index,
        strings,
      })),
    )
}

// Elf64_Verneed: one per library, each with a list of Elf64_Vernaux, one per version.
function readVersions(bytes, sections) {
  const versions = []
  for (const { offset, info, strings } of sections.filter(({ type }) => type === sectionTypes.versionsNeeded)) {
    let library = offset
    for (let left = info; left > 0; left--) {
      let version = library + bytes.readUInt32LE(library + 8)
      for (let more = bytes.readUInt16LE(library + 2); more > 0; more--) {
        versions.push(text(bytes, strings.offset + bytes.readUInt32LE(version + 8)))
        version += bytes.readUInt32LE(version + 12)
      }
      library += bytes.readUInt32LE(library + 12)
    }
  }
  return [...new Set(versions)].sort()
}

function text(bytes, from) {
  return bytes.toString('latin1', from, bytes.indexOf(0, from))
}
