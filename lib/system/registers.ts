/** The general-purpose registers as ptrace gives them (NT_PRSTATUS), by name. */

/** user_regs_struct of x86-64, in its order. */
// biome-ignore format: the layout mirrors the struct
export const x64Registers = [
  'r15', 'r14', 'r13', 'r12', 'rbp', 'rbx', 'r11', 'r10', 'r9', 'r8', 'rax', 'rcx', 'rdx', 'rsi', 'rdi', 'orig_rax',
  'rip', 'cs', 'eflags', 'rsp', 'ss', 'fs_base', 'gs_base', 'ds', 'es', 'fs', 'gs',
] as const

/** user_pt_regs of arm64, in its order. */
// biome-ignore format: the layout mirrors the struct
export const arm64Registers = [
  'x0', 'x1', 'x2', 'x3', 'x4', 'x5', 'x6', 'x7', 'x8', 'x9', 'x10', 'x11', 'x12', 'x13', 'x14', 'x15', 'x16', 'x17',
  'x18', 'x19', 'x20', 'x21', 'x22', 'x23', 'x24', 'x25', 'x26', 'x27', 'x28', 'x29', 'x30', 'sp', 'pc', 'pstate',
] as const

/** The name of a register: of x86-64 (rip, rsp, rax …) or of arm64 (pc, sp, x0 …). */
export type RegisterName = (typeof x64Registers)[number] | (typeof arm64Registers)[number]

/** Register values as unsigned 64-bit integers; those of the machine's architecture are present. */
export type Registers = { [name in RegisterName]?: bigint }
