/**
 * Bytes of a page. A pipe's slot is one page, and PIPE_BUF is as many bytes: a write of at most that length is atomic.
 */
export const pageBytes = 4096
