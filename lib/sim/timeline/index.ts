/** Runs of the simulated kernel, recorded and drawn. */

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
export { type RecordedEvent, type TimelineMark, TimelineRecorder } from './timeline-recorder.ts'
