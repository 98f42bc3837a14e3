import { number, plural } from '../forms';

const loc = 'en';
const n = (count: number) => number(loc, count);
const minutes = (count: number) => plural(loc, count, { one: '# minute', other: '# minutes' });

/** The words of the audit. */
export const audit = {
  title: 'Audit readiness',
  goTo: 'Audit readiness',
  read: 'Read again',
  reading: (left: number, all: number) => `${n(all - left)} of ${n(all)} account-regions read`,
  show: { all: 'All findings', gaps: 'To look at' },
  showLabel: 'Which findings',
  summary: (gaps: number, looks: number, unknown: number) => `${plural(loc, gaps, { one: '# gap', other: '# gaps' })}, ${n(looks)} worth a decision, ${n(unknown)} not known`,
  note: 'Who may start what is decided by IAM policies, which are not read here. Each finding says what it was read from.',
  columns: { topic: 'What', fact: 'Finding', evidence: 'Read from', setting: 'Changed in' },
  verdict: { good: 'Good', attention: 'Worth a decision', gap: 'Gap', unknown: 'Not known' },
  topic: {
    s3_log: 'Log in S3', cloud_watch_log: 'Log in CloudWatch Logs', sealing: 'Encryption with a KMS key', run_as: 'User on the node', idle_limit: 'End without activity',
    longest_limit: 'Maximum duration', port_content: 'SSH and ports', other_documents: 'Other documents', sharing: 'Shared documents', permissions: 'Who may start what', cloud_trail: 'CloudTrail',
  },
  fact: {
    s3: (place: string, encrypted: boolean) => (encrypted ? `Logs go to ${place}, which must be encrypted.` : `Logs go to ${place}; encryption is not insisted on.`),
    cloudWatch: (group: string, streams: boolean, encrypted: boolean) =>
      `Logs go to ${group} ${streams ? 'while sessions run' : 'when sessions end'}; ${encrypted ? 'the group must be encrypted.' : 'encryption is not insisted on.'}`,
    notHere: 'Not used; logs go to the other place.',
    notRecorded: 'Shells are not recorded anywhere.',
    sealed: (key: string) => `Sessions are encrypted with ${key} besides TLS.`,
    notSealed: 'Sessions are encrypted by TLS alone.',
    agentUser: 'Shells run as the agent’s user, who may become root.',
    namedUser: (user: string | null) => (user === null ? 'Shells run as the user the caller’s tag names; without one they are refused.' : `Shells run as the user the caller’s tag names, else as ${user}.`),
    idle: (count: number, set: boolean) => (set ? `Sessions end after ${minutes(count)} without activity.` : `Sessions end after ${minutes(count)} without activity, by the default of AWS.`),
    longest: (count: number) => `Sessions end after ${minutes(count)}.`,
    noLongest: 'Sessions that are used never end by themselves.',
    portsUnseen: 'AWS never logs what passes through SSH and port sessions; only who may start them can be limited.',
    unrecorded: (names: string) => `Sessions of these documents leave no log: ${names}.`,
    allRecorded: 'No other document here leaves its sessions unrecorded.',
    sharedHere: (names: string) => `Documents of other accounts can be used here: ${names}.`,
    noneShared: 'No document of another account can be used here.',
    policiesTell: 'Policies decide; look for ssm:StartSession with ssm:SessionDocumentAccessCheck.',
    trailLogging: (names: string) => `Calls are kept by the trail ${names}.`,
    trailStopped: (names: string) => `The trail ${names} is stopped; CloudTrail keeps 90 days.`,
    noTrail: 'There is no trail; CloudTrail keeps 90 days.',
    unknown: 'Not known.',
  },
  setting: { preference: (path: string) => `Preferences, ${path}`, documents: 'These documents', policies: 'IAM policies', trail: 'Trail of the account' },
  openPreferences: 'Open the preferences',
  openDocuments: 'Open documents',
  empty: 'No account-regions in scope',
  row: (topic: string, verdict: string, fact: string) => `${topic}: ${verdict}. ${fact}`,
};

export type AuditMessages = typeof audit;
