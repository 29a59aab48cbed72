/**
 * The prebuilt addon by a path that bundlers see. A program that is bundled for linux-arm64-musl imports it before its
 * first launch.
 */
require('../../system/provided-addons.js').provideAddon('linux-arm64-musl', () =>
  require('../../../prebuilds/linux-arm64/tracegate.musl.node'),
)
