import type { DesktopInfo, DesktopOptions, DesktopWindow, NodeRow } from '../host/types';
import { wholeNumber } from '../forwards/form';

/** Sizes of the display menu; the first is the whole screen. */
export const SIZES: (DesktopWindow | null)[] = [
  null, { width: 1280, height: 720 }, { width: 1440, height: 900 }, { width: 1600, height: 900 }, { width: 1920, height: 1080 }, { width: 2560, height: 1440 },
];

/** A size as the profile file and the command line write it. */
export function sizeText(size: DesktopWindow | null): string {
  return size === null ? 'full' : `${size.width}x${size.height}`;
}

/** The sizes with the one in use, should it be another. */
export function sizesWith(size: DesktopWindow | null): (DesktopWindow | null)[] {
  return SIZES.some((one) => sizeText(one) === sizeText(size)) ? SIZES : [...SIZES, size];
}

/** What the fields hold while they are typed in. */
export interface DesktopDraft {
  options: DesktopOptions;
  /** Whether only the port is opened. */
  portOnly: boolean;
  /** Whether the password comes from EC2. */
  withKey: boolean;
  port: string;
  localPort: string;
}

export type DesktopField = 'port' | 'localPort' | 'keyFile';

export function draftOf(info: DesktopInfo): DesktopDraft {
  const { options } = info;
  return {
    options: { ...options },
    portOnly: info.clients.length === 0,
    withKey: options.keyFile !== '' && info.mayHavePassword,
    port: String(info.port),
    localPort: info.localPort === 0 ? '' : String(info.localPort),
  };
}

export function wrongFields(draft: DesktopDraft): Set<DesktopField> {
  const wrong = new Set<DesktopField>();
  if (wholeNumber(draft.port, 1, 65_535) === null) wrong.add('port');
  if (draft.localPort.trim() !== '' && wholeNumber(draft.localPort, 1, 65_535) === null) wrong.add('localPort');
  if (!draft.portOnly && draft.withKey && draft.options.keyFile.trim() === '') wrong.add('keyFile');
  return wrong;
}

function quoted(word: string): string {
  return /^[\w./:@~-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}

/** The same as a command. */
export function commandOf(node: NodeRow, source: string, draft: DesktopDraft): string {
  const words = ['fleetline', 'rdp', node.nodeId];
  const { options } = draft;
  if (!draft.portOnly) words.push('--launch');
  if (draft.port !== '3389') words.push('--port', draft.port);
  if (draft.localPort !== '') words.push('--local-port', draft.localPort);
  if (!draft.portOnly) {
    if (options.client !== 'auto') words.push('--client', options.client === 'free_rdp' ? 'freerdp' : options.client.replace('_', '-'));
    if (options.user !== '') words.push('--user', quoted(options.user));
    if (options.domain !== '') words.push('--domain', quoted(options.domain));
    if (draft.withKey && options.keyFile !== '') words.push('--key-file', quoted(options.keyFile));
    if (options.window !== null) words.push('--screen', sizeText(options.window));
    if (options.clipboard) words.push('--clipboard');
    if (options.drives) words.push('--drives');
    if (options.printers) words.push('--printers');
    if (options.sound) words.push('--sound');
  }
  if (source !== '') words.push('--source', quoted(source));
  words.push('--region', node.region);
  return words.join(' ');
}
