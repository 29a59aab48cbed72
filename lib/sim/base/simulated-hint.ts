/** Appended to the error of a missing program, which may exist on a real system. */
export const simulatedHint = 'this is the simulated system, which has only the programs installed in it'
