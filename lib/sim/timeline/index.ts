/** Runs of the simulated kernel, recorded and drawn. */

export { recordTimeline } from './record.ts'
export {
  type EventMark,
  Timeline,
  type TimelineArrow,
  type TimelineColumn,
  type TimelineEvent,
  type TimelineEventKind,
  type TimelineParts,
} from './timeline.ts'
export { type TimelineMark, TimelineRecorder } from './timeline-recorder.ts'
