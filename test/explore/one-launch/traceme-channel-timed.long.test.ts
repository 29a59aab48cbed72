import { timedLaunchSurvivesFaults } from '../protocol/one-launch.ts'

timedLaunchSurvivesFaults('traceme, channel')
