/** examples/adapter, driven as an editor drives it: the Debug Adapter Protocol, and a terminal. */

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { messagesFrom, send } from '../../examples/adapter/messages.mjs'
import { drawTerminal } from '../../scripts/terminal-picture.mjs'
import { hasTool, whyNotAttach } from '../cli/command.ts'
import { compileSource, whyNoCompiler } from '../support/c-program.ts'
import { describeNative } from '../support/describe-native.ts'
import { missingFrom, read, root } from '../support/pages.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'
import { openTerminal, shellLine, type Terminal } from '../support/tmux.ts'

const folder = temporaryFolder()
const needs = whyNotAttach('gdb') ?? (hasTool('tmux') ? whyNoCompiler : 'tmux is not installed')

const program = `#include <stdio.h>
int answer = 42;
int main(void) {
  char name[64] = "";
  printf("your name? ");
  fflush(stdout);
  if (scanf("%63s", name) == 1) printf("hello %s\\n", name);
  return 7;
}
`

interface Message {
  readonly type: 'request' | 'response' | 'event'
  readonly seq: number
  readonly command?: string
  readonly event?: string
  readonly request_seq?: number
  readonly success?: boolean
  readonly message?: string
  readonly arguments?: { readonly args: readonly string[] }
  readonly body?: Record<string, unknown>
}

/** An editor: it runs commands in its terminal, and gathers what the adapter says. */
class Editor implements AsyncDisposable {
  readonly #adapter = spawn(process.execPath, ['examples/adapter/adapter.mjs'], {
    cwd: root,
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  readonly #ended = once(this.#adapter, 'close')
  readonly #heard: Message[] = []
  #wake = () => {}
  #seq = 0

  constructor(terminal: Terminal) {
    void this.#listen(terminal)
  }

  /** The response to a request. */
  async ask(command: string, args: object = {}): Promise<Message> {
    const seq = ++this.#seq
    send(this.#adapter.stdin, { seq, type: 'request', command, arguments: args })
    return await this.#first(({ type, request_seq }) => type === 'response' && request_seq === seq)
  }

  /** The body of the first event of that name. */
  async event(name: string): Promise<Message['body']> {
    return (await this.#first(({ type, event }) => type === 'event' && event === name)).body
  }

  async [Symbol.asyncDispose]() {
    this.#adapter.stdin.end()
    await this.#ended
  }

  async #first(isIt: (message: Message) => boolean): Promise<Message> {
    for (;;) {
      const found = this.#heard.find(isIt)
      if (found !== undefined) return found
      await new Promise<void>(resolve => {
        this.#wake = resolve
      })
    }
  }

  async #listen(terminal: Terminal) {
    for await (const message of messagesFrom(this.#adapter.stdout) as AsyncIterable<Message>) {
      if (message.type === 'request' && message.command === 'runInTerminal') {
        await terminal.type(shellLine(message.arguments!.args))
        const { seq, command } = message
        send(this.#adapter.stdin, {
          seq: ++this.#seq,
          type: 'response',
          request_seq: seq,
          command,
          success: true,
          body: {},
        })
      }
      this.#heard.push(message)
      this.#wake()
    }
  }
}

describeNative(
  'the adapter of examples/',
  () => {
    it('debugs a program in the terminal from its main to its end', async () => {
      await using terminal = await openTerminal(folder)
      await using editor = new Editor(terminal)
      const greet = compileSource('greet', program, ['-g'])
      expect(await editor.ask('initialize', { adapterID: 'example' })).toMatchObject({ success: true })
      expect(await editor.ask('launch', { program: greet })).toMatchObject({ success: true })
      await editor.event('initialized')
      await editor.ask('setFunctionBreakpoints', { breakpoints: [{ name: 'main' }] })
      await editor.ask('configurationDone')
      expect(await editor.event('stopped')).toMatchObject({ reason: 'function breakpoint', threadId: 1 })
      expect((await editor.ask('evaluate', { expression: 'answer' })).body).toMatchObject({ result: '42' })
      expect(terminal.screen()).not.toMatch(/^your name/m)
      await editor.ask('continue', { threadId: 1 })
      await terminal.shows(/^your name\?/m)
      await terminal.type('world')
      await terminal.shows('hello world')
      expect(await editor.event('exited')).toMatchObject({ exitCode: 7 })
      await editor.event('terminated')
      await terminal.shows(/^[$#]$/m)
      await terminal.type('echo "status $?"')
      await terminal.shows(/^status 7/m)
      expect(await editor.ask('disconnect')).toMatchObject({ success: true })
      checkPicture(terminal.screen(), greet)
    })

    it('says why a program cannot be started', async () => {
      await using terminal = await openTerminal(folder)
      await using editor = new Editor(terminal)
      await editor.ask('initialize', { adapterID: 'example' })
      expect(await editor.ask('launch', { program: '/no/such/program' })).toMatchObject({
        success: false,
        message: "ENOENT: no such file or directory, execve '/no/such/program'",
      })
      await terminal.shows('tracegate: ENOENT')
    })
  },
  needs,
)

const picture = process.env.TRACEGATE_PICTURE

/** The picture in docs/ shows this screen, with the paths of a user. With TRACEGATE_PICTURE it is drawn anew. */
function checkPicture(screen: string, greet: string) {
  const shown = screen
    .replaceAll(greet, './greet')
    .replace(/^[$#] \S*\/bin\/tracegate\.js/m, '$ tracegate')
    .replace(/unix:\S+/, 'unix:/tmp/tracegate-Fa3Zq1/socket')
    .replaceAll(/^# /gm, '$ ')
  const lines = shown
    .trimEnd()
    .split('\n')
    .filter(line => line !== '#' && line !== '$')
  if (picture !== undefined)
    writeFileSync(`${root}${picture}`, drawTerminal('A program that a debug adapter has held in the terminal', lines))
  const texts = [...read('docs/an-adapter.svg').matchAll(/<text[^>]*>([^<]*)</g)].map(([, text]) => text)
  expect(texts.length).toBeGreaterThan(4)
  expect(missingFrom(lines.join('\n'), texts.join('\n').replaceAll('&lt;', '<').replaceAll('&amp;', '&'))).toEqual([])
}
