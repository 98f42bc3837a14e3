/** Replays of recordings and logs, as the interface sees them; see `types.ts`. */

export interface ReplayRow {
  /** Where it was at `atMs`; while it plays the interface moves it on. */
  positionMs: number;
  atMs: number;
  durationMs: number;
  playing: boolean;
  speed: number;
  skipPauses: boolean;
  note: string | null;
}
export type ReplayControl = { do: 'play' } | { do: 'pause' } | { do: 'seek'; ms: number } | { do: 'speed'; speed: number } | { do: 'skip_pauses'; on: boolean };

export interface ReplayHost {
  replayControl(tab: string, control: ReplayControl): Promise<void>;
}
