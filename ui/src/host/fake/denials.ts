import type { Denied, NodeRow, PolicyKind } from '../types';

/** A refusal as the host tells it, for looking at the panel: `?fail`, `?fail=service_control`, `?fail=unknown` and so on. */
export function inventDenial(node: NodeRow, kind: string): Denied {
  const policy = kind === 'unknown' ? null : ((kind === '' ? 'identity' : kind) as PolicyKind);
  const explicit = policy !== null && policy !== 'identity';
  const arn = node.nodeId.startsWith('i-')
    ? `arn:aws:ec2:${node.region}:${node.accountId}:instance/${node.nodeId}`
    : `arn:aws:ssm:${node.region}:${node.accountId}:managed-instance/${node.nodeId}`;
  const hit = explicit ? 'denied' : 'no_allow';
  const json = JSON.stringify({
    Version: '2012-10-17',
    Statement: [
      {
        Sid: 'FleetlineStartSession', Effect: 'Allow', Action: 'ssm:StartSession',
        Resource: [arn, `arn:aws:ssm:${node.region}:${node.accountId}:document/SSM-SessionManagerRunShell`],
        Condition: { BoolIfExists: { 'ssm:SessionDocumentAccessCheck': 'true' } },
      },
      {
        Sid: 'FleetlineOwnSessions', Effect: 'Allow', Action: ['ssmmessages:OpenDataChannel', 'ssm:ResumeSession', 'ssm:TerminateSession'],
        Resource: `arn:aws:ssm:${node.region}:${node.accountId}:session/\${aws:userid}-*`,
      },
    ],
  }, null, 2);
  return {
    caller: {
      kind: 'permission_set', name: 'mika.sato', capacity: 'FleetReadOnly',
      arn: `arn:aws:sts::${node.accountId}:assumed-role/AWSReservedSSO_FleetReadOnly_4f1c0b7e9a2d8c35/mika.sato`,
    },
    action: 'ssm:StartSession', resource: arn, nodeName: node.name, accountId: node.accountId, region: node.region,
    document: 'SSM-SessionManagerRunShell', policy, explicit,
    policyArn: policy === 'service_control' ? 'arn:aws:organizations::999900001111:policy/o-f1eet1ine0/service_control_policy/p-regi0n01' : null,
    chain: policy === null ? []
      : policy === 'service_control'
        ? [{ stage: policy, outcome: hit }, { stage: 'identity', outcome: 'cannot_override' }, { stage: 'document', outcome: 'not_reached' }, { stage: 'node', outcome: 'not_reached' }]
        : [
            { stage: 'service_control', outcome: 'no_deny_reported' }, { stage: policy, outcome: hit },
            ...(policy === 'identity' ? [] : [{ stage: 'identity', outcome: 'cannot_override' } as const]),
            { stage: 'document', outcome: 'not_reached' }, { stage: 'node', outcome: 'not_reached' },
          ],
    remedy: policy === 'identity' ? { json, terraform: 'data "aws_iam_policy_document" "fleetline" {\n  statement {\n    sid    = "FleetlineStartSession"\n    effect = "Allow"\n  }\n}\n' } : null,
    guessed: false, checkedMs: Date.now(), firstGone: kind !== '' && kind !== 'identity',
    problem: {
      code: 'access_denied', message: `mika.sato may not call ssm:StartSession on ${node.nodeId}.`, hint: null,
      detail: `StartSession (AccessDeniedException): User: arn:aws:sts::${node.accountId}:assumed-role/AWSReservedSSO_FleetReadOnly_4f1c0b7e9a2d8c35/mika.sato is not authorized to perform: ssm:StartSession on resource: ${arn} because no identity-based policy allows the ssm:StartSession action`,
      requestId: '7b0f3c1e-52a4-4a0e-9c1d-6e1f0f4a8d21',
    },
  };
}
