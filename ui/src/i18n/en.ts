import { number, plural } from './forms';

const loc = 'en';
const n = (count: number) => number(loc, count);

/**
 * Every sentence of the interface. `**…**` marks what is set in medium weight; places are named arguments.
 * The other dictionaries have exactly this shape.
 */
export const en = {
  locale: loc,

  // Window
  sections: 'Sections',
  fleet: 'Fleet',
  settings: 'Settings',
  openTabs: 'Open tabs',
  newTab: 'New shell: choose a node',
  closeTab: (title: string) => `Close ${title}`,
  goTo: 'Go to node or action',
  dismiss: 'Dismiss',
  close: 'Close',
  cancel: 'Cancel',
  moreActions: 'More actions',
  showDetail: 'Show the full text',
  requestId: 'Request ID',
  hostLost: 'The interface cannot reach the program behind it.',
  reload: 'Load again',

  // Status bar
  demoIdentity: 'Demo fleet · nothing is sent to AWS',
  identityExpires: (name: string, left: string) => `${name} · expires in ${left}`,
  identityExpired: (name: string) => `${name} · expired`,
  identitiesMore: (name: string, more: number) => `${name} and ${n(more)} more`,
  noIdentity: 'Not signed in yet',
  shells: (count: number) => plural(loc, count, { one: '# shell', other: '# shells' }),
  updatedAgo: (age: string) => `Updated ${age} ago`,
  notUpdated: 'Not loaded yet',
  refreshing: 'Refreshing',
  privacy: 'No telemetry. Credentials stay in this process.',
  version: (v: string) => `Fleetline ${v}`,

  // Units
  seconds: (count: number) => `${n(count)} s`,
  minutes: (count: number) => `${n(count)} min`,
  hours: (count: number) => `${n(count)} h`,
  days: (count: number) => `${n(count)} d`,

  // Scope
  scope: (accounts: number, regions: number) =>
    `${plural(loc, accounts, { one: '# account', other: '# accounts' })} · ${plural(loc, regions, { one: '# region', other: '# regions' })}`,
  scopeEmpty: 'No accounts yet',
  scopeLoaded: (loaded: number, all: number) => `${n(loaded)} of ${n(all)} loaded`,
  scopeLoading: (count: number) => `${n(count)} loading`,
  scopeDenied: (count: number) => `${n(count)} denied`,
  scopeFailed: (count: number) => `${n(count)} failed`,
  scopeTitle: 'Account-regions in this list',
  scopeTable: { account: 'Account', region: 'Region', state: 'State', nodes: 'Nodes', tier: 'Hybrid tier' },
  listing: { waiting: 'Waiting', loading: 'Loading', loaded: 'Loaded', denied: 'Denied', failed: 'Failed' },

  // Counters
  counters: 'Totals of the loaded scope',
  nodes: (count: number) => plural(loc, count, { one: 'node', other: 'nodes' }),
  online: 'online',
  hybrid: 'hybrid',
  notConnectable: 'not connectable',
  counterAll: 'Show all nodes',
  counterFilter: (query: string) => `Filter by ${query}`,

  // Query box
  queryLabel: 'Filter nodes',
  queryPlaceholder: 'Name, ID, IP, tag:…, platform:…',
  matchCount: (matched: number, total: number) => `${n(matched)} of ${n(total)} match`,
  nodeCount: (count: number) => plural(loc, count, { one: '# node', other: '# nodes' }),
  removeChip: (chip: string) => `Remove ${chip}`,
  chipSelected: (chip: string) => `${chip} is selected. Backspace removes it.`,
  clearQuery: 'Clear the filter',
  completions: 'Completions',
  refresh: 'Refresh',
  stopRefresh: 'Stop refreshing',
  showInspector: 'Show details',

  // Table
  nodesTable: 'Nodes',
  columns: {
    readiness: 'Readiness', name: 'Name', node_id: 'Node ID', kind: 'Kind', platform: 'Platform',
    account: 'Account · Region', ip: 'IP', agent: 'Agent', tier: 'Tier', ping: 'Ping',
  },
  readiness: {
    ready: 'Ready', limited: 'Ready with limits', blocked: 'Cannot take sessions', lost: 'Connection lost',
    checking: 'Checking',
  },
  kind: { ec2: 'EC2', on_prem: 'Hybrid on-prem', azure: 'Azure', gcp: 'GCP', edge: 'Edge' },
  tier: { standard: 'Standard', advanced: 'Advanced', pending: 'Changing', unknown: 'Not checked' },
  agentOld: 'This agent is too old for some features',
  staleRow: 'From the last list, not confirmed yet',
  rowName: (name: string, readiness: string, kind: string, platform: string, account: string, region: string) =>
    `${name}, ${readiness}, ${kind}, ${platform}, ${account}, ${region}`,

  // Actions
  shell: 'Shell',
  openShell: 'Open a shell',
  copyNodeId: 'Copy node ID',
  copyIp: 'Copy IP address',
  copyName: 'Copy name',
  filterAccount: 'Show only this account',
  filterRegion: 'Show only this region',
  showDetails: 'Show details',
  copied: (what: string) => `Copied ${what}`,
  copyOf: (what: string) => `Copy ${what}`,

  // Tier banner
  tierBanner: (nodes: number, place: string, unit: string, sum: string) =>
    `${plural(loc, nodes, {
      one: `**# hybrid node in ${place} cannot take sessions**`,
      other: `**# hybrid nodes in ${place} cannot take sessions**`,
    })}: Standard tier. Advanced costs about ${unit} per node-hour, **about ${sum} a month** for ${plural(loc, nodes, {
      one: '# node', other: '# nodes',
    })}.`,
  tierReview: 'Review change…',
  dismissTomorrow: 'Dismiss until tomorrow',
  bannerOf: (at: number, all: number) => `${n(at)} of ${n(all)}`,
  tierTitle: (place: string) => `Advanced tier for ${place}`,
  tierWhat: 'Hybrid nodes take sessions only on the Advanced tier. The setting belongs to the account-region, so all of its hybrid nodes are counted.',
  tierSum: (nodes: number, unit: string, sum: string) => `${n(nodes)} nodes × 730 h × ${unit} = **${sum} a month**`,
  tierWho: 'Whoever may call ssm:UpdateServiceSetting in that account can change it. Fleetline does not change it for you.',
  tierCommand: 'As command line',
  copyCommand: 'Copy command',

  // Inspector
  inspector: 'Node details',
  inspectorEmpty: 'Select a node to see its readiness, facts and tags.',
  inspectorReason: (readiness: string, reason: string) => `${readiness}. ${reason}`,
  readinessTitle: 'Readiness',
  checkAgain: 'Check again',
  facts: 'Facts',
  tags: 'Tags',
  noTags: 'No tags.',
  filterByTag: (tag: string) => `Filter by ${tag}`,
  liveSessions: 'Live sessions',
  noSessions: 'None of yours.',
  goToTab: 'Go to tab',
  step: {
    passed: 'Passed', limited: 'Limited', stopped: 'Stopped here', lost: 'Lost', running: 'Running',
    not_checked: 'Not checked', not_reached: 'Not reached',
  },
  resizeInspector: 'Width of the details',

  /** Words the host sends as labels, by their English form; what is missing stays English. */
  terms: {} as Record<string, string>,

  // Empty states
  emptyFleet: (scope: string) => `No managed nodes in ${scope}`,
  emptyFleetCause: 'A machine appears here when its SSM agent has registered. EC2 needs an instance role or Default Host Management; other machines need a hybrid activation.',
  emptyMatch: (query: string) => `Nothing matches “${query}”`,
  emptyMatchCause: (total: number) => `No name, ID, IP or tag in ${plural(loc, total, { one: '# loaded node', other: '# loaded nodes' })} matches it.`,
  emptyMatchDenied: (count: number) =>
    plural(loc, count, {
      one: 'One account-region was denied, so its nodes were not searched.',
      other: '# account-regions were denied, so their nodes were not searched.',
    }),
  emptyMatchLoading: 'The list is still loading.',
  clearSearch: 'Clear search',
  emptyDenied: (denied: number, all: number) => `${n(denied)} of ${n(all)} account-regions are denied`,
  emptyLoading: 'Loading nodes',
  staleBar: (time: string, age: string) => `**Data from ${time}, ${age} old** Ages are counted from then.`,
  tryNow: 'Try now',

  // Shell
  demoShell: 'Demo shell: runs on this computer as your user',
  findInScrollback: 'Find in scrollback',
  tabMenu: 'Session actions',
  sessionDocument: 'Session document',
  sessionWord: {
    connecting: 'Connecting', connected: 'Connected', reconnecting: 'Reconnecting', ended: 'Ended', failed: 'Failed',
  },
  connecting: (node: string) => `Connecting to ${node}`,
  terminalOf: (node: string) => `Terminal of ${node}`,
  terminalText: 'Terminal text',
  newLines: (count: number) => plural(loc, count, { one: '# new line', other: '# new lines' }),
  scrolledBack: 'Back to the end',
  reconnecting: 'Reconnecting…',
  nextTryIn: (left: string) => `next try in **${left}**`,
  tryingNow: 'trying now',
  stepLost: 'Channel lost, screen frozen here',
  stepAttempt: (attempt: number) => `Attempt ${n(attempt)}: opening the channel`,
  stepReplay: 'Replay what the node sent meanwhile',
  now: 'now',
  keepInBackground: 'Keep trying in background',
  endSession: 'End session',
  keysNotQueued: 'Keys are not queued while the channel is gone.',
  resumed: (after: string) => `Resumed after ${after} · nothing lost`,
  sessionEnded: (cause: string) => `Session ended: ${cause}`,
  startAgain: 'Start a new session',
  closeThisTab: 'Close tab',
  sessionFailed: (node: string) => `No session on ${node}`,
  retry: 'Try again',
  size: (cols: number, rows: number) => `${cols} x ${rows}`,
  linesMore: (count: number) => plural(loc, count, { one: '# more line', other: '# more lines' }),
  copy: 'Copy',
  paste: 'Paste',
  selectAll: 'Select all',
  copiedSelection: 'the selection',

  // Find
  find: 'Find',
  findCount: (current: number, total: number, more: boolean) => `${n(current)} of ${n(total)}${more ? '+' : ''}`,
  findNone: 'No hits',
  matchCase: 'Match case',
  regex: 'Regular expression',
  previousHit: 'Previous hit',
  nextHit: 'Next hit',

  // Paste
  pasteTitle: (lines: number) => plural(loc, lines, { one: 'Paste # line?', other: 'Paste # lines?' }),
  pasteHow: 'Control characters are shown as symbols.',

  // Quit
  quitTitle: 'Quit Fleetline?',
  quitEnds: (count: number) => plural(loc, count, { one: 'Quitting ends # shell.', other: 'Quitting ends # shells.' }),
  keepInTray: 'Keep running in the tray',
  endAndQuit: 'End all and quit',

  // Close a live tab
  closeTitle: (node: string) => `End the session on ${node}?`,
  closeCause: 'The session is connected. Closing the tab terminates it, and programs in it end.',

  // First run
  startTitle: 'Choose what to work with',
  startLead: 'Fleetline uses the credentials that are already on this computer. It reads them, keeps none and writes to no AWS file.',
  foundHere: 'Found on this computer',
  chosen: (chosen: number, all: number) => `${n(chosen)} of ${n(all)} chosen`,
  chooseUsable: 'Choose all usable',
  profile: 'AWS profile',
  signsIn: 'How it signs in',
  region: 'Region',
  state: 'State',
  noRegion: 'none set',
  usable: 'Not checked until it is used',
  noSources: 'No AWS profiles were found on this computer. The demo fleet needs none.',
  regionsLabel: 'Regions',
  regionsHint: 'Separate several with spaces. Empty means the Region of each AWS profile.',
  regionsPlaceholder: 'eu-central-1 us-east-1',
  regionsWrong: (word: string) => `“${word}” is not the name of a Region.`,
  regionNeeded: (profile: string) => `${profile} names no Region, so at least one is needed here.`,
  demoTitle: 'Explore the demo fleet',
  demoLead: 'Made-up nodes in several accounts, with shells that run on this computer. Nothing is sent to AWS.',
  changeLater: 'You can change this later in Settings.',
  continueWith: (count: number) =>
    plural(loc, count, { one: 'Continue with # profile', other: 'Continue with # profiles' }),
  chooseFirst: 'Choose an AWS profile',

  // Settings
  appearance: 'Appearance',
  theme: 'Theme',
  themes: { system: 'System', light: 'Light', dark: 'Dark' },
  density: 'Row height',
  densities: { compact: 'Compact', normal: 'Normal', comfortable: 'Comfortable' },
  terminal: 'Terminal',
  fontSize: 'Text size',
  fontSizeHint: 'In pixels, 8 to 32.',
  scrollback: 'Scrollback',
  scrollbackHint: 'Lines kept per shell, up to 200,000. Applies to new shells.',
  accessibility: 'Accessibility',
  screenReader: 'Screen reader mode',
  screenReaderHint: 'Speaks new terminal output, at most 20 lines a second.',
  source: 'Source',
  sourceDemo: 'The demo fleet: a simulator inside this program.',
  sourceAws: (count: number, names: string) =>
    plural(loc, count, { one: `AWS profile ${names}`, other: `AWS profiles ${names}` }),
  changeSource: 'Choose another source…',
  changeSourceBlocked: (count: number) =>
    plural(loc, count, { one: 'Close # live shell first.', other: 'Close # live shells first.' }),
  about: 'About',

  // Palette
  palettePlaceholder: 'Node, tab or action',
  palette: 'Go to node or action',
  paletteTabs: 'Tabs',
  paletteNodes: 'Nodes',
  paletteActions: 'Actions',
  paletteNothing: (text: string) => `Nothing matches “${text}”.`,
  paletteFilter: (text: string) => `Filter Fleet by “${text}”`,
  paletteMove: 'move',
  paletteDo: 'do',
  paletteOnlyActions: 'actions',
  paletteOnlyNodes: 'nodes',
  act: {
    refresh: 'Refresh the fleet', settings: 'Open settings', fleet: 'Go to Fleet', shortcuts: 'Show shortcuts',
    themeSystem: 'Theme: follow the system', themeLight: 'Theme: light', themeDark: 'Theme: dark',
    rail: 'Collapse or expand the rail', inspector: 'Show or hide details', find: 'Find in scrollback',
    closeTab: 'Close tab', query: 'Filter nodes', quit: 'Quit', hide: 'Keep running in the tray',
    zoomIn: 'Larger terminal text', zoomOut: 'Smaller terminal text', zoomReset: 'Reset terminal text size',
    compact: 'Row height: compact', normal: 'Row height: normal', comfortable: 'Row height: comfortable',
  },

  // Shortcuts
  shortcuts: 'Shortcuts',
  shortcutsTerminal: 'In a terminal, plain Ctrl chords go to the node; the right column works there.',
  shortcutGroups: { everywhere: 'Everywhere', fleet: 'Fleet', terminal: 'Terminal' },
  keys: {
    palette: 'Command palette', query: 'Filter nodes', find: 'Find in scrollback', hits: 'Next / previous hit',
    tabs: 'Tab 1 to 9', nextTab: 'Next / previous tab', closeTab: 'Close tab', shell: 'Shell on the selected node',
    copyId: 'Copy node ID', copyPaste: 'Copy / paste', scrollPage: 'Scroll by page', scrollEnds: 'To the top / end',
    zoom: 'Larger / smaller / reset text', refresh: 'Refresh', inspector: 'Details', rail: 'Rail',
    leave: 'Leave the terminal to the window', region: 'Next / previous region', shortcuts: 'Shortcuts', quit: 'Quit',
    rowActions: 'Row actions', menu: 'Context menu', sections: 'Fleet / Settings',
  },
};

/** The shape of every dictionary. */
export type Messages = typeof en;
