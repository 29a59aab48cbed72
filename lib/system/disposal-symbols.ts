/**
 * Symbol.dispose and Symbol.asyncDispose, where the realm lacks them.
 *
 * Node before 24 adds them to its main realm only. In a vm context, such as Jest runs tests in, the methods would be
 * named 'undefined', and no `using` would find them. Compilers' helpers fall back to the same registered symbols.
 */

for (const name of ['dispose', 'asyncDispose'] as const) {
  if (typeof Symbol[name] === 'symbol') continue
  // False, and no exception, where the realm's intrinsics are frozen.
  Reflect.defineProperty(Symbol, name, { value: Symbol.for(`Symbol.${name}`), configurable: true })
}

export {}
