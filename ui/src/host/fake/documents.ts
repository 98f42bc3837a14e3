import type { DocumentDetail, DocumentHost, DocumentReading, DocumentRow } from '../documents';
import { HostError } from '../types';

const ROWS: DocumentRow[] = [
  { name: 'Corp-LedgerConsole', title: 'Corp-LedgerConsole', owner: 'mine', defaultVersion: '4', sessionType: 'interactive_commands', preferences: false },
  { name: 'SSM-SessionManagerRunShell', title: 'SSM-SessionManagerRunShell', owner: 'mine', defaultVersion: '3', sessionType: 'standard_stream', preferences: true },
  { name: 'AWS-StartSSHSession', title: 'AWS-StartSSHSession', owner: 'aws', defaultVersion: '1', sessionType: 'port', preferences: false },
];

const TEXT = '{\n  "schemaVersion": "1.0",\n  "description": "Ledger console",\n  "sessionType": "InteractiveCommands"\n}\n';

/** What a text says, without the checks of the real host. */
function reading(text: string): DocumentReading {
  let value: Record<string, unknown>;
  try {
    value = JSON.parse(text) as Record<string, unknown>;
  } catch {
    return { text, syntax: { line: 1, column: 1, message: 'This is not JSON.' }, form: null, problems: [], effects: null };
  }
  return {
    text,
    syntax: null,
    problems: [],
    effects: { contentCanBeLogged: true, s3: null, cloudWatch: null, streams: false, sealedWith: null, runAs: { kind: 'agent_user', name: 'ssm-user' }, idleMinutes: 20, maxMinutes: null },
    form: {
      description: typeof value['description'] === 'string' ? value['description'] : '',
      sessionType: 'interactive_commands',
      inputs: {
        s3Bucket: '', s3Prefix: '', s3Encryption: false, cloudWatchGroup: '', cloudWatchEncryption: false, cloudWatchStreaming: false, kmsKey: '', runAs: false, runAsUser: '',
        idleMinutes: '', maxMinutes: '', linuxProfile: '', windowsProfile: '',
      },
      parameters: [],
      commands: [],
      port: { port: '', localPort: '', host: '', kind: '' },
    },
  };
}

/** Invented documents, for looking at the page in a browser. */
export function createFakeDocuments(): DocumentHost {
  const detail = (name: string, version: string | null): DocumentDetail => {
    const row = ROWS.find((one) => one.name === name);
    if (!row) throw new HostError({ code: 'invalid_document', message: `There is no document ${name}.`, hint: null, detail: null, requestId: null });
    return {
      name, title: row.title, ownerId: row.owner === 'aws' ? 'Amazon' : '111122223333', version: version ?? row.defaultVersion, defaultVersion: row.defaultVersion,
      latestVersion: row.defaultVersion, latestHash: 'h', versions: [{ number: row.defaultVersion, isDefault: true, createdMs: Date.now() }], reading: reading(TEXT),
    };
  };
  return {
    documentsList: () => Promise.resolve(ROWS),
    documentsTypes: () => Promise.resolve([]),
    documentOpen: (_place, name, version) => new Promise((resolve) => resolve(detail(name, version))),
    documentSave: (_place, save) => Promise.resolve({ version: '5', defaultVersion: save.makeDefault ? '5' : '4', isNew: true }),
    documentSetDefault: () => Promise.resolve(),
    documentDelete: () => Promise.resolve(),
    preferencesApply: (places) => Promise.resolve(places.map((place) => ({ place, change: 'updated' as const, version: '4', problem: null }))),
    documentTemplate: () => Promise.resolve(reading(TEXT)),
    documentRead: (text) => Promise.resolve(reading(text)),
    documentEdit: (text) => Promise.resolve(reading(text)),
    documentCompare: (old, next) => Promise.resolve(old === next ? [] : [
      { change: 'removed', old: 1, new: null, text: old },
      { change: 'added', old: null, new: 1, text: next },
    ]),
  };
}
