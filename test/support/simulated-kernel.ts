/** Loaded before every test file: openSystem() loads the simulated kernel by require(), which cannot read TypeScript. */

import '../../lib/sim/index.ts'
