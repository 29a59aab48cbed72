/**
 * Node's stream classes, to be extended by classes that are there before node:stream is loaded.
 *
 * Loading it takes longer than a launch, and many launches make no stream. The first stream of a class loads it and
 * gives the class its members.
 */

type Streams = typeof import('node:stream')
type StreamName = 'Readable' | 'Writable' | 'Duplex'

export const Readable: Streams['Readable'] = loadedLater('Readable')
export const Writable: Streams['Writable'] = loadedLater('Writable')
export const Duplex: Streams['Duplex'] = loadedLater('Duplex')

function loadedLater<Name extends StreamName>(name: Name): Streams[Name] {
  const streamClass = function (this: unknown, ...args: unknown[]): object {
    const loaded: Streams[StreamName] = process.getBuiltinModule('node:stream')[name]
    if (Object.getPrototypeOf(streamClass) !== loaded) {
      Object.setPrototypeOf(streamClass, loaded)
      Object.setPrototypeOf(streamClass.prototype, loaded.prototype)
    }
    return Reflect.construct(loaded, args, new.target ?? loaded)
  }
  return streamClass as unknown as Streams[Name]
}
