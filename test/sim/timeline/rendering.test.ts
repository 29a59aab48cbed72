import { describe, expect, it } from 'vitest'
import { Timeline, type TimelineEvent } from '../../../lib/sim/timeline/index.ts'
import { layOut, textWidth } from '../../../lib/sim/timeline/layout.ts'
import { constants } from '../system.ts'
import { child, deadlocked, exec, launches, recordedHostFirst } from './recorded.ts'

/** The launch handshake: traceme, notify, hold, resume. */
function handshake(): Timeline {
  const { host, recorder } = recordedHostFirst()
  const [r, w] = host.pipe2(constants.O_CLOEXEC)
  const pid = host.fork(
    child(
      { op: 'traceme' },
      { op: 'write', fd: w, data: new Uint8Array(1) },
      { op: 'raise', signal: 'SIGSTOP' },
      exec('/bin/true'),
    ),
  )
  host.close(w)
  host.read(r, new Uint8Array(1))
  host.waitpid(pid)
  host.ptraceCont(pid)
  host.poll([], 10)
  host.kill(pid, 'SIGKILL')
  host.waitpid(pid)
  return recorder.finish([{ kind: 'leak', text: `descriptor ${r} is still open`, tid: 100 }])
}

const event = (column: number, text: string, more: Partial<TimelineEvent> = {}): TimelineEvent => ({
  column,
  kind: 'call',
  text,
  atMs: 0,
  mark: undefined,
  skipped: 0,
  ...more,
})

/** Texts with characters that one of the output formats would interpret. */
const hostile = new Timeline({
  columns: [
    { pid: 100, tid: 100, name: 'host', bornAt: undefined },
    { pid: 101, tid: 101, name: '/bin/<x> & "y"; end', bornAt: 0 },
  ],
  events: [
    event(0, 'fork() = 101'),
    event(1, 'write(1, "</text>;#%%{init}%%\u0000\u001b[0m\u202e:")'),
    event(0, 'end'),
    event(1, `read(${'a'.repeat(200)})`, { mark: { kind: 'race', text: '<&>"\'; end\nof it' } }),
  ],
  arrows: [{ from: 1, to: 2, kind: 'bytes', label: '1 < 2; & "3"' }],
})

describe('a timeline as text', () => {
  it('has a column for each process, and a line for each event', () => {
    expect(`\n${handshake()}`).toBe(`
    100 host                                             101 /bin/true
 1  ┃ pipe2(O_CLOEXEC) = 3, 4<pipe 4>
 2  ┃ fork() = 101 ──────────────────────────────────────▶ starts
 3  ┃ close(4)                                           │
 4  ┃ read(3) …                                          │
 5  ┊                                                    ┃ ptrace(TRACEME)
 6  ┊                                                    ┃ write(4<pipe 4>, 1 byte) = 1
 7  ┃ … read(3) = 1  ◀ 1 byte from 6                     │
 8  ┃ waitpid(101) …                                     │
 9  ┊                                                    ┃ tgkill(SIGSTOP)
10  ┊                                                    ┃ stops: SIGSTOP
11  ┃ … waitpid(101) = 101 stopped SIGSTOP  ◀ from 10    ╎
12  ┃ ptrace(CONT, 101)                                  ╎
13  ┃ poll([], 10 ms) …                                  ╎
14  ┊                                                    ┃ goes on  ◀ by 12
15  ┊                                                    ┃ rt_sigprocmask()
16  ┊                                                    ┃ exec /bin/true
17  ┊                                                    ┃ stops: SIGTRAP
    ┊ ··· at 10 ms                                       ╎
18  ┃ … poll([], 10 ms)                                  ╎
19  ┃ kill(101, SIGKILL)                                 ╎
20  ┃ waitpid(101) …                                     ╎
21  ┊                                                    ┃ killed by SIGKILL  ◀ SIGKILL from 19
22  ▐ … waitpid(101) = 101 killed by SIGKILL  ◀ from 21
    ▐ ▲ leak: descriptor 3 is still open
`)
  })

  it('commands no terminal, whatever the texts', () => {
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they must not be there
    expect(String(hostile) + hostile.toMermaid()).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/)
    expect(String(hostile).split('\n')).toHaveLength(7)
  })

  it('keeps its columns in line beside a note that is wider than the first', () => {
    const columns = [100, 101].map(pid => ({ pid, tid: pid, name: 'x', bornAt: undefined }))
    const late = { atMs: 1_000_000_000, skipped: 12_345 }
    const timeline = new Timeline({ columns, events: [event(1, 'a'), event(0, 'b', late)], arrows: [] })
    const lines = String(timeline).trimEnd().split('\n')
    expect(lines.filter(line => line.includes('···'))).toHaveLength(2)
    const second = lines[0]!.indexOf('101 x')
    for (const line of lines.slice(1)) expect(line.slice(second - 1, second + 1)).toMatch(/^ [│┃]$/)
  })

  it('shows where each of two deadlocked processes waits', () => {
    const lines = String(deadlocked()).split('\n')
    const marks = lines.filter(line => line.includes('▲ deadlock'))
    expect(marks).toHaveLength(2)
    for (const mark of marks) expect(lines[lines.indexOf(mark) - 1]).toMatch(/▐ read\(\d(<pipe \d>)?\) …/)
  })
})

