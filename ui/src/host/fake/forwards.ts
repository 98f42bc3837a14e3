import { exposes } from '../../forwards/form';
import { HostError } from '../types';
import type { Arrangement, Change, ConnectionRow, ForwardDetail, ForwardEventRow, ForwardRow, Forwards, ForwardSpec, ForwardState, ForwardTexts, NodeRow } from '../types';

interface Kept {
  row: ForwardRow;
  up: number[];
  connections: ConnectionRow[];
  events: ForwardEventRow[];
  sinceMs: number;
}

/** What a forward does that was just switched on. */
function started(spec: ForwardSpec): ForwardState {
  return spec.bind !== null && exposes(spec.bind) ? { state: 'exposes', address: spec.bind } : { state: 'idle' };
}

/** Invented forwards whose figures move, for looking at the interface in a browser. */
export class FakeForwards {
  #kept: Kept[] = [];
  #paused = false;
  #counter = 0;
  readonly #node: (key: string) => NodeRow;
  readonly #emit: (change: Change) => void;

  constructor(node: (key: string) => NodeRow, emit: (change: Change) => void, nodes: NodeRow[]) {
    this.#node = node;
    this.#emit = emit;
    const online = nodes.filter((row) => row.readiness === 'ready');
    const make = (spec: Partial<ForwardSpec>, state: ForwardState, connections: number, lanes: number) => {
      const key = online[this.#counter * 7]?.key;
      if (key === undefined) return;
      const base: ForwardSpec = { name: '', kind: 'port', bundle: null, nodeKey: key, host: null, port: 80, localPort: 0, bind: null, socket: null, lanes: 8, start: 'on_demand', favourite: false, guard: 'auto', limits: { connections: 256, idleMinutes: 15, timeLimitMinutes: 0, otherUsers: false } };
      const kept = this.#add({ ...base, ...spec });
      kept.row = { ...kept.row, on: state.state !== 'off', state, connections, lanes };
      kept.connections = Array.from({ length: connections }, (_, i) => ({
        number: i + 1, client: ['pgcli', 'pg_dump', 'pg_dump', 'idea64'][i % 4] ?? 'psql', fromPort: 54_110 + i * 7, to: spec.kind === 'socks' ? `app-${i}.internal:443` : null, bytes: [61e6, 1.9e9, 1.8e9, 44e3][i % 4] ?? 1000,
        openedMs: Date.now() - (i + 1) * 180_000, lane: (i % Math.max(1, lanes)) + 1,
      }));
    };
    if (nodes.length > 0) {
      make({ name: 'Ledger database', kind: 'remote_host', bundle: 'Payments prod', host: 'ledger.cluster-c1x.eu-central-1.rds.example', port: 5432, localPort: 5433, favourite: true }, { state: 'active' }, 12, 4);
      make({ name: 'Ledger desktop', kind: 'rdp', bundle: 'Payments prod', port: 3389, localPort: 13_389 }, { state: 'active' }, 1, 1);
      make({ name: 'Payments VPC', kind: 'socks', bundle: 'Payments prod', port: null, localPort: 1080 }, { state: 'reconnecting', cause: 'The network changed.', awaitsRetry: false }, 2, 2);
      make({ name: 'Ledger cache', kind: 'remote_host', bundle: 'Payments prod', host: 'ledger-cache.internal', port: 6380, localPort: 6380 }, {
        state: 'failed', nextTryMs: null,
        problem: { code: 'network_unreachable', message: 'The node refused the destination.', hint: 'pay-bastion-1 reached ledger-cache.internal but port 6380 is closed there. The session itself works.', detail: null, requestId: null },
      }, 0, 0);
      make({ name: 'Metrics', bundle: 'Payments prod', port: 9090, localPort: 9090 }, { state: 'idle' }, 0, 0);
      make({ name: 'HMI line 3', kind: 'rdp', bundle: 'Plants EU', port: 3389, localPort: 13_390 }, { state: 'idle' }, 0, 0);
      make({ name: 'OPC UA gateway', kind: 'remote_host', bundle: 'Plants EU', host: '192.168.40.9', port: 4840, localPort: 4840 }, { state: 'active' }, 2, 1);
      make({ name: 'Docker engine', bundle: 'Plants EU', port: 2375, socket: '~/.fleetline/hel-docker.sock' }, { state: 'off' }, 0, 0);
      make({ name: 'Local Postgres', port: 5432, localPort: 5432 }, { state: 'port_in_use', port: 5432, holder: 'Port 5432 is held by postgres (PID 2214, started by you, 9 h ago).', nextFree: 15_432 }, 0, 0);
      make({ name: 'Jenkins', port: 8080, localPort: 8080 }, { state: 'off' }, 0, 0);
      make({ name: 'Shared proxy', kind: 'socks', port: null, localPort: 1081, bind: '0.0.0.0' }, { state: 'exposes', address: '0.0.0.0' }, 0, 0);
    }
    window.setInterval(() => this.#tick(), 1000);
  }

  all(): Forwards {
    return { rows: this.#kept.map((kept) => kept.row), paused: this.#paused };
  }

  create(spec: ForwardSpec): ForwardRow {
    const kept = this.#add(spec);
    this.#set(kept, { on: true, state: started(spec) });
    this.#emit({ kind: 'forwards', forwards: this.all() });
    return kept.row;
  }

  edit(id: string, spec: ForwardSpec): ForwardRow {
    const kept = this.#find(id);
    this.#set(kept, { spec, ...this.#places(spec), on: true, state: started(spec) });
    return kept.row;
  }

  remove(id: string): void {
    this.#kept = this.#kept.filter((kept) => kept.row.id !== id);
    this.#emit({ kind: 'forwards', forwards: this.all() });
  }

  expose(id: string, address: string): void {
    const kept = this.#find(id);
    if (address.trim() !== kept.row.spec.bind) throw new HostError({ code: 'invalid_input', message: `Type ${kept.row.spec.bind ?? ''} to let other computers in.`, hint: null, detail: null, requestId: null });
    this.#set(kept, { on: true, state: { state: 'idle' } });
  }

  switch(id: string, on: boolean): void {
    const kept = this.#find(id);
    this.#set(kept, { on, state: on ? started(kept.row.spec) : { state: 'off' }, connections: 0, lanes: 0, recentDown: [] });
  }

  switchBundle(bundle: string | null, on: boolean): void {
    for (const kept of this.#kept) if (kept.row.spec.bundle === bundle) this.switch(kept.row.id, on);
  }

  pause(paused: boolean): void {
    this.#paused = paused;
    for (const kept of this.#kept) if (kept.row.on) kept.row = { ...kept.row, state: paused ? { state: 'paused' } : { state: 'idle' }, connections: 0, lanes: 0 };
    this.#emit({ kind: 'forwards', forwards: this.all() });
  }

  arrange(arrangement: Arrangement): void {
    const change = (kept: Kept, bundle: string | null) => (kept.row = { ...kept.row, spec: { ...kept.row.spec, bundle } });
    const members = (name: string) => this.#kept.filter((kept) => kept.row.spec.bundle === name);
    if (arrangement.kind === 'place') {
      const kept = this.#find(arrangement.id);
      change(kept, arrangement.bundle);
      const others = this.#kept.filter((one) => one !== kept);
      const before = others.findIndex((one) => one.row.id === arrangement.before);
      const last = others.findLastIndex((one) => one.row.spec.bundle === arrangement.bundle) + 1;
      others.splice(before < 0 ? last : before, 0, kept);
      this.#kept = others;
    } else if (arrangement.kind === 'place_bundle') {
      const moved = members(arrangement.bundle);
      const others = this.#kept.filter((kept) => !moved.includes(kept));
      const before = others.findIndex((kept) => kept.row.spec.bundle === (arrangement.before ?? null));
      others.splice(before < 0 ? others.length : before, 0, ...moved);
      this.#kept = others;
    } else if (arrangement.kind === 'remove_bundle') {
      const removed = members(arrangement.bundle);
      this.#kept = this.#kept.filter((kept) => !removed.includes(kept));
    } else for (const kept of members(arrangement.bundle)) change(kept, arrangement.kind === 'ungroup' ? null : arrangement.name);
    this.#emit({ kind: 'forwards', forwards: this.all() });
  }

  disconnect(id: string, connection: number | null): void {
    const kept = this.#find(id);
    kept.connections = connection === null ? [] : kept.connections.filter((one) => one.number !== connection);
    this.#set(kept, { connections: kept.connections.length });
  }

  detail(id: string): ForwardDetail {
    const { row, up, connections, events, sinceMs } = this.#find(id);
    return {
      row, listening: [row.local, row.local.replace('127.0.0.1', '[::1]')], sinceMs, connections, events, recentUp: up, bytesDown: 12.4e9, bytesUp: 310e6,
      lanes: Array.from({ length: row.lanes }, (_, i) => ({ number: i + 1, sessionId: `mika.sato-0f27c8${i}`, state: 'Open', open: true, to: row.spec.kind === 'socks' ? `app-${i}.internal:443` : null, connections: Math.ceil(row.connections / row.lanes), rttMs: 38 + i, resumes: i === 2 ? 1 : 0 })),
    };
  }

  texts(id: string): ForwardTexts {
    const { row } = this.#find(id);
    return { address: row.local, url: `http://${row.local}/`, command: `fleetline forward ${row.nodeId} ${row.spec.localPort}:${row.spec.host ?? 'localhost'}:${row.spec.port ?? 0}` };
  }

  #add(spec: ForwardSpec): Kept {
    this.#counter += 1;
    const row: ForwardRow = {
      id: `f${this.#counter}`, spec, on: false, state: { state: 'off' }, ...this.#places(spec), connections: 0, lanes: 0, rateDown: 0, rateUp: 0, recentDown: [], endsMs: null,
    };
    const at = Date.now();
    const kept: Kept = {
      row, up: [], connections: [], sinceMs: at - 9_660_000,
      events: [
        { atMs: at - 32_000, level: 'good', text: 'Lane 3 is back after 2.1 s; 2 connections kept, 0 bytes lost.' },
        { atMs: at - 34_000, level: 'warn', text: 'Lane 3 lost its channel because the network changed.' },
        { atMs: at - 409_000, level: 'good', text: 'Lane 4 opened because 3 lanes had 4 busy connections each.' },
        { atMs: at - 9_660_000, level: 'neutral', text: `Listening on ${row.local}.` },
      ],
    };
    this.#kept.push(kept);
    return kept;
  }

  #places(spec: ForwardSpec) {
    const node = this.#node(spec.nodeKey);
    return {
      nodeName: node.name, nodeId: node.nodeId, accountName: node.accountName, region: node.region,
      local: spec.socket ?? `127.0.0.1:${spec.localPort === 0 ? 40_000 + this.#counter : spec.localPort}`,
      remote: spec.kind === 'socks' ? '' : `${spec.host ?? 'localhost'}:${spec.port ?? 0}`,
    };
  }

  #find(id: string): Kept {
    const kept = this.#kept.find((one) => one.row.id === id);
    if (!kept) throw new HostError({ code: 'not_found', message: 'That forward is gone.', hint: null, detail: null, requestId: null });
    return kept;
  }

  #set(kept: Kept, change: Partial<ForwardRow>): void {
    kept.row = { ...kept.row, ...change };
    this.#emit({ kind: 'forward', row: kept.row });
  }

  #tick(): void {
    for (const kept of this.#kept) {
      if (kept.row.state.state !== 'active' || kept.row.connections === 0) continue;
      const size = kept.row.connections > 5 ? 4.6e6 : kept.row.connections > 1 ? 91e3 : 1.1e6;
      while (kept.up.length < 60) {
        const t = Date.now() / 5000 + kept.up.length / 5;
        kept.up = [...kept.up, size * 0.05 * (1 + 0.3 * Math.cos(t))];
        kept.row = { ...kept.row, recentDown: [...kept.row.recentDown, size * (1 + 0.2 * Math.sin(t) + 0.1 * Math.sin(t * 3.1))] };
      }
      const t = Date.now() / 5000;
      const rateDown = size * (1 + 0.2 * Math.sin(t) + 0.1 * Math.sin(t * 3.1));
      const rateUp = size * 0.05 * (1 + 0.3 * Math.cos(t));
      kept.up = [...kept.up, rateUp].slice(-60);
      this.#set(kept, { rateDown, rateUp, recentDown: [...kept.row.recentDown, rateDown].slice(-60) });
    }
  }
}
