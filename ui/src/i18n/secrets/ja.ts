import { number } from '../forms';
import type { Messages } from '../en';

const n = (count: number) => number('ja', count);

/** シークレットの保管場所に関する言葉。 */
export const secrets: Messages['secrets'] = {
  section: 'シークレット',
  keep: 'シークレットの封印方法',
  keepHint: 'MFA コードで開いたセッションと、記録の鍵です。AWS のアクセスキーは含みません。',
  kept: { keyring: 'キーリング', passphrase: 'パスフレーズファイル', memory: 'なし' },
  file: 'パスフレーズファイル',
  fileHint: '完全なパスを入力します。本人だけが読める、8 文字以上のファイルです。',
  looking: 'キーリングに問い合わせています…',
  ready: {
    keyring: 'このシステムのキーリングにある鍵で封印し、ディスクに保管しています。',
    passphrase: 'パスフレーズから作った鍵で封印し、ディスクに保管しています。',
    memory: 'メモリだけに保管し、Fleetline の終了とともに消えます。',
  },
  held: (sessions: number) => `MFA セッション ${n(sessions)} 件を保管しています。`,
  until: '解決するまで、メモリだけに保管します。',
  locked: 'キーリングがロックされています。',
  hanging: 'キーリングが 5 秒間応答していません。',
  hangingHint: 'キーリングを再起動するか、パスフレーズファイルを選んでください。',
  absent: {
    keyring: 'このセッションにはキーリングがありません。',
    collection: 'キーリングにまだコレクションがありません。',
    consent: 'キーリングに拒否されました。',
    passphrase_file: 'パスフレーズファイルが指定されていません。',
    passphrase_readable: 'パスフレーズファイルを読めません。',
    passphrase_private: '他のユーザーがパスフレーズファイルを読めます。',
    passphrase_fit: 'パスフレーズが短すぎるか長すぎます。',
  },
  absentHint: {
    keyring: 'キーリングを起動するか、パスフレーズファイルを選んでください。',
    collection: 'デスクトップのパスワード管理で既定のキーリングを作るか、パスフレーズファイルを選んでください。',
    consent: 'もう一度試すか、パスフレーズファイルを選んでください。',
    passphrase_file: '下で指定してください。',
    passphrase_readable: '作成するか、別のファイルを指定してください。',
    passphrase_private: '本人だけが読めるようにしてください: chmod 600',
    passphrase_fit: '8 〜 1024 文字です。',
  },
  damaged: {
    form: 'シークレットのファイルが壊れているか、別のバージョンのものです。',
    key_gone: 'キーリングに、このファイルの鍵がもうありません。',
    does_not_open: 'シークレットのファイルは、この鍵またはパスフレーズでは開きません。',
  },
  damagedHint: 'ファイルはそのまま残ります。やり直すと、別の名前で保存します。',
  unusable: 'シークレットのファイルを使えません。',
  unlock: 'ロックを解除…',
  again: '再試行',
  anew: 'やり直す',
  forget: 'すべて忘れる',
  forgetTitle: 'すべてのシークレットを消去しますか?',
  forgetText: 'MFA コードが再び必要になり、これまでの記録は再生できなくなります。',
  forgotten: 'すべてのシークレットを消去しました',
};
