/** Said where a program that exists in a real system is not there. */
export const simulatedHint = 'this is the simulated system, which has only the programs installed in it'
