import { chmodSync } from 'node:fs'
import { temporaryFolder } from '../support/temporary-folder.ts'
import { users } from './tools-under-with.ts'
import { testTools } from './with-tools.ts'

const folder = temporaryFolder()
chmodSync(folder, 0o755)

// The other users' other tests are in with.long.test.ts.
for (const user of users) testTools(user, folder, user === users[0] ? 'all' : 'some')
