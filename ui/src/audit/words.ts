import type { AuditFact, AuditSetting, AuditVerdict } from '../host/types';
import { language } from '../i18n/index.svelte';
import type { GlyphName } from '../parts/glyphs';

export const VERDICT_GLYPH: Record<AuditVerdict, GlyphName> = { good: 'done', attention: 'warn', gap: 'fail', unknown: 'idle' };

/** Names as a list in the language of the interface. */
function listed(names: string[]): string {
  return new Intl.ListFormat(language.m.locale, { type: 'conjunction' }).format(names);
}

/** What is the case, as a sentence. */
export function factWords(fact: AuditFact): string {
  const m = language.m.audit.fact;
  switch (fact.kind) {
    case 's3': return m.s3(`s3://${fact.bucket}/${(fact.prefix ?? '').replace(/^\/+|\/+$/gu, '')}`, fact.encrypted);
    case 'cloud_watch': return m.cloudWatch(fact.group, fact.streams, fact.encrypted);
    case 'not_here': return m.notHere;
    case 'not_recorded': return m.notRecorded;
    case 'sealed': return m.sealed(fact.key);
    case 'not_sealed': return m.notSealed;
    case 'agent_user': return m.agentUser;
    case 'named_user': return m.namedUser(fact.user);
    case 'idle': return m.idle(fact.minutes, fact.set);
    case 'longest': return m.longest(fact.minutes);
    case 'no_longest': return m.noLongest;
    case 'ports_unseen': return m.portsUnseen;
    case 'unrecorded': return m.unrecorded(listed(fact.names));
    case 'all_recorded': return m.allRecorded;
    case 'shared_here': return m.sharedHere(listed(fact.names));
    case 'none_shared': return m.noneShared;
    case 'policies_tell': return m.policiesTell;
    case 'trail_logging': return m.trailLogging(listed(fact.names));
    case 'trail_stopped': return m.trailStopped(listed(fact.names));
    case 'no_trail': return m.noTrail;
    case 'unknown': return m.unknown;
  }
}

/** What changes it, in a few words. */
export function settingWords(setting: AuditSetting): string {
  const m = language.m.audit.setting;
  return setting.kind === 'preference' ? m.preference(setting.path) : m[setting.kind];
}
