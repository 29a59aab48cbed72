/** Which JavaScript runtime this is, where the addon has to know. */

const { bun, deno } = process.versions

/** Bun and Deno load Node-API addons but run another event loop than libuv: Bun ends the process at most calls of libuv's, Deno has not got them. */
export const hasLibuv = bun === undefined && deno === undefined
