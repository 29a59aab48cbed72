/**
 * The prebuilt addon by a path that bundlers see. A program that is bundled for linux-arm64-glibc imports it before its
 * first launch.
 */
require('../../system/provided-addons.js').provideAddon('linux-arm64-glibc', () =>
  require('../../../prebuilds/linux-arm64/tracegate.glibc.node'),
)
