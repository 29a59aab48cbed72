/**
 * Loaded before every test file: openSystem() loads the simulated kernel by require(), which does not read
 * TypeScript.
 */

import '../../lib/sim/index.ts'
