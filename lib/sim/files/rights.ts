/** SCM_RIGHTS: the files that a message carries from one process to another, unix(7). */

import { EBADF, EINVAL } from '../base/results.ts'
import type { OpenFile } from './open-file.ts'
import type { Caller } from './wait.ts'

/** SCM_MAX_FD. */
const mostRights = 253

/** The files to pass, null for none; -EBADF for a closed descriptor, -EINVAL for more than SCM_MAX_FD. */
export function collectRights(task: Caller, fds: readonly number[]): readonly OpenFile[] | null | number {
  if (fds.length === 0) return null
  if (fds.length > mostRights) return -EINVAL
  const rights: OpenFile[] = []
  for (const fd of fds) {
    const file = task.process.descriptors.get(fd)
    if (file === undefined) return -EBADF
    rights.push(file)
  }
  return rights
}

/** Releases the files of a message, the last first: {@link World.finishLater} reverses that, so they end in order. */
export function dropRights(rights: readonly OpenFile[]): void {
  for (let i = rights.length - 1; i >= 0; i--) rights[i]!.releaseLater()
}

/** What a read returns besides bytes (flags, descriptors), and the form of its answer. */
export interface Received<Answer> {
  /** MSG_* bits to return. */
  flags: number
  /** Takes over the descriptors of a message. */
  take(rights: readonly OpenFile[]): void
  /** The call's answer. `whole`: the call reached its control messages; end of file and urgent data do not. */
  answer(bytes: number, whole: boolean): Answer
}

/** A read without room for descriptors: it closes them and answers the number of bytes. */
export class BytesOnly implements Received<number> {
  flags = 0

  take(rights: readonly OpenFile[]): void {
    dropRights(rights)
  }

  answer(bytes: number): number {
    return bytes
  }
}