describe('a timeline in Mermaid', () => {
  const statement =
    /^(sequenceDiagram| {2}(participant p\d+ as [^;#<>]|Note over p\d+: |p\d+(->>|-->>)p\d+: |rect rgba\([\d., ]+\)$|end$).*)$/

  it.each([
    ['a handshake', handshake],
    ['a deadlock', deadlocked],
    ['texts that mean something', () => hostile],
  ])('is a sequence diagram, line by line: %s', (_, make) => {
    const lines = make().toMermaid().trimEnd().split('\n')
    expect(lines[0]).toBe('sequenceDiagram')
    for (const line of lines) {
      expect(line).toMatch(statement)
      // Every entity is one that the renderer wrote, and no statement ends in the middle of a line.
      expect(line.replace(/-?->>/, '').replaceAll(/#\d+;/g, '')).not.toMatch(/[#;<>]/)
      // Mermaid takes a directive out of any line.
      expect(line).not.toContain('%%')
    }
    const count = (what: RegExp) => lines.filter(line => what.test(line)).length
    expect(count(/^ {2}rect/)).toBe(count(/^ {2}end$/))
  })

  it('has the messages at their arrival, and a fork as one', () => {
    const text = handshake().toMermaid()
    expect(text).toContain('  p100->>p101: fork() = 101\n')
    expect(text).toContain('  p101->>p100: 1 byte\n  Note over p100: … read(3) = 1\n')
    expect(text).toContain('  p100-->>p101: go on\n  Note over p101: goes on\n')
    expect(text).toContain('▲ leak: descriptor 3 is still open')
  })
})

/** Parses XML strictly (every tag closed, every attribute quoted, special characters escaped); returns its texts. */
function parseXml(xml: string): string[] {
  const open: string[] = []
  const texts: string[] = []
  const token = /<(\/)?([a-z]+)((?: [a-zA-Z:-]+="[^"<&]*")*)(\/)?>|([^<>&]|&(?:amp|lt|gt|quot);)+/gy
  let end = 0
  for (let found = token.exec(xml); found !== null; found = token.exec(xml)) {
    end = token.lastIndex
    const [all, closes, name, , isEmpty] = found
    if (name === undefined) texts.push(all)
    else if (closes) expect(open.pop()).toBe(name)
    else if (!isEmpty) open.push(name)
  }
  expect(xml.slice(end, end + 60)).toBe('')
  expect(open).toEqual([])
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they must not be there
  expect(xml).not.toMatch(/[\u0000-\u0009\u000b-\u001f]/)
  return texts.map(each =>
    each.replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&quot;', '"').replaceAll('&amp;', '&'),
  )
}

describe('a timeline as a picture', () => {
  it('is well-formed XML, whatever the texts', () => {
    expect(parseXml(handshake().toSvg())).toContain('fork() = 101')
    expect(parseXml(deadlocked().toSvg())).toContain('▲ deadlock: waits for 101')
    const texts = parseXml(hostile.toSvg())
    expect(texts).toContain('write(1, "</text>;#%%{init}%%␀␛[0m\ufffd:")')
    expect(texts.join('')).toContain('/bin/<x> & "y"; end 101')
  })

  it('has colours for light and for dark', () => {
    const svg = handshake().toSvg()
    const [light, dark] = /<style>(.*)<\/style>/s.exec(svg)![1]!.split('@media (prefers-color-scheme:dark)')
    const colours = (css: string) => new Set(css.match(/#[0-9a-f]{6}/g))
    expect(colours(light!).size).toBeGreaterThan(8)
    expect([...colours(light!)].filter(colour => colours(dark!).has(colour))).toEqual([])
  })

  it('has every text inside its box, every box apart from the others, and everything on the paper', async () => {
    for (const timeline of [handshake(), deadlocked(), hostile, await launches(1), await launches(2)]) {
      const { events, columns, width, height } = layOut(timeline)
      for (const { lines, markLines, ...box } of events) {
        for (const line of [...lines, ...markLines]) expect(textWidth(line)).toBeLessThan(box.width)
        expect(box.x).toBeGreaterThan(columns[box.event.column]!.x)
        expect(box.x + box.width).toBeLessThan(columns[box.event.column + 1]?.x ?? width)
        expect(box.top + box.height).toBeLessThan(height)
      }
      for (const [index, { top }] of events.entries()) {
        const above = events[index - 1]
        if (above !== undefined) expect(top).toBeGreaterThanOrEqual(above.top + above.height)
      }
    }
  })

  it('has no arrow that crosses a text', async () => {
    for (const timeline of [handshake(), deadlocked(), await launches(3), await launches(4)]) {
      const { events, arrows } = layOut(timeline)
      expect(arrows.length).toBeGreaterThan(1)
      for (const { arrow, points } of arrows) {
        const others = events.filter(({ index }) => index !== arrow.from && index !== arrow.to)
        for (const [index, [x, y]] of points.slice(1).entries()) {
          const [fromX, fromY] = points[index]!
          const crossed = others.filter(
            box =>
              Math.max(x, fromX) > box.x &&
              Math.min(x, fromX) < box.x + box.width &&
              Math.max(y, fromY) > box.top &&
              Math.min(y, fromY) < box.top + box.height,
          )
          expect(crossed.map(({ event }) => event.text)).toEqual([])
        }
      }
    }
  })

  it('is not too wide: a launch of three children fits on a screen', async () => {
    expect(layOut(await launches(5)).width).toBeLessThan(1400)
    expect(layOut(handshake()).width).toBeLessThan(760)
  })
})

describe('a timeline of a very long run', () => {
  const calls = 30_000

  /** A very long run of host calls with a child in the middle; a byte passes between them at each end of the run. */
  function longRun(): Timeline {
    const { host, recorder } = recordedHostFirst()
    const [r, w] = host.pipe2()
    for (let i = 0; i < calls / 2; i++) host.bytesReadable(r)
    const { position } = recorder
    const pid = host.fork(child({ op: 'write', fd: w, data: new Uint8Array(1) }))
    for (let i = 0; i < calls / 2; i++) host.bytesReadable(r)
    host.waitpid(pid)
    host.read(r, new Uint8Array(1))
    return recorder.finish([{ kind: 'error', text: 'here', tid: 100, position }])
  }

  it('keeps the beginning, the end, births and marked events, and says how much is left out', () => {
    const { columns, events, arrows } = longRun()
    expect(events.length).toBeLessThan(1000)
    const skipped = events.reduce((sum, each) => sum + each.skipped, 0)
    expect(events.length + skipped).toBeGreaterThan(calls)
    expect(events[0]!.text).toMatch(/^pipe2/)
    expect(events.filter(({ mark }) => mark !== undefined)).toMatchObject([{ text: expect.stringMatching(/^ioctl/) }])
    expect(events[columns[1]!.bornAt!]!.text).toBe('fork() = 101')
    expect(arrows.map(({ from, to }) => [events[from]!.text, events[to]!.text])).toContainEqual([
      'write(4<pipe 4>, 1 byte) = 1',
      'read(3) = 1',
    ])
  })

  it('is drawn in every form', () => {
    const timeline = longRun()
    expect(String(timeline)).toMatch(/··· 14\d\d\d events left out/)
    expect(timeline.toMermaid()).toMatch(/Note over p100: 14\d\d\d events left out/)
    expect(parseXml(timeline.toSvg()).filter(text => text.endsWith('events left out'))).toHaveLength(2)
  })
})
