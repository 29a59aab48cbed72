/** The command's help texts. */

import { toolTable } from './with/known-tools.ts'

const exitStatus = `Exit status: the program's, 128+n if signal n ended it; 127 if it was not found, 126 if it could
not be executed, 125 if the launch failed, 2 for bad usage.
`

const inheritance = `The program gets what the command was started with: every descriptor, ignored and blocked signals, the environment.
Signals sent to the command are passed on to it.
`

const general = `Usage: tracegate <command> [options] -- program [args...]
       tracegate explore [options]
       tracegate doctor [options]

Starts a program held at its exec: forked, traced, reported ready and stopped before its first instruction.

Commands:
  run      launch it traced, print the handshake with its timings, and run it to its end
  hold     leave it stopped at its exec for a debugger, print its pid, and stay until it ends
  with     hold it while a tool runs on it, and clean up
  explore  show a launcher's race, found by trying every schedule in the simulated system, and gone with a Channel
  doctor   say what works on this machine, what does not and why, and what cures it

  tracegate <command> --help   says more of one command
  --help, --version
`

const ofCommand: Readonly<Record<string, string>> = {
  run: `Usage: tracegate run [options] [--] program [args...]

Launches a program traced, prints the handshake with its timings to standard error, and runs it to its end.

  --timeline                 draw what parent and child did, and when
  --json                     print one line of JSON instead, also if the launch fails
  --output FILE              print to a file, or with fd:N to a descriptor, which the program then does not get
  --simulate                 in the simulated system

  --cwd DIR                  its working directory
  --env NAME=VALUE           add to its environment; may be given again
  --uid N, --gid N           its user and group, without supplementary groups
  --rlimit NAME=SOFT[:HARD]  a resource limit, by setrlimit's name in lower case, or 'unlimited'; may be given again
  --no-aslr                  a memory layout that is the same each time
  --new-session              in a session of its own

${inheritance}
${exitStatus}`,
  hold: `Usage: tracegate hold [options] [--] program [args...]

Leaves a program stopped at its exec for a debugger, prints its pid to standard error, and stays until it ends.
gdb -p PID debugs it. kill -CONT PID lets it run, as does any SIGCONT, a shell's fg included. With --report unix:PATH
neither works until the adapter at the other end says so: docs/terminal-protocol.md.
Ctrl-C, SIGTERM, SIGQUIT or a hang-up before that kills it; it has then not run.

  --detach        do not stay: leave it stopped, in a session of its own
  --pid-file FILE first write its pid to a file, which is removed when the command ends, except with --detach
  --report ADDR   report it to an adapter, one JSON object a line: unix:PATH socket, fifo:PATH FIFO, fd:N descriptor
  --tracer PID    let that process and its descendants attach, if Yama allows only parents; any: every process
  --timeout S     kill it if it has not run within S seconds; the exit status is then 124

${inheritance}
${exitStatus}`,
  with: `Usage: tracegate with [options] 'tool {pid}' -- program [args...]

Holds a program while a tool runs on it. In the tool's line, {pid} stands for its pid:
  tracegate with 'gdb -p {pid}' -- program

  --hold WHERE    exec: in state T, at its first instruction; gate: before its exec, so that the tool sees the exec
  --release WHEN  attached: once the tool has attached; tool-exit: once it has ended with status 0; fd: once it has
                  written a newline to the descriptor in $TRACEGATE_RELEASE_FD; tool: the tool lets it run by itself
  --match NAME    run the program, and hold the first process below it that execs a program of that name. {pid} is then
                  that process's; the others run on, untraced from there. Not with --hold gate
  --kill          kill the program when the tool ends; by default it is let run, and this command stays until it ends

{control} in the line is perf's --control (perf record --control {control} -p {pid}): the program runs once perf
answers.

Without options the tool's name decides:
${toolTable()}

${inheritance}
Exit status: the tool's, 128+n if signal n ended it; 127, 126 or 125 for a failed launch, 2 for bad usage.
125 also if the tool was never seen to attach and did not fail: the program was killed, and has not run.
With --match, the program's if the tool's is 0. If no process matched, the program's, or 125 if that is 0.
`,
  explore: `Usage: tracegate explore [options]

Shows a launcher's race, found by trying every schedule in the simulated system, and gone with a Channel.

  --replay SCHEDULE  run the launcher without a Channel once, under a schedule that this command has printed
  --svg FILE         write the picture of the schedule that fails
  --json             print it as one line of JSON

Exit status: 1 if the launcher does not fail under the replayed schedule, 125 if the picture or standard output cannot
be written.
`,
  doctor: `Usage: tracegate doctor [options]

Says what works on this machine, what does not and why, and what cures it.

  --json          print it as one line of JSON

Exit status: 1 if launching cannot work, 125 if standard output cannot be written.
`,
}

export const commandNames: readonly string[] = Object.keys(ofCommand)

/** The help of a command; by default the overview of all. */
export function helpOf(command?: string): string {
  return (command !== undefined && Object.hasOwn(ofCommand, command) && ofCommand[command]) || general
}
