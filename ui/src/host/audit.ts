import type { DocumentPlace } from './documents';

/** Whether sessions of an account-Region are recorded, sealed and bounded, as the interface sees it; see `types.ts`. */

export type AuditTopic = 's3_log' | 'cloud_watch_log' | 'sealing' | 'run_as' | 'idle_limit' | 'longest_limit' | 'port_content' | 'other_documents' | 'sharing' | 'permissions' | 'cloud_trail';
export type AuditVerdict = 'good' | 'attention' | 'gap' | 'unknown';
export type AuditSetting = { kind: 'preference'; path: string } | { kind: 'documents' } | { kind: 'policies' } | { kind: 'trail' };
export type AuditFact =
  | { kind: 's3'; bucket: string; prefix: string | null; encrypted: boolean }
  | { kind: 'cloud_watch'; group: string; streams: boolean; encrypted: boolean }
  | { kind: 'not_here' }
  | { kind: 'not_recorded' }
  | { kind: 'sealed'; key: string }
  | { kind: 'not_sealed' }
  | { kind: 'agent_user' }
  | { kind: 'named_user'; user: string | null }
  | { kind: 'idle'; minutes: number; set: boolean }
  | { kind: 'longest'; minutes: number }
  | { kind: 'no_longest' }
  | { kind: 'ports_unseen' }
  | { kind: 'unrecorded'; names: string[] }
  | { kind: 'all_recorded' }
  | { kind: 'shared_here'; names: string[] }
  | { kind: 'none_shared' }
  | { kind: 'policies_tell' }
  | { kind: 'trail_logging'; names: string[] }
  | { kind: 'trail_stopped'; names: string[] }
  | { kind: 'no_trail' }
  | { kind: 'unknown' };
export interface AuditRow { topic: AuditTopic; verdict: AuditVerdict; fact: AuditFact; evidence: string; setting: AuditSetting }
export interface AuditReport { source: string; region: string; rows: AuditRow[]; atMs: number }

export interface AuditHost {
  auditRead(place: DocumentPlace): Promise<AuditReport>;
}
