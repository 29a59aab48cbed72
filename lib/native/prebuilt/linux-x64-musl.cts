/**
 * The prebuilt addon by a path that bundlers see. A program that is bundled for linux-x64-musl imports it before its
 * first launch.
 */
require('../../system/provided-addons.js').provideAddon('linux-x64-musl', () =>
  require('../../../prebuilds/linux-x64/tracegate.musl.node'),
)
