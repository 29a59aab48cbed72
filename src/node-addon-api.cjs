// Prints the folder of node-addon-api's headers: the package's where it is installed beside this one, else the one
// that npx put beside the programs in PATH (`npx --package=node-addon-api -- node-gyp rebuild`).

const { existsSync } = require('node:fs')
const { delimiter, join, resolve } = require('node:path')

function folder() {
  try {
    return require('node-addon-api').include_dir
  } catch (error) {
    if (error.code !== 'MODULE_NOT_FOUND') throw error
  }
  const beside = process.env.PATH.split(delimiter).map(bin => resolve(bin, '../node-addon-api'))
  const found = beside.find(candidate => existsSync(join(candidate, 'napi.h')))
  if (found === undefined) throw new Error('node-addon-api is not installed: npm install node-addon-api')
  return found
}

console.log(folder())
