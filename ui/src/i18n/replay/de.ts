import type { Messages } from '../en';

/** Die Wörter einer Wiedergabe. */
export const replay: Messages['replay'] = {
  word: 'Wiedergabe',
  controls: 'Steuerung der Wiedergabe',
  play: 'Abspielen',
  pause: 'Anhalten',
  again: 'Nochmals abspielen',
  back: '10 Sekunden zurück',
  on: '10 Sekunden vor',
  position: 'Stelle',
  speed: 'Tempo',
  times: (speed: string) => `${speed}×`,
  skip: 'Pausen überspringen',
  at: (position: string, duration: string) => `${position} von ${duration}`,
  quiet: 'Nichts hier erreicht einen Knoten oder antwortet einem.',
};
