import type { AuditFact, AuditHost, AuditRow, AuditTopic, AuditVerdict } from '../audit';

/** Invented findings, for looking at the page in a browser. */
export function createFakeAudit(): AuditHost {
  return {
    auditRead: ({ source, region }) => {
      const saved = region.length % 2 === 0;
      const evidence = (path: string) => (saved ? `SSM-SessionManagerRunShell v3, ${path}` : 'SSM-SessionManagerRunShell does not exist: nobody saved session preferences');
      const row = (topic: AuditTopic, verdict: AuditVerdict, fact: AuditFact, path: string | null, from?: string): AuditRow => ({
        topic, verdict, fact, evidence: from ?? evidence(path ?? ''), setting: path === null ? { kind: 'policies' } : { kind: 'preference', path },
      });
      return Promise.resolve({
        source, region, atMs: Date.now(),
        rows: [
          saved ? row('s3_log', 'good', { kind: 's3', bucket: `${source}-session-logs`, prefix: 'ssm', encrypted: true }, 'inputs.s3BucketName') : row('s3_log', 'gap', { kind: 'not_recorded' }, 'inputs.s3BucketName'),
          saved ? row('cloud_watch_log', 'attention', { kind: 'cloud_watch', group: '/fleet/sessions', streams: true, encrypted: false }, 'inputs.cloudWatchLogGroupName') : row('cloud_watch_log', 'gap', { kind: 'not_recorded' }, 'inputs.cloudWatchLogGroupName'),
          saved ? row('sealing', 'good', { kind: 'sealed', key: 'alias/fleet-sessions' }, 'inputs.kmsKeyId') : row('sealing', 'attention', { kind: 'not_sealed' }, 'inputs.kmsKeyId'),
          row('run_as', 'attention', { kind: 'agent_user' }, 'inputs.runAsEnabled'),
          row('idle_limit', 'good', { kind: 'idle', minutes: 20, set: saved }, 'inputs.idleSessionTimeout'),
          row('longest_limit', 'attention', { kind: 'no_longest' }, 'inputs.maxSessionDuration'),
          row('port_content', 'attention', { kind: 'ports_unseen' }, null, 'AWS Systems Manager: sessions of type Port have no log'),
          { ...row('other_documents', 'gap', { kind: 'unrecorded', names: ['Corp-LedgerConsole', 'Corp-PlantDiag'] }, null, 'the default versions of 3 documents, inputs'), setting: { kind: 'documents' } },
          { ...row('sharing', 'attention', { kind: 'shared_here', names: ['Org-BreakGlass'] }, null, 'ListDocuments, Owner=Private'), setting: { kind: 'documents' } },
          row('permissions', 'unknown', { kind: 'policies_tell' }, null, 'IAM policies of the account and its organization, which are not read here'),
          { ...row('cloud_trail', saved ? 'good' : 'gap', saved ? { kind: 'trail_logging', names: ['fleet-trail'] } : { kind: 'no_trail' }, null, 'DescribeTrails and GetTrailStatus'), setting: { kind: 'trail' } },
        ],
      });
    },
  };
}
