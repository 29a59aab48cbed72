/** Compiles the documentation's code as a separate module, under strict settings, against the published types. */

import { fileURLToPath } from 'node:url'
import ts from 'typescript'

const root = fileURLToPath(new URL('../..', import.meta.url))

const options: ts.CompilerOptions = {
  noEmit: true,
  strict: true,
  target: ts.ScriptTarget.ES2023,
  lib: ['lib.es2023.d.ts', 'lib.esnext.disposable.d.ts'],
  module: ts.ModuleKind.NodeNext,
  moduleResolution: ts.ModuleResolutionKind.NodeNext,
  types: ['node'],
  skipLibCheck: true,
}

/** The compiler's messages for each module. The names are for these messages. */
export function compileModules(modules: ReadonlyMap<string, string>): string[] {
  const host = ts.createCompilerHost(options)
  const files = new Map([...modules].map(([name, code]) => [`${root}${name}.mts`, code]))
  const { getSourceFile, fileExists, readFile } = host
  host.fileExists = path => files.has(path) || fileExists.call(host, path)
  host.readFile = path => files.get(path) ?? readFile.call(host, path)
  host.getSourceFile = (path, target, ...rest) => {
    const code = files.get(path)
    if (code === undefined) return getSourceFile.call(host, path, target, ...rest)
    return ts.createSourceFile(path, code, target, true, ts.ScriptKind.TS)
  }
  const program = ts.createProgram([...files.keys()], options, host)
  return ts.getPreEmitDiagnostics(program).map(({ file, start, messageText }) => {
    const line = file === undefined ? 0 : file.getLineAndCharacterOfPosition(start ?? 0).line
    const shown = file?.text.split('\n')[line]?.trim()
    return `${file?.fileName.slice(root.length)}: ${ts.flattenDiagnosticMessageText(messageText, ' ')}: ${shown}`
  })
}
