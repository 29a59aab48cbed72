/**
 * Loaded before every test file: the library loads the simulated kernel and the names of system calls by require(),
 * which does not read TypeScript.
 */

import '../../lib/sim/index.ts'
import '../../lib/syscalls/index.ts'
