const tracegate = require('tracegate')
const { SimulatedKernel } = require('tracegate/sim')
const { exercise } = require('./exercise.mjs')

async function main() {
  const native = await exercise(tracegate)
  const simulated = await exercise(tracegate, new SimulatedKernel().host)
  console.log(JSON.stringify({ native, simulated }))
}
main()
