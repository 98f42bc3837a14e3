import { number } from '../forms';

const n = (count: number) => number('en', count);

/** The words of the connect dialog. */
export const connect = {
  menu: 'Connect with a document…',
  title: (node: string) => `Connect to ${node}`,
  document: 'Document',
  place: (place: string) => `In ${place}`,
  plain: 'Plain shell by the session preferences',
  groups: { mine: 'Yours', shared: 'Shared with you', aws: 'From AWS' },
  notHere: 'not for tabs',
  loading: 'Reading the document',
  required: 'required',
  oneOf: (count: number) => `one of ${n(count)}`,
  pattern: (pattern: string) => `pattern ${pattern}`,
  defaultIs: (value: string) => `default ${value}`,
  list: 'several, separated by commas',
  reason: 'Reason',
  reasonHint: (count: number) => `kept in the AWS session record, ${n(count)} of 256`,
  does: 'What it does to the session',
  preferencesUnset: 'No session preferences are saved here; AWS’s own settings apply.',
  commandLine: 'As command line',
  lines: { aws: 'AWS CLI', fleetline: 'fleetline' },
  start: 'Start session',
  strip: {
    sealed: (key: string) => `Sealed with ${key}`,
    recorded: (where: string) => `Recorded in ${where}`,
    notRecorded: 'not recorded',
    idle: (left: string) => `idle ends in ${left}`,
    longest: (left: string) => `ends in ${left}`,
    paused: 'idle time paused',
    soonIdle: (node: string, left: string) => `The session on ${node} ends in ${left} because nothing happens in it.`,
    soonLongest: (node: string, left: string) => `The session on ${node} reaches its longest time in ${left} and ends.`,
  },
};

export type ConnectMessages = typeof connect;
