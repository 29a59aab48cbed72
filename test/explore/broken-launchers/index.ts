/** Launchers with known bugs, one per file. */

import { doubleClose } from './double-close.ts'
import { gateEndOfFileAsGo } from './gate-end-of-file-as-go.ts'
import { handlerReapsAnyChild } from './handler-reaps-any-child.ts'
import type { BrokenLauncher } from './kit.ts'
import { noParentDeathSignal } from './no-parent-death-signal.ts'
import { notifyBeforeTraceme } from './notify-before-traceme.ts'
import { ptraceBeforeTraceme } from './ptrace-before-traceme.ts'
import { sharedChannel } from './shared-channel.ts'
import { signalForwardedTwice } from './signal-forwarded-twice.ts'
import { stopLostWithMask } from './stop-lost-with-mask.ts'
import { waitpidBeforeTraceme } from './waitpid-before-traceme.ts'
import { writeEndKeptOpen } from './write-end-kept-open.ts'
import { wrongStatus } from './wrong-status.ts'
import { zombieOnFailure } from './zombie-on-failure.ts'

/** Keyed by bug. */
export const brokenLaunchers: Readonly<Record<string, BrokenLauncher>> = {
  'ptrace before traceme': ptraceBeforeTraceme,
  'waitpid before traceme': waitpidBeforeTraceme,
  'notify before traceme': notifyBeforeTraceme,
  'the write end kept open in the parent': writeEndKeptOpen,
  'a double close': doubleClose,
  'the wrong status waited for': wrongStatus,
  'a stop lost with the signal mask': stopLostWithMask,
  'a zombie on failure': zombieOnFailure,
  'a gate that reads end of file as go': gateEndOfFileAsGo,
  'no parent-death signal': noParentDeathSignal,
  'a SIGCHLD handler that reaps any child': handlerReapsAnyChild,
  'two launches sharing a channel': sharedChannel,
  'a signal forwarded twice': signalForwardedTwice,
}
