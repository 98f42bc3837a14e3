import type {
  AccountRegionRow, ActivationRow, ActivationSpec, Activations, Change, CheckRow, CreatedActivation, NodeDetail, NodeRow, TierReview, TierTarget,
} from '../types';
import { inventDenial } from './denials';
import type { Invented } from './fleet';

const HOUR = 3_600_000;

/** Checks, tiers and activations of the invented fleet. `?check=denied` and `?check=waiting` let a check end badly; `?noactivations` begins without any. */
export class FakeAccess {
  readonly #fleet: Invented;
  readonly #node: (key: string) => NodeRow;
  readonly #emit: (change: Change) => void;
  readonly #told: () => void;
  readonly #options: URLSearchParams;
  readonly #checks = new Map<string, CheckRow>();
  #activations: ActivationRow[];

  constructor(fleet: Invented, node: (key: string) => NodeRow, emit: (change: Change) => void, told: () => void, options: URLSearchParams) {
    this.#fleet = fleet;
    this.#node = node;
    this.#emit = emit;
    this.#told = told;
    this.#options = options;
    const now = Date.now();
    this.#activations = options.has('noactivations') ? [] : [
      { id: '5f0c4be1-2d6a-4c0e-9a77-1b2c3d4e5f60', description: 'Line 4', name: 'lej-hmi', role: 'FleetHybridNode', limit: 20, registered: 11, expiresMs: now + 51 * HOUR, expired: false, createdMs: now - 20 * HOUR, tags: [{ key: 'env', value: 'prod' }] },
      { id: '0a9b8c7d-6e5f-4a3b-8c2d-1e0f9a8b7c6d', description: '', name: '', role: 'FleetHybridNode', limit: 1, registered: 0, expiresMs: now - HOUR, expired: true, createdMs: now - 25 * HOUR, tags: [] },
    ];
  }

  check(key: string): void {
    const begun: CheckRow = { nodeKey: key, running: true, sinceMs: Date.now(), tries: 0, nextTryMs: null, problem: null, denied: null, asides: [] };
    this.#tell(begun);
    const how = this.#options.get('check');
    window.setTimeout(() => {
      if (how === 'waiting') this.#tell({ ...begun, tries: 2, nextTryMs: Date.now() + 8000 });
      else if (how === 'denied') {
        const denied = inventDenial(this.#node(key), '');
        this.#tell({ ...begun, running: false, denied, problem: denied.problem });
      } else this.#tell({ ...begun, running: false });
    }, 900);
  }

  stop(key: string): void {
    const row = this.#checks.get(key);
    if (row) this.#tell({ ...row, running: false, nextTryMs: null });
  }

  /** The ladder with what a check found out. */
  detail(key: string, detail: NodeDetail): NodeDetail {
    const check = this.#checks.get(key) ?? null;
    if (!check) return detail;
    const atMs = Date.now();
    const ladder = detail.ladder.map((step): NodeDetail['ladder'][number] => {
      if (step.name === 'iam' && !check.running) return check.denied ? { ...step, state: 'stopped', evidence: { kind: 'iam_denied' }, atMs } : { ...step, state: 'passed', evidence: { kind: 'iam_allowed' }, atMs };
      if (step.name !== 'channel') return step;
      if (check.running) return { ...step, state: 'running', evidence: { kind: 'channel_trying', tries: check.tries }, atMs };
      return check.denied ? { ...step, state: 'not_reached', evidence: { kind: 'not_reached' } } : { ...step, state: 'passed', evidence: { kind: 'channel_opened', afterMs: 38 }, atMs };
    });
    return { ...detail, ladder, check };
  }

  deregister(key: string): void {
    this.#fleet.rows.splice(this.#fleet.rows.findIndex((row) => row.key === key), 1);
    this.#told();
  }

  review(source: string, region: string, to: TierTarget): TierReview {
    const row = this.#place(source, region);
    const arn = `arn:aws:ssm:${region}:${row.accountId}:servicesetting/ssm/managed-instance/activation-tier`;
    return {
      source, accountId: row.accountId, accountName: row.accountName, region, tier: row.tier, value: row.tier, isDefault: row.tier === 'standard',
      changedBy: row.tier === 'standard' ? '' : `arn:aws:sts::${row.accountId}:assumed-role/FleetAdmin/mika.sato`, changedMs: row.tier === 'standard' ? null : Date.now() - 90 * HOUR,
      to, hybridNodes: row.hybrid, isComplete: row.state === 'loaded', nodeHourUsd: 0.00695, hourUsd: row.hybrid * 0.00695, monthUsd: Math.round(row.hybrid * 730 * 0.695) / 100, standardLimit: 1000,
      obstacle: row.tierChange ? 'pending' : row.tier === to ? 'unchanged' : to === 'standard' && row.hybrid > 1000 ? 'too_many_nodes' : null,
      settingArn: arn, command: `fleetline tier set ${to} --source ${source} --region ${region} --yes`,
      awsCommand: `aws ssm update-service-setting --profile ${source} --region ${region} --setting-id ${arn} --setting-value ${to}`,
    };
  }

  change(source: string, region: string, to: TierTarget): void {
    const row = this.#place(source, region);
    this.#set(row, { tierChange: { to, sinceMs: Date.now(), problem: null } });
    window.setTimeout(() => {
      for (const node of this.#fleet.rows) {
        if (node.tier !== null && node.accountId === row.accountId && node.region === region) {
          node.tier = to;
          if (node.readiness === 'blocked' || node.readiness === 'ready') node.readiness = to === 'standard' ? 'blocked' : 'ready';
          node.reason = to === 'standard' ? 'Hybrid nodes take sessions only on the advanced tier.' : '';
        }
      }
      this.#set(row, { tier: to, tierChange: null });
    }, Number(this.#options.get('settles') ?? 6000));
  }

  activations(): Activations[] {
    return this.#fleet.regions.map((region) => ({
      source: region.source, accountName: region.accountName, region: region.region, more: false, problem: region.problem,
      rows: region.accountName === 'plants-eu' && region.region === 'eu-central-1' ? this.#activations : [],
    }));
  }

  create(spec: ActivationSpec): CreatedActivation {
    const id = crypto.randomUUID();
    const now = Date.now();
    this.#activations = [...this.#activations, { ...spec, id, registered: 0, expiresMs: now + spec.hours * HOUR, expired: false, createdMs: now }];
    const setup = '/tmp/ssm-setup-cli';
    return {
      id, forgottenMs: now + 900_000,
      linux: `curl -fsSL https://amazon-ssm-${spec.region}.s3.${spec.region}.amazonaws.com/latest/linux_amd64/ssm-setup-cli -o ${setup}\nchmod +x ${setup}\nsudo ${setup} -register -activation-id ${id} -activation-code '••••••••••••••••••••' -region ${spec.region}\n`,
      windows: `& "$env:TEMP\\ssm-setup-cli.exe" -register -activation-id='${id}' -activation-code='••••••••••••••••••••' -region='${spec.region}'\r\n`,
    };
  }

  remove(id: string): void {
    this.#activations = this.#activations.filter((row) => row.id !== id);
  }

  #place(source: string, region: string): AccountRegionRow {
    const row = this.#fleet.regions.find((one) => one.source === source && one.region === region);
    if (!row) throw new Error('That account-region is gone.');
    return row;
  }

  #set(row: AccountRegionRow, facts: Partial<AccountRegionRow>): void {
    const { regions } = this.#fleet;
    const at = regions.findIndex((one) => one.source === row.source && one.region === row.region);
    regions[at] = { ...row, ...facts };
    this.#told();
  }

  #tell(check: CheckRow): void {
    this.#checks.set(check.nodeKey, check);
    this.#emit({ kind: 'check', check });
  }
}
