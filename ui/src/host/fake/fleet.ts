import type { AccountRegionRow, FleetQuery, FleetSummary, InstanceTier, LadderStep, NodeDetail, NodeKind, NodeRow, QueryIssue } from '../types';
import { tokenize, type Token } from '../../fleet/query';

/** A small repeatable generator; the invented fleet looks the same on every start. */
function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

const ACCOUNTS = [
  { id: '111122223333', name: 'payments-prod', regions: ['eu-central-1', 'us-east-1', 'ap-northeast-1', 'eu-west-1', 'us-west-2'] },
  { id: '444455556666', name: 'plants-eu', regions: ['eu-central-1', 'eu-west-1', 'us-east-1', 'ap-northeast-1', 'us-west-2'] },
  { id: '123456789012', name: 'shared-core', regions: ['eu-west-1', 'us-east-1', 'eu-central-1', 'ap-northeast-1', 'us-west-2'] },
];
const ROLES: [string, NodeRow['platform'], string][] = [
  ['pay-api', 'linux', 'Ubuntu 24.04'], ['pay-win', 'windows', 'Windows 2022'], ['pay-db', 'linux', 'RHEL 9.4'], ['ctx-rds', 'windows', 'Windows 2022'],
  ['sto-web', 'linux', 'Ubuntu 24.04'], ['gcp-batch', 'linux', 'Debian 12'], ['lej-hmi', 'windows', 'Windows 2019'], ['hel-edge', 'windows', 'Windows IoT'],
  ['tmp-build', 'linux', 'Amazon 2023'], ['wsus-core', 'windows', 'Windows 2025'], ['mac-ci', 'macos', 'macOS 15'], ['sql-fin', 'windows', 'Windows 2016'],
];

export interface Invented {
  rows: NodeRow[];
  tags: Map<string, Record<string, string>>;
  regions: AccountRegionRow[];
}

