import { HostError, type NodeRow } from '../types';
import type { LogState, SessionLog, SessionLogHost } from '../session-log';
import { inventDenial } from './denials';

const LINES = ['[ssm-user ~]$ uptime', ' 09:12:44 up 41 days,  3:02,  1 user,  load average: 0.08, 0.11, 0.09', '[ssm-user ~]$ systemctl is-active ledger', 'active', '[ssm-user ~]$ tail -n 2 /var/log/ledger/app.log', 'INFO  batch 4711 closed', 'WARN  retry 2 of 5: upstream is slow'];

/** Invented logs, for looking at the page in a browser. Which state is shown follows from the session's number. */
export function createFakeSessionLog(nodes: NodeRow[]): SessionLogHost {
  const denial = () => ({ ...inventDenial(nodes[0] as NodeRow, ''), action: 's3:GetObject', resource: 'arn:aws:s3:::payments-prod-session-logs/mika.sato-0a1b.log', document: null });
  const stateOf = (key: string): LogState => {
    const number = Number(key.replace(/\D/gu, ''));
    return number === 8 ? 'failed' : number === 9 ? 'missing' : number === 10 ? 'not_recorded' : number < 2 ? 'not_yet' : 'text';
  };
  return {
    sessionLog: ({ key, store, at }) => {
      const state = stateOf(key);
      const from = at === null ? 0 : Number(at.slice(2));
      const text = Array.from({ length: 400 }, (_, i) => `${LINES[(from + i) % LINES.length] ?? ''}\n`).join('');
      const log: SessionLog = {
        state, store: store ?? 's3', document: state === 'not_recorded' ? 'Corp-PlantDiag' : null, documentMissing: false,
        spots: [
          { store: 's3', name: 's3://payments-prod-session-logs/mika.sato-0a1b2c3d4e5f60718.log', document: null, streams: false },
          { store: 'cloud_watch', name: '/fleet/sessions · mika.sato-0a1b2c3d4e5f60718', document: null, streams: true },
        ],
        text: state === 'text' ? text : '', next: from < 2000 ? `b:${from + 400}` : null, isEnd: from >= 2000, size: 84_000, running: false,
        problem: state === 'failed' ? denial().problem : null, denied: state === 'failed' ? denial() : null,
      };
      return Promise.resolve(log);
    },
    sessionLogSave: (key) => Promise.resolve(`~/Downloads/session-${key}.log`),
    sessionLogReplay: () => Promise.reject(new HostError({ code: 'unsupported', message: 'Replays need the application.', hint: null, detail: null, requestId: null })),
    sessionEvents: () => Promise.resolve({
      events: ['StartSession', 'ResumeSession', 'TerminateSession'].map((name, i) => ({
        id: `e${i}`, name, atMs: Date.now() - 3_600_000 + i * 600_000, caller: 'arn:aws:sts::111122223333:assumed-role/FleetOperator/mika.sato', sourceIp: '198.51.100.7',
        userAgent: 'fleetline/0.1.0', error: i === 1 ? 'AccessDenied' : '', record: JSON.stringify({ eventName: name, awsRegion: 'eu-central-1' }, null, 2),
      })),
      cut: false, problem: null, denied: null,
    }),
  };
}
