import type { Denied, Outcome, TabRow } from '../host/types';
import { language } from '../i18n/index.svelte';
import type { GlyphName } from '../parts/glyphs';
import type { Application } from '../state/app.svelte';

/** The one call that asks for a node and a document. */
const START = 'ssm:StartSession';

export const OUTCOME_GLYPH: Record<Outcome, GlyphName> = {
  no_deny_reported: 'done', no_allow: 'block', denied: 'block', cannot_override: 'wait', not_reached: 'wait',
};

/** Whether it stopped here. */
export function isHit(outcome: Outcome): boolean {
  return outcome === 'no_allow' || outcome === 'denied';
}

/** The resource without what its ARN begins with: "instance/i-0abc". */
export function shortResource(arn: string): string {
  return arn.startsWith('arn:') ? arn.split(':').slice(5).join(':') : arn;
}

/** Who, as which role, may not do what, on what, because which kind of policy. `**…**` marks names. */
export function deniedSentence(denied: Denied): string {
  const m = language.m.deny;
  if (denied.guessed) return m.guessed(denied.nodeName);
  const { name, capacity } = denied.caller;
  const who = name === '' ? m.nobody : m.who(name, capacity);
  const because = denied.policy === null ? null : m.because[`${denied.policy}_${denied.explicit ? 'explicit' : 'implicit'}`];
  if (denied.action === START || denied.action === '') {
    return because === null ? m.startUnexplained(who, denied.nodeName) : m.start(who, denied.nodeName, because);
  }
  const what = shortResource(denied.resource);
  return because === null ? m.callUnexplained(who, denied.action) : m.call(who, denied.action, what === '' ? denied.nodeName : what, because);
}

/** What must change, and who can change it. */
export function deniedLead(denied: Denied): string {
  const m = language.m.deny;
  if (denied.guessed) return m.leadGuessed;
  if (denied.policy === null) return m.leadUnexplained;
  const { kind, name, capacity } = denied.caller;
  if (denied.policy !== 'identity' || denied.explicit) return m.lead[`${denied.policy}_${denied.explicit ? 'explicit' : 'implicit'}`];
  switch (kind) {
    case 'permission_set': return m.leadPermissionSet(capacity);
    case 'role': return m.leadRole(capacity, denied.accountId);
    case 'user': return m.leadUser(name, denied.accountId);
    default: return m.lead.identity_implicit;
  }
}

/** What to send to whoever can change it. */
export function requestText(denied: Denied): string {
  const m = language.m;
  const facts = deniedFacts(denied, false).map((fact) => `${fact.label}: ${fact.value}`);
  const parts = [deniedSentence(denied).replaceAll('**', ''), facts.join('\n')];
  if (denied.remedy) parts.push(`${m.deny.statement}:\n${denied.remedy.json}`);
  if (denied.problem.detail) parts.push(`${m.deny.awsText}:\n${denied.problem.detail}`);
  if (denied.problem.requestId) parts.push(`${m.requestId}: ${denied.problem.requestId}`);
  return parts.join('\n\n');
}

/** The facts worth copying, in order; what a statement says already is left out beside it. */
export function deniedFacts(denied: Denied, beside = denied.remedy !== null): { label: string; value: string; mono: boolean }[] {
  const m = language.m.deny;
  const role = denied.caller.arn.split(':').slice(5).join(':').split('/');
  const facts = [
    { label: m.action, value: denied.action, mono: true },
    { label: m.resource, value: denied.resource, mono: true },
    { label: m.role, value: role[0] === 'assumed-role' ? (role[1] ?? '') : '', mono: true },
    ...(beside
      ? []
      : [
          { label: m.document, value: denied.document ?? '', mono: true },
          { label: m.policyType, value: denied.policy === null ? '' : m.stages[denied.policy], mono: false },
          { label: m.policy, value: denied.policyArn ?? '', mono: true },
          { label: m.account, value: denied.accountId, mono: true },
          { label: m.region, value: denied.region, mono: true },
        ]),
  ];
  return facts.filter((fact) => fact.value !== '');
}

/** Whether a grant that was just made may still have to spread, so that asking for a while makes sense. */
export function mayJustSpread(denied: Denied): boolean {
  return denied.guessed || (denied.policy === 'identity' && !denied.explicit);
}

/** Asks AWS again for the session that was refused; the panel stays until one begins. */
export function checkAgain(app: Application, tab: TabRow): void {
  if (tab.session?.state.state === 'connecting') return;
  void app.chrome.run(app.host.tabRestart(tab.id));
}

/** A stretch of JSON: a key, a text, or anything else. */
export interface JsonStretch {
  text: string;
  kind: 'k' | 'v' | '';
}

/** Cuts JSON into what is coloured and what is not. */
export function jsonStretches(json: string): JsonStretch[] {
  const stretches: JsonStretch[] = [];
  let at = 0;
  for (const found of json.matchAll(/"(?:[^"\\]|\\.)*"/gu)) {
    if (found.index > at) stretches.push({ text: json.slice(at, found.index), kind: '' });
    at = found.index + found[0].length;
    stretches.push({ text: found[0], kind: /^\s*:/u.test(json.slice(at)) ? 'k' : 'v' });
  }
  if (at < json.length) stretches.push({ text: json.slice(at), kind: '' });
  return stretches;
}
