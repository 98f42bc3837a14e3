import { number } from '../forms';
import type { Messages } from '../en';

const n = (count: number) => number('ja', count);

/** 記録に関する言葉。 */
export const recordings: Messages['recordings'] = {
  title: '記録',
  lead: 'このコンピューターに封印して保管します。どこにも送信しません。',
  count: (count: number) => `記録 ${n(count)} 件`,
  start: 'このシェルを記録',
  stop: '記録を終了',
  mark: 'ローカル記録中',
  marked: (since: string) => `${since} から出力を記録しています。クリックで終了します。`,
  markedInput: (since: string) => `${since} から出力と表示された入力を記録しています。クリックで終了します。`,
  recorded: '記録中',
  begun: '記録を開始しました',
  ended: '記録を終了しました',
  columns: { node: 'ノード', began: '開始', length: '長さ', size: 'サイズ', place: 'ソース · リージョン', session: 'セッション' },
  unreadable: '開けません: 鍵が失われています',
  input: '入力を含む',
  play: '再生',
  export: 'エクスポート…',
  exportTitle: '平文でエクスポートしますか?',
  exportText: '.cast ファイルは封印されません。読む人には、シークレットを含め、ノードの出力がすべて見えます。',
  exportButton: 'エクスポート',
  exported: (path: string) => `${path} に書き出しました`,
  remove: '削除…',
  removeTitle: 'この記録を削除しますか?',
  removeText: '元に戻せません。',
  removeButton: '削除',
  empty: '記録はありません',
  emptyCause: 'シェルのメニューまたは Ctrl Shift R で記録します。ノードの出力を保管し、表示されない入力は決して保管しません。',
  row: (node: string, began: string, length: string) => `${node}、${began}、${length}`,
  kib: (size: string) => `${size} KiB`,
  section: '記録',
  inputLabel: '入力も記録',
  inputHint: '入力中にノードが表示したものだけです。表示されないパスワードは決して記録しません。',
  sizeLabel: '記録の最大サイズ',
  sizeHint: 'MiB 単位、1 〜 1,000。超えると記録を終了します。',
  daysLabel: '記録の保管期間',
  daysHint: '日単位、1 〜 3,650。古いものは次の記録の開始時に削除します。',
  key: 'シェルの記録を開始・終了',
};
