import type { Messages } from '../en';

/** 再生に関する言葉。 */
export const replay: Messages['replay'] = {
  word: '再生',
  controls: '再生の操作',
  play: '再生',
  pause: '一時停止',
  again: 'もう一度再生',
  back: '10 秒戻る',
  on: '10 秒進む',
  position: '位置',
  speed: '速度',
  times: (speed: string) => `${speed}×`,
  skip: '無操作の時間を飛ばす',
  at: (position: string, duration: string) => `${position} / ${duration}`,
  quiet: 'ここでの操作は、どのノードにも届かず、応答もしません。',
};
