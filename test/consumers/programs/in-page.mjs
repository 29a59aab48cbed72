// Puts the scenario's result, or its error, into the page.
import { scenario } from './scenario.mjs'

const { document } = globalThis
const show = (id, value) => {
  const element = document.createElement('pre')
  element.id = id
  element.textContent = value
  document.body.append(element)
}
scenario().then(
  seen => show('seen', JSON.stringify(seen)),
  error => show('error', `${error.stack}`),
)
