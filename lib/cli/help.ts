/** The command's help texts. */

import { toolTable } from './with/known-tools.ts'

const exitStatus = `Exit status: the program's, 128+n when signal n ended it; 127 when the program was not found, 126 when it could not be
executed, 125 when the launch failed, 2 for bad usage.
`

const inheritance = `The program gets what the command was started with: every descriptor, ignored and blocked signals, the environment.
Signals sent to the command go on to it.
`

const general = `Usage: tracegate <command> [options] -- program [args...]
       tracegate explore [options]
       tracegate doctor [options]

Starts a program held at its exec: forked, traced, reported ready and stopped before its first instruction.

Commands:
  run      launch it traced, print the handshake with its timings, and run it to its end
  hold     leave it stopped at its exec for a debugger, say its pid, stay until it ends
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
  --json                     print one line of JSON; of a launch that failed, too
  --output FILE              print to a file, or with fd:N to a descriptor, which the program does not get then
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

Leaves a program stopped at its exec for a debugger, says its pid on standard error, and stays until it ends.
gdb -p PID debugs it. kill -CONT PID lets it go, as any SIGCONT does: a shell's fg, too. With --report unix:PATH neither
does, until the adapter at the other end says so: docs/terminal-protocol.md.
Ctrl-C, SIGTERM, SIGQUIT or a hang-up before it is let go: it is killed and has not run.

  --detach        do not stay: leave it there, in a session of its own
  --pid-file FILE write its pid there before that is said; the file goes when the command ends, but with --detach
  --report ADDR   tell an adapter of it, a JSON object a line: unix:PATH a socket, fifo:PATH a FIFO, fd:N a descriptor
  --tracer PID    let that process and its descendants attach, where Yama allows only parents; any: every process
  --timeout S     kill it if it was not let go within S seconds; the exit status is 124 then

${inheritance}
${exitStatus}`,
  with: `Usage: tracegate with [options] 'tool {pid}' -- program [args...]

Holds a program while a tool runs on it, {pid} in the tool's line standing for its pid:
  tracegate with 'gdb -p {pid}' -- program

  --hold WHERE    exec: in state T, at its first instruction; gate: before its exec, which the tool sees then
  --release WHEN  attached: once the tool has attached; tool-exit: once it has ended with status 0; fd: once it has
                  written a newline to the descriptor in $TRACEGATE_RELEASE_FD; tool: the tool lets it go itself
  --match NAME    run the program, and hold the first process below it that execs a program of that name, which {pid} is
                  then; the others run on, untraced from there. Not with --hold gate
  --kill          kill the program when the tool has ended; else it is let go, and this command stays until its end

{control} in the line is perf's --control (perf record --control {control} -p {pid}): let go once perf answers.

Without options the tool's name decides:
${toolTable()}

${inheritance}
Exit status: the tool's, 128+n when signal n ended it; 127, 126 and 125 for a launch that failed, 2 for bad usage.
125 also where the program was never let go: no tool was seen to attach, and it was killed unrun.
With --match the program's where the tool's is 0. Where no process matched, the program's, and 125 if that is 0.
`,
  explore: `Usage: tracegate explore [options]

Shows a launcher's race, found by trying every schedule in the simulated system, and gone with a Channel.

  --replay SCHEDULE  run the launcher without a Channel once, under a schedule that this command has printed, and show what happens
  --svg FILE         write the picture of the schedule that fails
  --json             print it as one line of JSON

Exit status: 1 where the schedule replayed is none under which this launcher fails, or the picture cannot be written.
`,
  doctor: `Usage: tracegate doctor [options]

Says what works on this machine, what does not and why, and what cures it.

  --json          print it as one line of JSON

Exit status: 1 when launching cannot work.
`,
}

export const commandNames: readonly string[] = Object.keys(ofCommand)

/** The help of a command; by default the overview of all. */
export function helpOf(command?: string): string {
  return (command !== undefined && Object.hasOwn(ofCommand, command) && ofCommand[command]) || general
}
