/**
 * The prebuilt addon by a path that bundlers see. A program that is bundled for linux-x64-glibc imports it before its
 * first launch.
 */
require('../../system/provided-addons.js').provideAddon('linux-x64-glibc', () =>
  require('../../../prebuilds/linux-x64/tracegate.glibc.node'),
)
