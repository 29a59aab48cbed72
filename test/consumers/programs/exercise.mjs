// The first steps of a new user of the package, on any System. Reports the outcome of each step.

const text = async stream => {
  let all = ''
  for await (const chunk of stream) all += chunk
  return all
}

async function channel({ Channel }, system, kind) {
  const channel = Channel.open({ system, kind })
  try {
    channel.notify()
    await channel.wait({ timeoutMs: 20_000 })
    const late = channel.wait({ timeoutMs: 20_000 })
    channel.notify()
    await late
    channel.notify()
    channel.waitSync()
    channel.closeWrite()
    return await channel.wait({ timeoutMs: 20_000 }).then(
      () => 'an unexpected notification',
      error => error.code,
    )
  } finally {
    channel.close()
  }
}

async function traced({ launch }, system) {
  const tracee = await launch('/bin/true', [], { system, timeoutMs: 20_000 })
  const { stop } = tracee
  tracee.cont()
  const { kind, code } = await tracee.exited
  return { stop, exited: { kind, code } }
}

async function piped({ launch }, system, trace) {
  const child = await launch('/bin/cat', [], { system, trace, timeoutMs: 20_000 })
  const run = trace === false ? child.exited : child.run()
  child.stdin.end('through a pipe\n')
  const output = await text(child.stdout)
  const { code } = await run
  return { output, code }
}

async function failing({ launch }, system) {
  try {
    await launch('/no/such/program', [], { system, timeoutMs: 20_000 })
    return 'launched what is not there'
  } catch ({ code, step, path }) {
    return { code, step, path }
  }
}

const steps = {
  kind: (_, system) => system.kind,
  pipe: (tracegate, system) => channel(tracegate, system, 'pipe'),
  socketpair: (tracegate, system) => channel(tracegate, system, 'socketpair'),
  traced,
  piped,
  untraced: (tracegate, system) => piped(tracegate, system, false),
  failing,
}

/** The result of each step, or its error. */
export async function exercise(tracegate, system = tracegate.openSystem(), names = Object.keys(steps)) {
  const seen = {}
  for (const name of names) {
    try {
      seen[name] = await steps[name](tracegate, system)
    } catch (error) {
      seen[name] = { error: error.code ?? error.name, message: error.message }
    }
  }
  return seen
}
