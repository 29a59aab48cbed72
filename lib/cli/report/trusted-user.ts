/** The users that a held program may be reported to. In a shared folder such as /tmp, a socket may be any user's. */

/** Why a user is not trusted, as a clause; undefined for this process's own user, root, and the user of sudo. */
export function whyNotTrusted(user: number | undefined): string | undefined {
  const own = process.geteuid!()
  const trusted = [own, process.getuid!(), 0]
  if (own === 0 && /^\d+$/.test(process.env.SUDO_UID ?? '')) trusted.push(Number(process.env.SUDO_UID))
  if (user === undefined || trusted.includes(user)) return undefined
  return `belongs to user ${user}, and this command to user ${own}`
}
