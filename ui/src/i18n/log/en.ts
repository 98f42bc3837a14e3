import { number, plural } from '../forms';

const loc = 'en';
const n = (count: number) => number(loc, count);

/** The words of a session's log and of its calls. */
export const log = {
  title: (owner: string, node: string) => `${owner} on ${node}`,
  back: 'Back to the sessions',
  openMenu: 'Open the log',
  look: 'Look for the log',
  eventsMenu: 'CloudTrail events',
  tabs: { log: 'Log', events: 'CloudTrail events' },
  what: 'What is shown',
  store: { s3: 'S3', cloud_watch: 'CloudWatch' },
  storeLabel: 'Where it was recorded',
  reading: 'Reading the log',
  lines: (lines: number) => plural(loc, lines, { one: '# line', other: '# lines' }),
  partRead: (lines: number) => `${plural(loc, lines, { one: '# line', other: '# lines' })} read so far`,
  readOn: 'Read on',
  readAll: 'Read all of it',
  readNew: 'Read what came since',
  full: 'The window shows the first 8 million characters. Save the log to have all of it.',
  find: 'Find in the log',
  hits: (at: number, all: number) => (all === 0 ? 'No hits' : `${n(at)} of ${n(all)}`),
  next: 'Next hit',
  previous: 'Previous hit',
  copyAll: 'Copy text',
  text: 'text of the log',
  save: 'Save as recorded',
  replay: 'Replay',
  saved: (path: string) => `Written to ${path}`,
  again: 'Look again',
  console: 'Open in the console',
  byDocument: (document: string) => `by ${document} as it is now`,
  byAws: 'named by AWS',
  table: 'Log of the session',
  never: { title: 'AWS never logs this content', cause: 'What passes through SSH and port sessions is not seen by the AWS session log. Who started and ended the session is in CloudTrail.' },
  notRecorded: {
    title: 'This session was not recorded',
    cause: (document: string) => `The document **${document}** names neither a bucket nor a log group, as it is now. If it was changed since, the log may be where the older version says.`,
    missing: 'Nobody has saved session preferences in this account and Region, so shells are not recorded there.',
    action: 'Open documents',
  },
  notYet: { title: 'No log yet', running: 'Agents write the log when the session ends; streamed logs begin with the first full line.', ended: 'The session has ended just now. Agents may take some minutes to write the log.' },
  missing: { title: 'The log is not there', cause: 'The session is over and nothing was written, or it was removed since: the role of the node may not write there, or the log has aged out.' },
  failed: 'The log cannot be read',
  eventsFailed: 'The events cannot be looked up',
  noEvents: 'CloudTrail has no call of this session',
  noEventsCause: 'It may take 15 minutes until a call can be looked up, and CloudTrail keeps them for 90 days.',
  cut: 'This account and Region has more calls than are read, so some may be missing.',
  columns: { time: 'Time', call: 'Call', result: 'Result', caller: 'Caller', address: 'Address', program: 'Program' },
  ok: 'Allowed',
  record: 'Record',
  looking: 'Looking up events',
  statement: 'The smallest policy that allows it',
};

export type LogMessages = typeof log;
