/** Whether user namespaces can be made here. */

import { spawnSync } from 'node:child_process'

/** The reason why not; undefined where they can. */
export const whyNoUserNamespace: string | undefined =
  spawnSync('unshare', ['-Ur', 'true']).status === 0 ? undefined : 'there are no user namespaces'
