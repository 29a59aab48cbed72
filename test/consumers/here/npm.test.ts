import { itInstallsWithoutBuilding, npm } from '../support/package-manager.ts'

itInstallsWithoutBuilding({ name: 'npm of this machine', command: ['npm'], version: /^\d+\./, ...npm })
