/** An empty user's project with the packed package installed, for the duration of a suite. */

import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { inject } from 'vitest'
import { noSettings, type Outcome, type RunOptions, run, succeed } from './run.ts'

const programs = fileURLToPath(new URL('../programs/', import.meta.url))

export class Project {
  readonly folder: string

  /** A folder with only a package.json. */
  constructor() {
    this.folder = mkdtempSync(join(tmpdir(), 'tracegate-consumer-'))
    this.write('package.json', JSON.stringify({ name: 'consumer', version: '1.0.0', private: true, type: 'module' }))
  }

  /** A folder with the packed package, installed by this machine's npm. */
  static async installed(): Promise<Project> {
    const project = new Project()
    try {
      await succeed('npm', ['install', '--no-audit', '--no-fund', inject('tarball')], {
        cwd: project.folder,
        env: noSettings,
      })
    } catch (error) {
      project.remove()
      throw error
    }
    return project
  }

  path(name: string): string {
    return join(this.folder, name)
  }

  write(name: string, text: string): string {
    mkdirSync(dirname(this.path(name)), { recursive: true })
    writeFileSync(this.path(name), text)
    return this.path(name)
  }

  /** Copies programs of test/consumers/programs into the project. */
  add(...names: readonly string[]): void {
    for (const name of names) cpSync(join(programs, name), this.path(name))
  }

  run(command: string, args: readonly string[], options: Omit<RunOptions, 'cwd'> = {}): Promise<Outcome> {
    return run(command, args, { ...options, cwd: this.folder })
  }

  succeed(command: string, args: readonly string[], options: Omit<RunOptions, 'cwd'> = {}): Promise<string> {
    return succeed(command, args, { ...options, cwd: this.folder })
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true })
  }
}
