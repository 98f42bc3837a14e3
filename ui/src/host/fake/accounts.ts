import { HostError } from '../types';
import type { AccountPick, AccountRow, Accounts, Change, MfaAsk, OpenAccount, SignInFlow, SignInMethod, SignInRow } from '../types';

const HOUR = 3_600_000;

function gone(what: string): HostError {
  return new HostError({ code: 'not_found', message: `${what} is gone.`, hint: null, detail: null, requestId: null });
}

/** Invented accounts that can be signed in and asked for codes, for looking at the interface in a browser. */
export class FakeAccounts {
  #rows: AccountRow[];
  #signIns: SignInRow[];
  #asks: MfaAsk[] = [];
  #tried: string[] = [];
  readonly #emit: (change: Change) => void;

  constructor(emit: (change: Change) => void) {
    this.#emit = emit;
    const now = Date.now();
    const row = (source: string, accountId: string, role: string, part: Partial<AccountRow>): AccountRow => ({
      source, accountId, role, kind: 'identity_center', arn: null, region: 'eu-central-1', signIn: null, through: [], mfaSerial: null,
      settings: [{ name: 'region', value: 'eu-central-1' }], own: false, inUse: false, state: { state: 'not_checked' }, checkedMs: null, ...part,
    });
    const corp = { state: 'ready', ending: { ends: 'at', ms: now + 5 * HOUR + 730_000, renews: false } } as const;
    this.#rows = [
      row('payments-prod', '111122223333', 'FleetOperator', { signIn: 'corp', inUse: true, state: corp, arn: 'arn:aws:sts::111122223333:assumed-role/FleetOperator/mika.sato', checkedMs: now - 190_000 }),
      row('plants-eu', '444455556666', 'FleetOperator', { signIn: 'corp', inUse: true, state: corp }),
      row('shared-core', '123456789012', 'CoreOps', {
        kind: 'role', signIn: 'corp', through: ['payments-prod'], mfaSerial: 'arn:aws:iam::111122223333:mfa/mika.sato', inUse: true, state: { state: 'needs_code' },
        settings: [{ name: 'mfa_serial', value: 'arn:aws:iam::111122223333:mfa/mika.sato' }, { name: 'role_arn', value: 'arn:aws:iam::123456789012:role/CoreOps' }, { name: 'source_profile', value: 'payments-prod' }],
      }),
      row('payments-read', '111122223333', 'FleetReadOnly', { signIn: 'corp', state: { state: 'ready', ending: { ends: 'at', ms: now + 11 * 60_000, renews: false } } }),
      row('old-admin', '777788889999', 'user/admin', { kind: 'access_key', state: { state: 'ready', ending: { ends: 'never' } } }),
      row('ci', '', '', { kind: 'process', accountId: null, role: null, settings: [{ name: 'credential_process', value: 'aws-vault …' }] }),
      row('sandbox', '222233334444', 'PowerUser', { signIn: 'lab', state: { state: 'over', sinceMs: now - 9 * 24 * HOUR } }),
    ];
    this.#signIns = [
      { label: 'corp', startUrl: 'https://corp.awsapps.com/start', region: 'eu-central-1', state: corp, sources: ['payments-prod', 'plants-eu', 'shared-core', 'payments-read'], own: false, flow: null },
      { label: 'lab', startUrl: 'https://lab.awsapps.com/start', region: 'us-east-1', state: { state: 'over', sinceMs: now - 9 * 24 * HOUR }, sources: ['sandbox'], own: true, flow: null },
    ];
  }

  all(): Accounts {
    return { rows: this.#rows, signIns: this.#signIns, asks: this.#asks };
  }

  check(source: string | null): void {
    const named = this.#rows.find((row) => row.source === source);
    if (named?.state.state === 'needs_code') {
      this.#asks = [{ source: named.source, serial: named.mfaSerial ?? '', role: named.role, durationS: 3600, waiting: 4, trying: false, refused: null }];
    } else {
      this.#rows = this.#rows.map((row) => (row.source === source || (source === null && row.state.state === 'not_checked')
        ? { ...row, accountId: row.accountId ?? '111122223333', role: row.role ?? 'Build', state: { state: 'ready', ending: { ends: 'unknown' } }, checkedMs: Date.now() } : row));
    }
    this.#tell();
  }

  signIn(name: string, method: SignInMethod): string {
    const label = this.#rows.find((row) => row.source === name)?.signIn ?? name;
    this.#flow(label, { step: 'preparing' });
    window.setTimeout(() => this.#flow(label, {
      step: 'waiting', host: 'corp.awsapps.com', userCode: method === 'device' ? 'KQZP-VWTB' : null, untilMs: Date.now() + 600_000, unopened: null,
    }, 'preparing'), 300);
    window.setTimeout(() => this.#signedIn(label), 6000);
    return label;
  }

  add(startUrl: string, region: string, method: SignInMethod): string {
    const label = new URL(startUrl).hostname.split('.')[0] ?? 'sign-in';
    if (!this.#signIns.some((row) => row.label === label)) {
      this.#signIns = [...this.#signIns, { label, startUrl, region, state: { state: 'needs_sign_in' }, sources: [], own: true, flow: null }];
    }
    return this.signIn(label, method);
  }

  cancel(label: string): void {
    this.#flow(label, null);
  }

  signOut(name: string): void {
    const label = this.#rows.find((row) => row.source === name)?.signIn ?? name;
    this.#state(label, { state: 'needs_sign_in' });
  }

  opened(label: string): OpenAccount[] {
    const source = (accountId: string, role: string) => this.#rows.find((row) => row.signIn === label && row.accountId === accountId && row.role === role) ?? null;
    const account = (accountId: string, name: string, roles: string[]): OpenAccount => ({
      accountId, name, email: `aws+${name}@example.com`,
      roles: roles.map((role) => ({ name: role, source: source(accountId, role)?.source ?? null, inUse: source(accountId, role)?.inUse ?? false })),
    });
    return [
      account('111122223333', 'payments-prod', ['FleetOperator', 'FleetReadOnly']), account('444455556666', 'plants-eu', ['FleetOperator']),
      account('555566667777', 'plants-us', ['FleetOperator', 'Auditor']), account('222233334444', 'sandbox', ['PowerUser']),
    ];
  }

  useRoles(label: string, region: string, picks: AccountPick[]): string[] {
    const names = picks.map((pick) => `${pick.accountName}.${pick.role}`);
    const { state } = this.#signIns.find((row) => row.label === label) ?? { state: { state: 'not_checked' as const } };
    this.#rows = [...this.#rows, ...picks.map((pick, i): AccountRow => ({
      source: names[i] ?? '', kind: 'identity_center', accountId: pick.accountId, role: pick.role, arn: null, region, signIn: label, through: [], mfaSerial: null,
      settings: [], own: true, inUse: true, state, checkedMs: null,
    }))];
    this.#tell();
    return names;
  }

  use(sources: string[], inUse: boolean): void {
    this.#rows = this.#rows.map((row) => (sources.includes(row.source) ? { ...row, inUse } : row));
    this.#tell();
  }

  remove(name: string): void {
    this.#rows = this.#rows.filter((row) => row.source !== name);
    this.#signIns = this.#signIns.filter((row) => row.label !== name);
    this.#tell();
  }

  /** Takes any code but 000000, and none twice. */
  answer(source: string, code: string): void {
    const ask = this.#asks.find((one) => one.source === source);
    if (!ask) throw gone('That question');
    const usedBefore = this.#tried.includes(code);
    this.#tried.push(code);
    if (code === '000000' || usedBefore) {
      const now = Date.now();
      this.#asks = [{ ...ask, refused: { nextMs: now - (now % 30_000) + 30_000, usedBefore, text: 'MultiFactorAuthentication failed with invalid MFA one time pass code.' } }];
    } else {
      this.#asks = [];
      this.#rows = this.#rows.map((row) => (row.source === source ? { ...row, state: { state: 'ready', ending: { ends: 'at', ms: Date.now() + HOUR, renews: false } } } : row));
    }
    this.#tell();
  }

  decline(source: string): void {
    this.#asks = this.#asks.filter((ask) => ask.source !== source);
    this.#tell();
  }

  #signedIn(label: string): void {
    if (this.#signIns.find((row) => row.label === label)?.flow?.step !== 'waiting') return;
    this.#flow(label, null);
    this.#state(label, { state: 'ready', ending: { ends: 'at', ms: Date.now() + 8 * HOUR, renews: true } });
  }

  #state(label: string, state: SignInRow['state']): void {
    this.#signIns = this.#signIns.map((row) => (row.label === label ? { ...row, state } : row));
    this.#rows = this.#rows.map((row) => (row.signIn === label && row.kind === 'identity_center' ? { ...row, state } : row));
    this.#tell();
  }

  #flow(label: string, flow: SignInFlow | null, only?: SignInFlow['step']): void {
    this.#signIns = this.#signIns.map((row) => (row.label === label && (only === undefined || row.flow?.step === only) ? { ...row, flow } : row));
    this.#tell();
  }

  #tell(): void {
    this.#emit({ kind: 'accounts', accounts: this.all() });
  }
}
