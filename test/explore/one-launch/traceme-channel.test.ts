import { oneLaunchSurvives } from '../protocol/one-launch.ts'

oneLaunchSurvives('traceme, channel')
