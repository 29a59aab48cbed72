import * as tracegate from 'tracegate'
import { SimulatedKernel } from 'tracegate/sim'
import { exercise } from './exercise.mjs'

const native = await exercise(tracegate)
const simulated = await exercise(tracegate, new SimulatedKernel().host)
console.log(JSON.stringify({ native, simulated }))
