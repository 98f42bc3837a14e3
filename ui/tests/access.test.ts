import { describe, expect, it } from 'vitest';

import { deniedFacts, deniedLead, deniedSentence, jsonStretches, mayJustSpread, requestText, shortResource } from '../src/access/denied';
import { emptyDraft, specOf, tagsOf, wrongFields } from '../src/activations/form';
import { tierConsequences } from '../src/fleet/tier';
import { stepWords } from '../src/fleet/ladder';
import { inventDenial } from '../src/host/fake/denials';
import type { Denied, LadderStep, NodeRow, PolicyKind, TierReview } from '../src/host/types';
import { language } from '../src/i18n/index.svelte';

const NODE = { nodeId: 'i-0abc', name: 'pay-win-03', accountId: '111122223333', region: 'eu-central-1' } as NodeRow;
const KINDS: PolicyKind[] = ['identity', 'resource', 'boundary', 'session', 'service_control', 'resource_control', 'endpoint', 'role_trust'];

describe('a refusal', () => {
  it('says who, as which role, may not do what, on which node, because which policy kind', () => {
    expect(deniedSentence(inventDenial(NODE, '')).replaceAll('**', '')).toBe('mika.sato as FleetReadOnly may not start a session on pay-win-03, because no identity policy allows it.');
    expect(deniedSentence(inventDenial(NODE, 'service_control'))).toContain('because an organization policy (SCP) forbids it.');
    expect(deniedSentence(inventDenial(NODE, 'unknown'))).toContain('AWS refused and did not say which policy.');
  });

  it('names the permission set as the place of the statement', () => {
    expect(deniedLead(inventDenial(NODE, ''))).toContain('FleetReadOnly is a permission set of IAM Identity Center');
    expect(deniedLead({ ...inventDenial(NODE, ''), caller: { kind: 'role', name: 'ada', capacity: 'Ops', arn: '' } })).toContain('the role Ops in account 111122223333');
  });

  it('has a sentence, a lead and whom to ask for every kind and either way', () => {
    for (const policy of KINDS) {
      for (const explicit of [false, true]) {
        const denied: Denied = { ...inventDenial(NODE, policy), explicit };
        expect(deniedSentence(denied)).toMatch(/because .+\.$/u);
        expect(deniedLead(denied)).toMatch(/\.$/u);
        expect(language.m.deny.ask[policy]).toMatch(/\S/u);
        expect(mayJustSpread(denied)).toBe(policy === 'identity' && !explicit);
      }
    }
  });

  it('marks a guess as one', () => {
    const guess: Denied = { ...inventDenial(NODE, 'unknown'), guessed: true, action: 'ssmmessages:OpenDataChannel' };
    expect(deniedSentence(guess)).toContain('most likely because');
  });

  it('is told to an administrator with facts, statement and the text of AWS', () => {
    const denied = inventDenial(NODE, '');
    const text = requestText(denied);
    for (const part of ['ssm:StartSession', 'instance/i-0abc', '111122223333', 'eu-central-1', '"Statement"', 'AccessDeniedException', denied.problem.requestId ?? '']) expect(text).toContain(part);
    expect(text).not.toContain('**');
    expect(deniedFacts(denied).map((fact) => fact.label)).toEqual(['Action', 'Resource', 'Role']);
    expect(shortResource(denied.resource)).toBe('instance/i-0abc');
  });
});

describe('coloured JSON', () => {
  it('is the same text, with keys and texts told apart', () => {
    const json = JSON.stringify({ a: 'x "y": z', b: [1, true] }, null, 2);
    const stretches = jsonStretches(json);
    expect(stretches.map((one) => one.text).join('')).toBe(json);
    expect(stretches.filter((one) => one.kind === 'k').map((one) => one.text)).toEqual(['"a"', '"b"']);
    expect(stretches.filter((one) => one.kind === 'v')).toHaveLength(1);
  });
});

describe('the ladder in words', () => {
  const words = (step: Partial<LadderStep>) => stepWords({ name: 'channel', state: 'stopped', evidence: { kind: 'not_reached' }, atMs: null, ...step }, 'eu-central-1', 120_000);

  it('names every gate that is closed to an old agent, with its cost', () => {
    const old = words({ name: 'agent_online', evidence: { kind: 'old_agent', version: '3.0.161.0', lacks: [{ gate: 'multiplexing', since: '3.0.196.0' }, { gate: 'remote_hosts', since: '3.1.1374.0' }] }, atMs: 106_000 });
    expect(old.cause).toBe('Agent 3.0.161.0 is old. A forward carries one connection at a time before 3.0.196.0. Forwards to remote hosts need 3.1.1374.0 or later.');
    expect(old.fact).toBe('ping 14 s ago');
  });

  it('has evidence, time and the next action', () => {
    expect(words({ evidence: { kind: 'channel_opened', afterMs: 38.2 }, atMs: 60_000 }).fact).toBe('open in 38 ms, 1 min ago');
    const stuck = words({ evidence: { kind: 'channel_not_connectable', tries: 6 }, atMs: 118_000 });
    expect(stuck).toMatchObject({ fact: 'not connectable yet, 2 s ago' });
    expect(stuck.cause).toContain('in 6 tries');
    expect(stuck.action).toContain('ssmmessages endpoint of eu-central-1');
  });
});

describe('the review of a tier', () => {
  const review = (to: TierReview['to'], hybridNodes: number) => ({ to, hybridNodes, standardLimit: 1000, hourUsd: hybridNodes * 0.00695 }) as TierReview;

  it('says what happens to the nodes, and how long the way back is', () => {
    expect(tierConsequences(review('advanced', 1))[0]).toBe('1 hybrid node takes sessions once the change has settled.');
    expect(tierConsequences(review('advanced', 11)).join(' ')).toContain('Going back takes 30 minutes or more, and AWS refuses it with more than 1,000 hybrid nodes.');
    expect(tierConsequences(review('standard', 11)).join(' ')).toContain('USD 0.07645 an hour ends');
  });
});

describe('the form of an activation', () => {
  it('keeps the limits of the service', () => {
    const sound = { ...emptyDraft('prod/eu-central-1'), role: 'FleetHybridNode' };
    expect(wrongFields(sound).size).toBe(0);
    for (const [field, value] of [['role', 'a/b'], ['role', ''], ['limit', '1001'], ['limit', '0'], ['hours', '721'], ['hours', 'x'], ['tags', 'novalue']] as const) {
      expect([...wrongFields({ ...sound, [field]: value })]).toEqual([field]);
    }
  });

  it('reads tags, and the place apart', () => {
    expect(tagsOf('env=prod, team=a=b,')).toEqual([{ key: 'env', value: 'prod' }, { key: 'team', value: 'a=b' }]);
    expect(specOf({ ...emptyDraft('team/prod/eu-central-1'), role: ' r ' })).toMatchObject({ source: 'team/prod', region: 'eu-central-1', role: 'r', limit: 1, hours: 24 });
  });
});
