import { familyNames } from './families/index.ts'
import { testFamily } from './family-test.ts'

for (const name of familyNames) testFamily(name, 20_000)
