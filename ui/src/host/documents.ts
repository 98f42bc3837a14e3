import type { CommandError } from './types';

/** Session documents, as the interface sees them; see `types.ts`. */

export interface DocumentPlace { source: string; region: string }
export type DocumentOwner = 'mine' | 'shared' | 'aws';
export type DocumentSessionType = 'standard_stream' | 'interactive_commands' | 'non_interactive_commands' | 'port';

export interface DocumentRow {
  name: string;
  title: string;
  owner: DocumentOwner;
  defaultVersion: string;
  sessionType: DocumentSessionType | null;
  preferences: boolean;
}

export interface DocumentTypeRow { name: string; sessionType: DocumentSessionType | null }
export interface DocumentVersionRow { number: string; isDefault: boolean; createdMs: number | null }

export interface DocumentDetail {
  name: string;
  title: string;
  ownerId: string;
  version: string;
  defaultVersion: string;
  latestVersion: string;
  latestHash: string;
  versions: DocumentVersionRow[];
  reading: DocumentReading;
}

export interface DocumentSyntax { line: number; column: number; message: string }

export interface DocumentProblemRow {
  path: string;
  error: boolean;
  message: string;
  meant: string | null;
  found: string | null;
  line: number;
  column: number;
  endColumn: number;
}

export interface DocumentInputs {
  s3Bucket: string;
  s3Prefix: string;
  s3Encryption: boolean;
  cloudWatchGroup: string;
  cloudWatchEncryption: boolean;
  cloudWatchStreaming: boolean;
  kmsKey: string;
  runAs: boolean;
  runAsUser: string;
  idleMinutes: string;
  maxMinutes: string;
  linuxProfile: string;
  windowsProfile: string;
}

export type DocumentParameterKind = 'text' | 'text_list' | 'other';

export interface DocumentParameter {
  name: string;
  kind: DocumentParameterKind;
  description: string;
  default: string[] | null;
  allowedPattern: string;
  allowedValues: string[];
}

export interface DocumentCommand { platform: string; commands: string; elevated: boolean }
export interface DocumentPort { port: string; localPort: string; host: string; kind: string }

export interface DocumentForm {
  description: string;
  sessionType: DocumentSessionType | null;
  inputs: DocumentInputs;
  parameters: DocumentParameter[];
  commands: DocumentCommand[];
  port: DocumentPort;
}

export type DocumentRunAs =
  | { kind: 'agent_user'; name: string }
  | { kind: 'elevated' }
  | { kind: 'named'; otherwise: string | null }
  | { kind: 'nobody' };

export interface DocumentEffects {
  contentCanBeLogged: boolean;
  s3: string | null;
  cloudWatch: string | null;
  streams: boolean;
  sealedWith: string | null;
  runAs: DocumentRunAs;
  idleMinutes: number;
  maxMinutes: number | null;
}

export interface DocumentReading {
  text: string;
  syntax: DocumentSyntax | null;
  form: DocumentForm | null;
  problems: DocumentProblemRow[];
  effects: DocumentEffects | null;
}

export type DocumentEdit =
  | { edit: 'text'; path: string; value: string }
  | { edit: 'flag'; path: string; value: boolean }
  | { edit: 'list'; path: string; value: string[] }
  | { edit: 'remove'; path: string }
  | { edit: 'rename_parameter'; from: string; to: string }
  | { edit: 'format' };

export interface DocumentSave { name: string; text: string; baseHash: string | null; makeDefault: boolean }
export interface DocumentSaved { version: string; defaultVersion: string; isNew: boolean }
export interface DocumentLine { change: 'same' | 'removed' | 'added'; old: number | null; new: number | null; text: string }

export interface PreferencesOutcome { place: DocumentPlace; change: 'created' | 'updated' | 'unchanged' | null; version: string | null; problem: CommandError | null }

export interface DocumentHost {
  documentsList(place: DocumentPlace): Promise<DocumentRow[]>;
  /** At most 50 names. */
  documentsTypes(place: DocumentPlace, names: string[]): Promise<DocumentTypeRow[]>;
  documentOpen(place: DocumentPlace, name: string, version: string | null): Promise<DocumentDetail>;
  documentSave(place: DocumentPlace, save: DocumentSave): Promise<DocumentSaved>;
  documentSetDefault(place: DocumentPlace, name: string, version: string): Promise<void>;
  /** Without a version all of the document. */
  documentDelete(place: DocumentPlace, name: string, version: string | null): Promise<void>;
  /** Saves session preferences in several account-Regions, each by itself. */
  preferencesApply(places: DocumentPlace[], text: string): Promise<PreferencesOutcome[]>;
  documentTemplate(kind: DocumentSessionType): Promise<DocumentReading>;
  documentRead(text: string): Promise<DocumentReading>;
  documentEdit(text: string, edit: DocumentEdit): Promise<DocumentReading>;
  documentCompare(old: string, next: string): Promise<DocumentLine[]>;
}
