import { number } from '../forms';
import type { AuditMessages } from './en';

const loc = 'ja';
const n = (count: number) => number(loc, count);

export const audit: AuditMessages = {
  title: '監査への備え',
  goTo: '監査への備え',
  read: '再読み込み',
  reading: (left, all) => `${n(all)} 件中 ${n(all - left)} 件のアカウント・リージョンを読み込み済み`,
  show: { all: 'すべて', gaps: '要確認' },
  showLabel: '表示する項目',
  summary: (gaps, looks, unknown) => `不備 ${n(gaps)} 件、要判断 ${n(looks)} 件、不明 ${n(unknown)} 件`,
  note: '誰が何を開始できるかは IAM ポリシーで決まり、ここでは読み取りません。各項目には根拠を示しています。',
  columns: { topic: '項目', fact: '状況', evidence: '根拠', setting: '変更箇所' },
  verdict: { good: '良好', attention: '要判断', gap: '不備', unknown: '不明' },
  topic: {
    s3_log: 'S3 のログ', cloud_watch_log: 'CloudWatch Logs のログ', sealing: 'KMS キーによる暗号化', run_as: 'ノード上のユーザー', idle_limit: '無操作時の終了',
    longest_limit: '最長時間', port_content: 'SSH とポート', other_documents: 'その他のドキュメント', sharing: '共有ドキュメント', permissions: '開始できる人と内容', cloud_trail: 'CloudTrail',
  },
  fact: {
    s3: (place, encrypted) => (encrypted ? `ログは ${place} に保存され、暗号化が必須です。` : `ログは ${place} に保存されます。暗号化は必須ではありません。`),
    cloudWatch: (group, streams, encrypted) => `ログは${streams ? 'セッション中に' : 'セッション終了時に'} ${group} に書き込まれます。${encrypted ? '暗号化が必須です。' : '暗号化は必須ではありません。'}`,
    notHere: '使われていません。ログはもう一方に保存されます。',
    notRecorded: 'シェルはどこにも記録されません。',
    sealed: (key) => `セッションは TLS に加えて ${key} で暗号化されます。`,
    notSealed: 'セッションの暗号化は TLS のみです。',
    agentUser: 'シェルはエージェントのユーザーで動作し、root になれます。',
    namedUser: (user) => (user === null ? 'シェルは呼び出し元のタグが示すユーザーで動作します。タグがなければ拒否されます。' : `シェルは呼び出し元のタグが示すユーザー、なければ ${user} で動作します。`),
    idle: (count, set) => (set ? `操作がないまま ${n(count)} 分たつとセッションは終了します。` : `操作がないまま ${n(count)} 分たつと終了します (AWS の既定値)。`),
    longest: (count) => `セッションは ${n(count)} 分で終了します。`,
    noLongest: '使用中のセッションは自動では終了しません。',
    portsUnseen: 'SSH とポートのセッションの内容は AWS では記録されません。制限できるのは開始できる人だけです。',
    unrecorded: (names) => `次のドキュメントのセッションはログを残しません: ${names}`,
    allRecorded: 'ほかにログを残さないドキュメントはありません。',
    sharedHere: (names) => `他のアカウントのドキュメントが使えます: ${names}`,
    noneShared: '他のアカウントのドキュメントは使えません。',
    policiesTell: 'ポリシーで決まります。ssm:SessionDocumentAccessCheck 付きの ssm:StartSession を確認してください。',
    trailLogging: (names) => `呼び出しは証跡 ${names} に保存されます。`,
    trailStopped: (names) => `証跡 ${names} は停止しています。CloudTrail の保持は 90 日です。`,
    noTrail: '証跡がありません。CloudTrail の保持は 90 日です。',
    unknown: '不明です。',
  },
  setting: { preference: (path) => `セッション設定 ${path}`, documents: 'これらのドキュメント', policies: 'IAM ポリシー', trail: 'アカウントの証跡' },
  openPreferences: 'セッション設定を開く',
  openDocuments: 'ドキュメントを開く',
  empty: '対象のアカウント・リージョンがありません',
  row: (topic, verdict, fact) => `${topic}: ${verdict}。${fact}`,
};
