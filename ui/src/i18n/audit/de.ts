import { number, plural } from '../forms';
import type { AuditMessages } from './en';

const loc = 'de';
const n = (count: number) => number(loc, count);
const minutes = (count: number) => plural(loc, count, { one: '# Minute', other: '# Minuten' });

export const audit: AuditMessages = {
  title: 'Prüfbereitschaft',
  goTo: 'Prüfbereitschaft',
  read: 'Neu lesen',
  reading: (left, all) => `${n(all - left)} von ${n(all)} Konto-Regionen gelesen`,
  show: { all: 'Alle Befunde', gaps: 'Anzusehen' },
  showLabel: 'Welche Befunde',
  summary: (gaps, looks, unknown) => `${plural(loc, gaps, { one: '# Lücke', other: '# Lücken' })}, ${n(looks)} zu entscheiden, ${n(unknown)} nicht bekannt`,
  note: 'Wer was starten darf, entscheiden IAM-Richtlinien, die hier nicht gelesen werden. Jeder Befund nennt, woraus er gelesen wurde.',
  columns: { topic: 'Was', fact: 'Befund', evidence: 'Gelesen aus', setting: 'Zu ändern in' },
  verdict: { good: 'Gut', attention: 'Zu entscheiden', gap: 'Lücke', unknown: 'Nicht bekannt' },
  topic: {
    s3_log: 'Protokoll in S3', cloud_watch_log: 'Protokoll in CloudWatch Logs', sealing: 'Verschlüsselung mit KMS-Schlüssel', run_as: 'Benutzer auf dem Knoten', idle_limit: 'Ende ohne Aktivität',
    longest_limit: 'Höchstdauer', port_content: 'SSH und Ports', other_documents: 'Andere Dokumente', sharing: 'Geteilte Dokumente', permissions: 'Wer was starten darf', cloud_trail: 'CloudTrail',
  },
  fact: {
    s3: (place, encrypted) => (encrypted ? `Protokolle gehen nach ${place}, das verschlüsselt sein muss.` : `Protokolle gehen nach ${place}; Verschlüsselung wird nicht verlangt.`),
    cloudWatch: (group, streams, encrypted) => `Protokolle gehen ${streams ? 'während der Sitzung' : 'am Ende der Sitzung'} nach ${group}; ${encrypted ? 'die Gruppe muss verschlüsselt sein.' : 'Verschlüsselung wird nicht verlangt.'}`,
    notHere: 'Nicht verwendet; Protokolle gehen an den anderen Ort.',
    notRecorded: 'Shells werden nirgends aufgezeichnet.',
    sealed: (key) => `Sitzungen werden zusätzlich zu TLS mit ${key} verschlüsselt.`,
    notSealed: 'Sitzungen werden nur durch TLS verschlüsselt.',
    agentUser: 'Shells laufen als Benutzer des Agenten, der root werden kann.',
    namedUser: (user) => (user === null ? 'Shells laufen als der Benutzer, den das Tag des Aufrufers nennt; ohne Tag werden sie abgelehnt.' : `Shells laufen als der Benutzer, den das Tag des Aufrufers nennt, sonst als ${user}.`),
    idle: (count, set) => (set ? `Sitzungen enden nach ${minutes(count)} ohne Aktivität.` : `Sitzungen enden nach ${minutes(count)} ohne Aktivität, nach der Voreinstellung von AWS.`),
    longest: (count) => `Sitzungen enden nach ${minutes(count)}.`,
    noLongest: 'Sitzungen, die benutzt werden, enden nie von selbst.',
    portsUnseen: 'AWS protokolliert nie, was durch SSH- und Port-Sitzungen geht; begrenzen lässt sich nur, wer sie starten darf.',
    unrecorded: (names) => `Sitzungen dieser Dokumente hinterlassen kein Protokoll: ${names}.`,
    allRecorded: 'Kein anderes Dokument hier lässt seine Sitzungen ohne Protokoll.',
    sharedHere: (names) => `Dokumente anderer Konten sind hier verwendbar: ${names}.`,
    noneShared: 'Kein Dokument eines anderen Kontos ist hier verwendbar.',
    policiesTell: 'Richtlinien entscheiden; suchen Sie nach ssm:StartSession mit ssm:SessionDocumentAccessCheck.',
    trailLogging: (names) => `Aufrufe bewahrt der Trail ${names} auf.`,
    trailStopped: (names) => `Der Trail ${names} ist angehalten; CloudTrail behält 90 Tage.`,
    noTrail: 'Es gibt keinen Trail; CloudTrail behält 90 Tage.',
    unknown: 'Nicht bekannt.',
  },
  setting: { preference: (path) => `Einstellungen, ${path}`, documents: 'Diese Dokumente', policies: 'IAM-Richtlinien', trail: 'Trail des Kontos' },
  openPreferences: 'Einstellungen öffnen',
  openDocuments: 'Dokumente öffnen',
  empty: 'Keine Konto-Regionen im Umfang',
  row: (topic, verdict, fact) => `${topic}: ${verdict}. ${fact}`,
};
