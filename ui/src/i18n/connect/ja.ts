import { number } from '../forms';
import type { ConnectMessages } from './en';

const n = (count: number) => number('ja', count);

export const connect: ConnectMessages = {
  menu: 'ドキュメントで接続…',
  title: (node) => `${node} に接続`,
  document: 'ドキュメント',
  place: (place) => `${place} のもの`,
  plain: 'セッションの設定による通常のシェル',
  groups: { mine: '自分のもの', shared: '共有されたもの', aws: 'AWS のもの' },
  notHere: 'タブでは使えません',
  loading: 'ドキュメントを読み込んでいます',
  required: '必須',
  oneOf: (count) => `${n(count)} 個から選択`,
  pattern: (pattern) => `パターン ${pattern}`,
  defaultIs: (value) => `既定値 ${value}`,
  list: 'コンマ区切りで複数',
  reason: '理由',
  reasonHint: (count) => `AWS のセッション記録に残ります。256 文字中 ${n(count)} 文字`,
  does: 'セッションへの働き',
  preferencesUnset: 'ここにはセッションの設定が保存されていません。AWS の既定値が適用されます。',
  commandLine: 'コマンドラインとして',
  lines: { aws: 'AWS CLI', fleetline: 'fleetline' },
  start: 'セッションを開始',
  strip: {
    sealed: (key) => `${key} で暗号化`,
    recorded: (where) => `${where} に記録`,
    notRecorded: '記録なし',
    idle: (left) => `無操作終了まで ${left}`,
    longest: (left) => `終了まで ${left}`,
    paused: '無操作時間は停止中',
    soonIdle: (node, left) => `${node} のセッションは操作がないため、あと ${left} で終了します。`,
    soonLongest: (node, left) => `${node} のセッションは最長時間に達し、あと ${left} で終了します。`,
  },
};
