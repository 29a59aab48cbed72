import { timedLaunchSurvivesFaults } from '../protocol/one-launch.ts'

timedLaunchSurvivesFaults('untraced, gate')
