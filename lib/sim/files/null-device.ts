/** /dev/null, null(4): reads end at once, writes vanish. */

import { constants } from '../../system/constants.ts'
import { alwaysReady, OpenFile } from './open-file.ts'

/** An opening of /dev/null. */
export class NullDevice extends OpenFile {
  readonly description = '/dev/null'
  override readonly hasState = false
  /** As on Linux, poll(2) finds it always ready and epoll_ctl(2) fails with EPERM. */
  override readonly pollable = false
  protected override readonly takesAsync = false
  protected override readonly ownedByRoot = true

  constructor(kernel: ConstructorParameters<typeof OpenFile>[0], flags: number) {
    super(kernel, flags | constants.O_LARGEFILE)
  }

  override read(): number {
    return 0
  }

  override write(_task: unknown, data: Uint8Array): number {
    return data.length
  }

  poll(): number {
    return alwaysReady
  }

  protected override closed(): void {}
}
