/** How each call of System is described: its arguments as short texts. A call without a row does not compile. */

import type { CallName } from '../../system/calls.ts'
import { constants } from '../../system/constants.ts'
import { signalName } from '../../system/signals.ts'
import type { System } from '../../system/system.ts'
import { countOf } from '../base/count-of.ts'
import { signalIn } from '../calls/signal-info.ts'
import { bytesText, type DescribeFd, flagsText, nameOf, present, shortValue, signalText } from './words.ts'

type Rows = { readonly [Name in CallName]: (fd: DescribeFd, ...args: Parameters<System[Name]>) => string[] }

// A row calls `fd` for descriptors only: it introduces the file of that number.
export const systemCalls: Rows = {
  pipe2: (_, flags) => present(flagsText(flags, /^O_/)),
  socketpair: (_, domain, type) => [nameOf(domain, /^AF_/), socketType(type)],
  read: (fd, file) => [fd(file)],
  write: (fd, file, data) => [fd(file), bytesText(data)],
  send: (fd, file, data, flags) => present(fd(file), bytesText(data), flagsText(flags, /^MSG_/)),
  recv: (fd, file, _, flags) => present(fd(file), flagsText(flags, /^MSG_/)),
  sendmsg: (fd, file, { data, fds = [] }) =>
    present(fd(file), bytesText(data), fds.length > 0 ? `fds ${fds.map(fd).join(' ')}` : ''),
  recvmsg: (fd, file, _, flags) => present(fd(file), flagsText(flags, /^MSG_/)),
  shutdown: (fd, file, how) => [fd(file), nameOf(how, /^SHUT_/)],
  close: (fd, file) => [fd(file)],
  dup: (fd, file) => [fd(file)],
  dup3: (fd, file, target) => [fd(file), String(target)],
  fcntl: (fd, file, command, argument) => [fd(file), ...fcntlText(command, argument)],
  getsockopt: (fd, file, _, option) => [fd(file), nameOf(option, /^SO_/)],
  setsockopt: (fd, file, _, option, value) => [fd(file), nameOf(option, /^SO_/), String(value)],
  bytesReadable: (fd, file) => [fd(file)],
  writeFile: (_, path) => [path],
  openpty: (_, size) => (size === undefined ? [] : [shortValue(size)]),
  setWindowSize: (fd, file) => [fd(file)],

  poll: (fd, requests, timeoutMs) => [requests.map(each => fd(each.fd)).join(' ') || '[]', ...timeoutText(timeoutMs)],
  epollCreate1: (_, flags) => present(flagsText(flags, /^EPOLL_CLOEXEC/)),
  epollCtl: (fd, epoll, op, file) => [fd(epoll), nameOf(op, /^EPOLL_CTL_/).replace('EPOLL_CTL_', ''), fd(file)],
  epollWait: (fd, epoll, _, timeoutMs) => [fd(epoll), ...timeoutText(timeoutMs)],

  fork: () => [],
  waitpid: (_, pid, options = 0) => present(String(pid), flagsText(options & ~constants.__WALL, /^_*W/)),
  waitid: (_, idType, id, options) =>
    present(idText(idType, id), flagsText(options & ~constants.__WALL, waitidOptions)),
  kill: (_, pid, signal) => [String(pid), signalText(signal)],
  tgkill: (_, pid, tid, signal) => [String(pid), String(tid), signalText(signal)],
  tgsigqueueinfo: (_, pid, tid, siginfo) => [String(pid), String(tid), signalName(signalIn(siginfo))],

  ptraceCont: (_, pid, signal = 0) => ptrace('CONT', pid, delivered(signal)),
  ptraceStep: (_, pid, signal = 0) => ptrace('SINGLESTEP', pid, delivered(signal)),
  ptraceSyscall: (_, pid, signal = 0) => ptrace('SYSCALL', pid, delivered(signal)),
  ptraceDetach: (_, pid, signal = 0) => ptrace('DETACH', pid, delivered(signal)),
  ptraceSeize: (_, pid, options) => ptrace('SEIZE', pid, traceOptions(options)),
  ptraceAttach: (_, pid) => ptrace('ATTACH', pid),
  ptraceInterrupt: (_, pid) => ptrace('INTERRUPT', pid),
  ptraceListen: (_, pid) => ptrace('LISTEN', pid),
  ptraceSetOptions: (_, pid, options) => ptrace('SETOPTIONS', pid, traceOptions(options)),
  ptraceGetEventMessage: (_, pid) => ptrace('GETEVENTMSG', pid),
  ptraceGetSigInfo: (_, pid) => ptrace('GETSIGINFO', pid),
  ptraceSetSigInfo: (_, pid) => ptrace('SETSIGINFO', pid, '…'),
  ptracePeekSigInfo: (_, pid, offset) => ptrace('PEEKSIGINFO', pid, offset === 0 ? '' : String(offset)),
  ptraceGetRegisters: (_, pid) => ptrace('GETREGSET', pid),
  ptraceSetRegisters: (_, pid) => ptrace('SETREGSET', pid, '…'),
  ptraceGetRegisterSet: (_, tid, type) => ptrace('GETREGSET', tid, nameOf(type, /^NT_/)),
  ptraceSetRegisterSet: (_, tid, type) => ptrace('SETREGSET', tid, nameOf(type, /^NT_/)),
  ptracePeekUser: (_, tid, offset) => ptrace('PEEKUSER', tid, String(offset)),
  ptracePokeUser: (_, tid, offset) => ptrace('POKEUSER', tid, String(offset)),
  ptraceGetSyscallInfo: (_, tid) => ptrace('GET_SYSCALL_INFO', tid),
  ptraceGetSigMask: (_, pid) => ptrace('GETSIGMASK', pid),
  ptraceSetSigMask: (_, pid) => ptrace('SETSIGMASK', pid, '…'),
  readMemory: (_, pid, _address, into) => [String(pid), countOf(typeof into === 'number' ? into : into.length, 'byte')],
  writeMemory: (_, pid, _address, data) => [String(pid), countOf(data.length, 'byte')],
}

function fcntlText(command: number, argument = 0): string[] {
  const { F_SETFL, F_SETFD } = constants
  if (command === F_SETFL) return ['F_SETFL', flagsText(argument, /^O_/) || '0']
  if (command === F_SETFD) return ['F_SETFD', flagsText(argument, /^FD_/) || '0']
  return present(nameOf(command, /^F_(?!.*CLOEXEC$)|^F_DUPFD_CLOEXEC$/), argument === 0 ? '' : String(argument))
}

/** Not WUNTRACED, which is WSTOPPED. */
const waitidOptions = /^_*W(?!UNTRACED)/

const idText = (idType: number, id: number) => (idType === constants.P_ALL ? 'P_ALL' : `${nameOf(idType, /^P_/)} ${id}`)

const timeoutText = (timeoutMs = -1) => (timeoutMs < 0 ? [] : [`${timeoutMs} ms`])

function socketType(type: number): string {
  return present(nameOf(type & 0xf, /^SOCK_/), flagsText(type & ~0xf, /^SOCK_/)).join('|')
}

const ptrace = (request: string, pid: number, detail = '') => present(request, String(pid), detail)

const delivered = (signal: Parameters<typeof signalText>[0]) => (signal === 0 ? '' : signalText(signal))

const traceOptions = (options: number) => flagsText(options, /^PTRACE_O_/).replaceAll('PTRACE_O_', '')
