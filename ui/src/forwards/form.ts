import type { ForwardGuard, ForwardKind, ForwardSpec, ForwardStart } from '../host/types';

/** What the fields of the form hold while they are typed in. */
export interface Draft {
  name: string;
  kind: ForwardKind;
  bundle: string;
  nodeKey: string;
  host: string;
  port: string;
  localPort: string;
  bind: string;
  socket: string;
  lanes: string;
  start: ForwardStart;
  favourite: boolean;
  connections: string;
  idleMinutes: string;
  timeLimit: string;
  otherUsers: boolean;
  guard: ForwardGuard;
}

/** Fields that can be wrong. */
export type Field = 'name' | 'node' | 'host' | 'port' | 'localPort' | 'bind' | 'socket' | LimitField;
export type LimitField = 'lanes' | 'connections' | 'idleMinutes' | 'timeLimit';

/** Fields that are folded away at first, with the numbers they take. */
export const LIMITS: Record<LimitField, [least: number, most: number]> = {
  lanes: [1, 16], connections: [1, 4096], idleMinutes: [0, 1440], timeLimit: [0, 10_080],
};

export const KINDS: ForwardKind[] = ['port', 'remote_host', 'socks', 'rdp'];

export const STARTS: ForwardStart[] = ['on_demand', 'at_once', 'always'];
export const GUARDS: ForwardGuard[] = ['auto', 'on', 'off'];

/** The port that remote desktops listen on. */
export const RDP_PORT = 3389;

export function draftOf(spec: ForwardSpec): Draft {
  return {
    name: spec.name, kind: spec.kind, bundle: spec.bundle ?? '', nodeKey: spec.nodeKey, host: spec.host ?? '',
    port: spec.port === null ? '' : String(spec.port), localPort: spec.localPort === 0 ? '' : String(spec.localPort),
    bind: spec.bind ?? '', socket: spec.socket ?? '', lanes: String(spec.lanes), start: spec.start, favourite: spec.favourite, guard: spec.guard,
    connections: String(spec.limits.connections), idleMinutes: String(spec.limits.idleMinutes), timeLimit: String(spec.limits.timeLimitMinutes),
    otherUsers: spec.limits.otherUsers,
  };
}

export function emptyDraft(kind: ForwardKind, nodeKey: string, bundle: string): Draft {
  return {
    name: '', kind, bundle, nodeKey, host: '', port: kind === 'rdp' ? String(RDP_PORT) : '', localPort: '', bind: '', socket: '',
    lanes: '4', start: 'on_demand', favourite: false, guard: 'auto', connections: '256', idleMinutes: '15', timeLimit: '0', otherUsers: false,
  };
}

/** A whole number in its range, written in digits only; null for anything else. */
export function wholeNumber(text: string, least: number, most: number): number | null {
  if (!/^\d{1,6}$/.test(text.trim())) return null;
  const value = Number(text);
  return value >= least && value <= most ? value : null;
}

/** Whether an address can be chosen: clients of remote desktops are on this computer. */
export function mayBind(draft: Draft): boolean {
  return draft.kind !== 'rdp' && draft.socket.trim() === '';
}

/** Roughly an IP address; the host looks closer. */
export function isAddress(text: string): boolean {
  return /^\d{1,3}(\.\d{1,3}){3}$/.test(text) ? text.split('.').every((part) => Number(part) < 256) : /^[0-9a-fA-F:]*:[0-9a-fA-F:.]*$/.test(text);
}

/** Whether listening there lets other computers in. */
export function exposes(address: string): boolean {
  const text = address.trim();
  return text !== '' && isAddress(text) && !text.startsWith('127.') && text !== '::1';
}

/** The fields that are wrong. An empty local port means any free one. */
export function wrongFields(draft: Draft): Set<Field> {
  const wrong = new Set<Field>();
  const name = draft.name.trim();
  if (name === '' || name.length > 80) wrong.add('name');
  if (draft.nodeKey === '') wrong.add('node');
  if (draft.kind === 'remote_host' && !/^[^\s/:]{1,255}$|^[0-9a-fA-F:.]{2,45}$/.test(draft.host.trim())) wrong.add('host');
  if (draft.kind !== 'socks' && wholeNumber(draft.port, 1, 65_535) === null) wrong.add('port');
  if (draft.socket.trim() === '' && draft.localPort.trim() !== '' && wholeNumber(draft.localPort, 0, 65_535) === null) wrong.add('localPort');
  if (mayBind(draft) && draft.bind.trim() !== '' && !isAddress(draft.bind.trim())) wrong.add('bind');
  if (draft.socket.trim() !== '' && !/^[/~]/.test(draft.socket.trim())) wrong.add('socket');
  for (const [field, [least, most]] of Object.entries(LIMITS) as [LimitField, [number, number]][]) {
    if (wholeNumber(draft[field], least, most) === null) wrong.add(field);
  }
  return wrong;
}

/** The description of a draft without wrong fields. */
export function specOf(draft: Draft): ForwardSpec {
  const filled = (text: string) => (text.trim() === '' ? null : text.trim());
  return {
    name: draft.name.trim(),
    kind: draft.kind,
    bundle: filled(draft.bundle),
    nodeKey: draft.nodeKey,
    host: draft.kind === 'remote_host' ? filled(draft.host) : null,
    port: draft.kind === 'socks' ? null : wholeNumber(draft.port, 1, 65_535),
    localPort: wholeNumber(draft.localPort, 0, 65_535) ?? 0,
    bind: mayBind(draft) ? filled(draft.bind) : null,
    socket: filled(draft.socket),
    lanes: wholeNumber(draft.lanes, 1, 16) ?? 4,
    start: draft.start,
    favourite: draft.favourite,
    limits: {
      connections: wholeNumber(draft.connections, 1, 4096) ?? 256,
      idleMinutes: wholeNumber(draft.idleMinutes, 0, 1440) ?? 15,
      timeLimitMinutes: wholeNumber(draft.timeLimit, 0, 10_080) ?? 0,
      otherUsers: draft.otherUsers,
    },
    guard: draft.guard,
  };
}

/** Names of what usually stands behind a port, for a first name. */
const SERVICES: Record<number, string> = {
  22: 'SSH', 80: 'Web', 443: 'Web', 1433: 'SQL Server', 1521: 'Oracle', 3306: 'MySQL', 3389: 'Desktop', 5432: 'Postgres', 5672: 'RabbitMQ',
  6379: 'Redis', 8080: 'Web', 8443: 'Web', 9090: 'Prometheus', 9200: 'Elasticsearch', 27017: 'MongoDB',
};

/** A name to begin with, from what is known so far. */
export function suggestName(draft: Draft, nodeName: string): string {
  if (draft.kind === 'socks') return nodeName === '' ? '' : `${nodeName} SOCKS`;
  const port = wholeNumber(draft.port, 1, 65_535);
  if (port === null) return '';
  const service = SERVICES[port] ?? `:${port}`;
  const host = draft.kind === 'remote_host' ? (draft.host.trim().split('.')[0] ?? '') : nodeName;
  return `${host} ${service}`.trim();
}