/** `count` invented nodes in three accounts. */
export function inventFleet(count: number): Invented {
  const next = generator(7);
  const pick = <T,>(list: readonly T[]): T => list[Math.floor(next() * list.length)] as T;
  const rows: NodeRow[] = [];
  const tags = new Map<string, Record<string, string>>();
  const now = Date.now();
  for (let i = 0; i < count; i += 1) {
    const [role, platform, platformText] = pick(ROLES);
    const account = role.startsWith('lej') || role.startsWith('hel') ? ACCOUNTS[1]! : pick(ACCOUNTS);
    const region = role.startsWith('lej') ? 'eu-central-1' : pick(account.regions.slice(0, 4));
    const kind: NodeKind = role.startsWith('lej') ? 'on_prem' : role.startsWith('hel') ? 'edge' : role.startsWith('gcp') ? 'gcp' : next() < 0.05 ? 'azure' : 'ec2';
    const hybrid = kind !== 'ec2';
    const standard = account.name === 'plants-eu' && region === 'eu-central-1';
    const tier: InstanceTier | null = hybrid ? (standard ? 'standard' : 'advanced') : null;
    const lost = next() < 0.03;
    const old = next() < 0.05;
    const nodeId = (hybrid ? 'mi-' : 'i-') + Array.from({ length: 17 }, () => Math.floor(next() * 16).toString(16)).join('');
    const readiness = lost ? 'lost' : tier === 'standard' ? 'blocked' : old ? 'limited' : next() < 0.004 ? 'checking' : 'ready';
    const key = `${account.id}/${region}/${nodeId}`;
    rows.push({
      key, nodeId, name: `${role}-${String(1 + Math.floor(i / 12)).padStart(2, '0')}`, kind, platform, platformText,
      accountId: account.id, accountName: account.name, region,
      ip: hybrid ? `192.168.${Math.floor(next() * 90)}.${2 + Math.floor(next() * 250)}` : `10.${Math.floor(next() * 90)}.${Math.floor(next() * 30)}.${2 + Math.floor(next() * 250)}`,
      agentVersion: old ? '3.0.1390.0' : pick(['3.3.2746.0', '3.3.2299.0']), agentOld: old, tier,
      ping: lost ? 'connection_lost' : 'online', lastPingMs: now - (lost ? 3_600_000 * (1 + Math.floor(next() * 70)) : Math.floor(next() * 55_000)),
      readiness,
      reason: { lost: 'The agent was last heard hours ago.', blocked: 'Hybrid nodes take sessions only on the advanced tier.', limited: 'Agent 3.0.1390.0 is old.', checking: '', ready: '' }[readiness],
      stale: false, favourite: false, computerName: `${role.toUpperCase()}${i}.corp.example`, publicIp: '', instanceState: hybrid ? '' : 'running',
      instanceType: hybrid ? '' : 'm6i.large', availabilityZone: hybrid ? '' : `${region}a`, vpcId: hybrid ? '' : 'vpc-0a1b2c3d4e5f60718',
      iamRole: hybrid ? 'SSMHybridPlants' : 'FleetNode', registeredMs: now - 86_400_000 * (1 + Math.floor(next() * 400)), usedMs: null, tagsText: '',
    });
    tags.set(key, { env: pick(['prod', 'stage', 'test']), team: pick(['payments', 'plants', 'core']), app: pick(['ledger', 'gateway', 'scada', 'build']) });
  }
  const regions: AccountRegionRow[] = ACCOUNTS.flatMap((account) =>
    account.regions.map((region): AccountRegionRow => {
      const own = rows.filter((row) => row.accountId === account.id && row.region === region);
      const denied = account.name === 'shared-core' && region === 'us-west-2';
      const loading = account.name === 'plants-eu' && region === 'us-west-2';
      const hybrid = own.filter((row) => row.kind !== 'ec2').length;
      return {
        source: account.name, accountId: account.id, accountName: account.name, region,
        state: denied ? 'denied' : loading ? 'loading' : 'loaded', nodes: own.length, hybrid,
        tier: account.name === 'plants-eu' && region === 'eu-central-1' ? 'standard' : 'advanced',
        tierChange: null,
        problem: denied ? {
          code: 'access_denied', message: 'FleetOperator may not list nodes there, because an organization policy (SCP) forbids it.', hint: 'Ask whoever keeps the organization policies.',
          detail: 'User: arn:aws:sts::123456789012:assumed-role/FleetOperator/mika.sato is not authorized to perform: ssm:DescribeInstanceInformation with an explicit deny in a service control policy', requestId: 'b5c9d1e2',
        } : null,
        updatedMs: denied ? null : now - 12_000,
      };
    }));
  return { rows, tags, regions };
}

export function summarize({ rows, regions }: Invented, version: number, refreshing: boolean): FleetSummary {
  return {
    version, total: rows.length, online: rows.filter((row) => row.ping === 'online').length,
    hybrid: rows.filter((row) => row.kind !== 'ec2').length,
    notConnectable: rows.filter((row) => row.readiness === 'blocked' || row.readiness === 'lost').length,
    stale: rows.filter((row) => row.stale).length, accounts: 3, regions: 5, accountRegions: regions, refreshing, updatedMs: Date.now() - 12_000,
  };
}

const KEYS = ['name', 'id', 'ip', 'platform', 'kind', 'account', 'region', 'ping', 'state', 'tier', 'tag'];

function matches(row: NodeRow, tags: Record<string, string>, token: Token): boolean {
  const value = token.value.replaceAll('"', '').toLowerCase();
  const any = (text: string) => value.split(',').some((part) => text.toLowerCase().includes(part));
  switch (token.key.split(':')[0]?.toLowerCase()) {
    case 'platform': return any(`${row.platform} ${row.platformText}`);
    case 'kind': return value === 'hybrid' ? row.kind !== 'ec2' : any(row.kind);
    case 'account': return any(row.accountName);
    case 'region': return any(row.region);
    case 'ping': return any(row.ping === 'online' ? 'online' : 'lost');
    case 'state': return any(row.readiness);
    case 'tier': return row.tier !== null && any(row.tier);
    case 'tag': return (tags[token.key.slice(4, -1)] ?? '').toLowerCase() === value;
    default: return any(`${row.name} ${row.nodeId} ${row.ip} ${Object.values(tags).join(' ')}`);
  }
}

