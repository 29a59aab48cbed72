// The long run of the model tests: random programs on the real and the simulated kernel. test/model/main.ts
// lists the options.
//
// Node 20 does not read TypeScript: this file is also the loader that strips the types.

import { register } from 'node:module'
import { isMainThread } from 'node:worker_threads'

export async function load(url, context, next) {
  if (!url.endsWith('.ts')) return next(url, context)
  const { readFile } = await import('node:fs/promises')
  const { ModuleKind, ScriptTarget, transpileModule } = (await import('typescript')).default
  const source = await readFile(new URL(url), 'utf8')
  const { outputText } = transpileModule(source, {
    compilerOptions: {
      target: ScriptTarget.ES2023,
      module: ModuleKind.ESNext,
      verbatimModuleSyntax: true,
      inlineSourceMap: true,
    },
    fileName: url,
  })
  return { format: 'module', source: outputText, shortCircuit: true }
}

if (isMainThread) {
  if (!('typescript' in process.features && process.features.typescript)) register(import.meta.url)
  await import('../test/model/main.ts')
}
