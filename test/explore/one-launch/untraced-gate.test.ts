import { oneLaunchSurvives } from '../protocol/one-launch.ts'

oneLaunchSurvives('untraced, gate')