/** Filters and sorts like the real inventory, well enough to look at the table. */
export function runQuery({ rows, tags }: Invented, query: FleetQuery): { rows: NodeRow[]; issues: QueryIssue[] } {
  const tokens = tokenize(query.text);
  const issues = tokens
    .filter((token) => token.chip && !KEYS.includes(token.key.split(':')[0]?.toLowerCase() ?? ''))
    .map((token) => ({ start: token.start, end: token.end, message: `There is no key “${token.key}”. Known keys: ${KEYS.map((key) => `${key}:`).join(' ')}` }));
  const sound = tokens.filter((token) => !issues.some((issue) => issue.start === token.start));
  const found = rows.filter((row) => sound.every((token) => matches(row, tags.get(row.key) ?? {}, token) !== token.negated));
  const collator = new Intl.Collator('en', { numeric: true });
  const text = (row: NodeRow): string => ({
    readiness: row.readiness, name: row.name, node_id: row.nodeId, kind: row.kind, platform: row.platformText,
    account: `${row.accountName} ${row.region}`, ip: row.ip, agent: row.agentVersion, tier: row.tier ?? '', ping: String(row.lastPingMs ?? 0),
    computer_name: row.computerName, public_ip: row.publicIp, instance_state: row.instanceState, instance_type: row.instanceType,
    availability_zone: row.availabilityZone, vpc_id: row.vpcId, iam_role: row.iamRole, registered: String(row.registeredMs ?? 0),
    used: String(row.usedMs ?? 0), tags: row.tagsText,
  })[query.sort];
  found.sort((a, b) => collator.compare(text(a), text(b)) * (query.descending ? -1 : 1));
  return { rows: found, issues };
}

/** Steps that are not reached, from the tier on. */
function rest(from: number): LadderStep[] {
  return (['tier', 'iam', 'channel'] as const).slice(from).map((name) => ({ name, state: 'not_reached', evidence: { kind: 'not_reached' }, atMs: null }));
}

export function detailOf(row: NodeRow, tags: Record<string, string>): NodeDetail {
  const stopped = row.readiness === 'blocked';
  return {
    row,
    groups: [],
    ladder: [
      { name: 'registered', state: 'passed', evidence: { kind: 'listed' }, atMs: Date.now() - 86_400_000 * 400 },
      {
        name: 'agent_online', atMs: row.lastPingMs,
        ...(row.readiness === 'lost'
          ? { state: 'lost', evidence: { kind: 'agent_lost' } } as const
          : row.agentOld
            ? { state: 'limited', evidence: { kind: 'old_agent', version: row.agentVersion, lacks: [{ gate: 'remote_hosts', since: '3.1.1374.0' }] } } as const
            : { state: 'passed', evidence: { kind: 'heard' } } as const),
      },
      ...(row.readiness === 'lost' ? rest(0) : [
        row.tier === null
          ? { name: 'tier', state: 'passed', evidence: { kind: 'tier_not_needed' }, atMs: null } as const
          : { name: 'tier', state: stopped ? 'stopped' : 'passed', evidence: { kind: stopped ? 'tier_standard' : 'tier_advanced' }, atMs: Date.now() } as const,
        ...(stopped ? rest(1) : [
          { name: 'iam', state: 'not_checked', evidence: { kind: 'iam_not_asked' }, atMs: null } as const,
          { name: 'channel', state: 'not_checked', evidence: { kind: 'channel_not_tried' }, atMs: null } as const,
        ]),
      ]),
    ],
    facts: [
      { label: 'Node ID', value: row.nodeId, mono: true }, { label: 'IP', value: row.ip, mono: true },
      { label: 'Host name', value: `${row.name.toUpperCase()}.corp.example`, mono: false }, { label: 'Account', value: row.accountName, mono: false },
      { label: 'Account ID', value: row.accountId, mono: true }, { label: 'Region', value: row.region, mono: false },
    ],
    tags: Object.entries(tags).map(([key, value]) => ({ key, value })),
    sessions: [],
    check: null,
  };
}
