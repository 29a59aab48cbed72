/** What the two ends of a pipe have in common, as open files. */

import { OpenFile } from './open-file.ts'
import type { Pipe } from './pipe.ts'

/** One end of a pipe. */
export abstract class PipeEnd extends OpenFile {
  readonly pipe: Pipe
  protected override readonly takesDirect = true

  constructor(pipe: Pipe, flags: number) {
    super(pipe.kernel, flags)
    this.pipe = pipe
  }

  override get channel(): string {
    return `pipe ${this.pipe.id}`
  }

  override readableBytes(): number {
    return this.pipe.readableBytes
  }

  override pipeSize(): number {
    return this.pipe.capacityBytes
  }

  override resizePipe(bytes: number): number {
    return this.pipe.resize(bytes)
  }
}
