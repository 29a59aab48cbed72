/** All families' operations together. */

import type { Weighted } from '../random.ts'
import { childRecipes } from './children.ts'
import { descriptors } from './descriptors.ts'
import type { Family, Recipe } from './family.ts'
import { descriptionRecipes, openPipe, pipeRecipes } from './pipes.ts'
import { openEpoll, pollRecipes } from './polling.ts'
import { processRecipes } from './processes.ts'
import { openAnyPair, socketRecipes } from './sockets.ts'

/** Recipes of another family, with a share of `weight`. */
function share(recipes: readonly Weighted<Recipe>[], weight: number): Weighted<Recipe>[] {
  const sum = recipes.reduce((total, [each]) => total + each, 0)
  return recipes.map(([each, recipe]) => [Math.max(1, Math.round((each * weight) / sum)), recipe])
}

export function mixed(ownGroupIsOrphaned: boolean): Family {
  return {
    name: 'mixed',
    length: 120,
    beginnings: [openPipe, openAnyPair, openEpoll],
    recipes: [
      [20, openAnyPair],
      ...share(pipeRecipes, 200),
      ...share(socketRecipes, 250),
      ...share(pollRecipes, 250),
      ...share(descriptionRecipes, 80),
      ...share(descriptors.recipes, 80),
      ...share(processRecipes(ownGroupIsOrphaned), 80),
      ...childRecipes(['reader', 'writer', 'dgram', 'seqpacket'], 4),
    ],
  }
}
