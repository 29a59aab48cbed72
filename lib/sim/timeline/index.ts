/** Runs of the simulated kernel, recorded and drawn. */

export type { RecordedEvent, TimelineMark } from './marks.ts'
export type {
  EventMark,
  TimelineArrow,
  TimelineColumn,
  TimelineEvent,
  TimelineEventKind,
  TimelineParts,
} from './parts.ts'
export { recordTimeline } from './record.ts'
export { Timeline } from './timeline.ts'
export { TimelineRecorder } from './timeline-recorder.ts'
