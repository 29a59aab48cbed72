/**
 * The tables of system calls: the entry 'tracegate/syscalls', which only a bundled program has to import.
 *
 * Elsewhere syscallName() loads it by itself.
 */

import { provideSyscallTables } from '../system/syscall-tables.ts'
import { tables } from './tables.ts'

provideSyscallTables(tables)
