/** The words of a replay. */
export const replay = {
  word: 'Replay',
  controls: 'Replay controls',
  play: 'Play',
  pause: 'Pause',
  again: 'Play again',
  back: 'Back 10 seconds',
  on: 'On 10 seconds',
  position: 'Position',
  speed: 'Speed',
  times: (speed: string) => `${speed}×`,
  skip: 'Skip pauses',
  at: (position: string, duration: string) => `${position} of ${duration}`,
  quiet: 'Nothing here reaches a node or answers one.',
};
