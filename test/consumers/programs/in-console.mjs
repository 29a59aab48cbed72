import { scenario } from './scenario.mjs'

scenario().then(seen => console.log(JSON.stringify(seen)))
