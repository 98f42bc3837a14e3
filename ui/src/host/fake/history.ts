import type { HistoryHost, HistoryKind, HistoryQuery, HistoryRow, HistoryStatus } from '../history';
import type { NodeRow } from '../types';

const OWNERS = ['mika.sato', 'j.weber', 'ci-deploy', 'a.niemi', 'h.tanaka'];
const DOCUMENTS: Record<HistoryKind, string> = {
  shell: 'SSM-SessionManagerRunShell', command: 'AWS-StartNonInteractiveCommand', forward: 'AWS-StartPortForwardingSessionToRemoteHost', ssh: 'AWS-StartSSHSession', document: 'Corp-PlantDiag',
};

/** Invented sessions, for looking at the page in a browser. */
export function createFakeHistory(nodes: NodeRow[], count: number): HistoryHost {
  const kinds = Object.keys(DOCUMENTS) as HistoryKind[];
  let rows: HistoryRow[] = Array.from({ length: nodes.length === 0 ? 0 : count }, (_, i) => {
    const node = nodes[(i * 7) % nodes.length] as NodeRow;
    const kind = kinds[i % 11 > 4 ? 0 : i % kinds.length] ?? 'shell';
    const active = i < 7;
    const startMs = Date.now() - (active ? (i + 1) * 780_000 : 3_600_000 + i * 400_000);
    const status: HistoryStatus = active ? (i === 1 ? 'disconnected' : 'connected') : i % 13 === 0 ? 'failed' : i % 9 === 0 ? 'timed_out' : 'ended';
    const owner = OWNERS[i % OWNERS.length] ?? '';
    const logged = kind === 'shell';
    return {
      key: `k${i}`, sessionId: `${owner}-0${i.toString(16).padStart(16, '0')}`, accountName: node.accountName, region: node.region, target: node.nodeId, nodeName: node.name,
      owner, ownerArn: `arn:aws:sts::111122223333:assumed-role/FleetOperator/${owner}`, mine: owner === 'mika.sato', kind, document: DOCUMENTS[kind], reason: i % 3 === 0 ? 'CHG-48213 month-end check' : '',
      status, details: '', startMs, endMs: active ? null : startMs + 1_080_000, neverLogged: kind === 'forward' || kind === 'ssh', s3Url: logged ? 'https://s3.example/log' : null,
      cloudWatchUrl: logged && i % 2 === 0 ? 'https://console.example/log' : null, tab: null, justInTime: false,
    };
  });
  const over = (row: HistoryRow) => ['ended', 'timed_out', 'failed'].includes(row.status);
  const found = (query: HistoryQuery) => rows.filter((row) => `${row.nodeName} ${row.owner} ${row.document} ${row.reason}`.toLowerCase().includes(query.text.toLowerCase()));
  const shown = (query: HistoryQuery) => found(query).filter((row) => query.show === 'all' || over(row) === (query.show === 'ended'));
  return {
    historyWatch: () => Promise.resolve({ version: 1, places: 15, loading: 0, sessions: rows.length, gaps: [], updatedMs: Date.now() }),
    historyRefresh: () => Promise.resolve(),
    historyWindow: (query, offset, len) => Promise.resolve({
      version: 1, offset, rows: shown(query).slice(offset, offset + len), matched: shown(query).length, active: found(query).filter((row) => !over(row)).length, ended: found(query).filter(over).length, issues: [],
    }),
    historyOfOwner: (owner) => Promise.resolve(rows.filter((row) => !over(row) && row.ownerArn === owner).map((row) => row.key)),
    historyEnd: (keys) => {
      rows = rows.map((row) => (keys.includes(row.key) ? { ...row, status: 'ended', endMs: Date.now() } : row));
      return Promise.resolve(keys.map((key) => ({ key, problem: null })));
    },
    historyExport: (_query, format) => Promise.resolve(`~/Downloads/fleetline-sessions.${format}`),
  };
}
