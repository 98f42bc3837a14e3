import { number, plural } from '../forms';

const loc = 'en';
const n = (count: number) => number(loc, count);

/** Accounts, sign-in and codes. */
export const en = {
  title: 'Accounts',
  counts: (all: number, usable: number) => `${plural(loc, all, { one: '# identity', other: '# identities' })}, ${n(usable)} usable now`,
  checkAll: 'Check all',
  check: 'Check',
  checkAgain: 'Check again',
  add: 'Add identity',
  columns: { identity: 'Identity', account: 'Account', role: 'Role', source: 'Source', regions: 'Regions', expires: 'Expires in' },
  details: 'Identity details',
  inspectorEmpty: 'Select an identity to see where it comes from and what it reaches.',
  unknown: 'unknown',
  rowName: (name: string, state: string, account: string, how: string) => `${name}, ${state}, ${account}, ${how}`,

  // How credentials come
  how: {
    access_key: 'Access key',
    environment: 'Environment variables',
    identity_center: (label: string) => `IAM Identity Center · ${label}`,
    role: (through: string) => `Role through ${through}`,
    role_here: 'Role by credentials of this computer',
    web_identity: 'Role by a token file',
    process: 'Prints of a program',
    console_login: 'aws login',
    nothing: 'No credentials',
    mfa: (how: string) => `${how}, MFA`,
  },

  // States
  state: {
    ready: 'Ready', needs_sign_in: 'Nobody is signed in', over: 'Expired', needs_code: 'Needs an MFA code', not_checked: 'Not checked',
    checking: 'Checking', failed: 'Cannot be used',
  },
  waitsForCode: 'Waiting for an MFA code',
  expires: {
    never: 'never expires', unknown: 'end not known', code: 'needs a code', signIn: 'not signed in', overSince: (age: string) => `expired ${age} ago`,
    renews: 'renews itself', notChecked: 'not checked', failed: 'cannot be used', checking: 'checking',
  },
  regionsOf: (loaded: number, all: number) => `${n(loaded)} of ${n(all)}`,
  notUsed: 'not in the fleet',

  // Actions
  signIn: 'Sign in',
  signInAgain: 'Sign in again',
  signInDevice: 'Sign in by a code on any device',
  signOut: 'Sign out',
  enterCode: 'Enter code…',
  rolesOf: 'Accounts and roles…',
  use: 'Add to the fleet',
  leave: 'Take out of the fleet',
  remove: 'Forget',
  usedElsewhere: 'The AWS configuration holds it; it is changed there.',

  // Inspector
  account: 'Account',
  role: 'Role',
  caller: 'Caller',
  through: 'Through',
  signInLabel: 'Sign-in',
  device: 'MFA device',
  file: 'Kept in',
  ownFile: 'Fleetline',
  awsFile: 'AWS configuration',
  checked: 'Checked',
  ago: (age: string) => `${age} ago`,
  regions: 'Regions',
  noRegions: 'The fleet is not listed through this identity.',
  settings: 'Settings',
  noSettings: 'None.',
  nodes: (count: number) => plural(loc, count, { one: '# node', other: '# nodes' }),
  updated: (age: string) => `Updated ${age} ago`,

  // Sign-ins
  signIns: 'Sign-ins',
  signInsLead: 'IAM Identity Center. The AWS CLI is signed in with them.',
  usedBy: (count: number) => plural(loc, count, { one: '# identity', other: count === 0 ? 'no identity yet' : '# identities' }),
  preparing: 'Asking for the page.',
  waiting: (host: string) => `**Waiting for the browser.** Finish on the page of ${host}.`,
  waitingCode: (host: string) => `**Waiting for the browser.** Check that the page of ${host} shows`,
  unopened: (reason: string) => `The browser could not be opened (${reason}). Copy the address instead.`,
  left: (time: string) => `${time} left`,
  openAgain: 'Open page again',
  copyAddress: 'Copy address',
  copyCode: 'code',
  tryAgain: 'Try again',

  // Scopes
  scopes: 'Scopes',
  scopesLead: (count: number) => `${plural(loc, count, { one: '# account-region', other: '# account-regions' })} in use. Fleet asks only these.`,
  empty: 'empty',
  waitingScope: 'waiting',
  loading: 'loading',
  denied: 'denied',
  failed: 'failed',
  missing: (name: string, regions: string, cause: string) => `${name} · ${regions}: ${cause} Its nodes are missing from every count.`,

  // Empty
  noneTitle: 'No identities yet',
  noneCause: 'Fleetline found no AWS profile on this computer, no sso-session and no AWS variables. Sign in through IAM Identity Center, or configure a profile as the AWS CLI does.',

  // Adding
  addTitle: 'Sign in with IAM Identity Center',
  addLead: 'The accounts and roles you have there are listed afterwards. Nothing is written into the AWS files.',
  startUrl: 'Start URL',
  startUrlHint: 'from your administrator or the AWS access portal',
  startUrlWrong: 'An https address, such as https://corp.awsapps.com/start.',
  region: 'Region',
  regionHint: 'of IAM Identity Center',
  regionWrong: 'A Region name, such as eu-central-1.',
  inBrowser: 'Sign in in the browser',
  byCode: 'By a code on any device',

  // Roles
  rolesTitle: (label: string) => `Accounts of ${label}`,
  rolesLoading: 'Asking which accounts and roles you have.',
  rolesFilter: 'Filter accounts and roles',
  rolesNone: 'This sign-in opens no account.',
  rolesCount: (chosen: number, all: number) => `${n(chosen)} of ${n(all)} chosen`,
  rolesAll: 'Choose all',
  rolesNothing: 'Choose none',
  rolesRegion: 'Look for nodes in',
  rolesAdd: (count: number) => plural(loc, count, { one: 'Add # role', other: count === 0 ? 'Add to the fleet' : 'Add # roles' }),
  rolesIn: 'in the fleet',

  // Codes
  codeTitle: (source: string) => `Code for ${source}`,
  codeRole: (role: string) => `The role ${role} asks for MFA. Enter the code that your device shows now.`,
  codeUser: 'A session of this user asks for MFA. Enter the code that your device shows now.',
  codeLabel: 'Six digits',
  digit: (place: number) => `Digit ${n(place)} of 6`,
  codeUsed: 'AWS refused this code because it was given before; each is good once.',
  codeWrong: 'AWS refused this code, most likely because it was used before or is of another device.',
  codeNext: (left: string) => `The next code comes in ${left}.`,
  codeNow: 'Your device shows the next code now.',
  validFor: 'Valid for',
  waitingLabel: 'Waiting',
  waitingCalls: (count: number) => plural(loc, count, { one: '# call', other: '# calls' }),
  sentOnce: 'Sent once, not kept.',
  confirm: 'Confirm',
  trying: 'Asking AWS',
  codeAlert: (source: string) => `${source} needs the code of its MFA device.`,

  // Elsewhere
  expiresName: (name: string, left: string) => `${name} · expires in ${left}`,
  startSignIn: 'Sign in with IAM Identity Center',
};

/** The shape of every dictionary of accounts. */
export type AccountMessages = typeof en;
