import { plural } from '../forms';
import type { Messages } from '../en';

const loc = 'de';

/** Die Wörter dafür, wo Geheimnisse aufbewahrt werden. */
export const secrets: Messages['secrets'] = {
  section: 'Geheimnisse',
  keep: 'Geheimnisse versiegeln durch',
  keepHint: 'Sitzungen, die ein MFA-Code geöffnet hat, und der Schlüssel der Aufnahmen. Nie Ihre AWS-Schlüssel.',
  kept: { keyring: 'Schlüsselbund', passphrase: 'Passphrasendatei', memory: 'Nichts' },
  file: 'Passphrasendatei',
  fileHint: 'Ihr voller Pfad. Nur für Sie lesbar, mit 8 Zeichen oder mehr.',
  looking: 'Der Schlüsselbund wird gefragt …',
  ready: {
    keyring: 'Auf der Platte versiegelt, mit einem Schlüssel im Schlüsselbund dieses Systems.',
    passphrase: 'Auf der Platte versiegelt, mit einem Schlüssel aus Ihrer Passphrase.',
    memory: 'Nur im Speicher; sie enden mit Fleetline.',
  },
  held: (sessions: number) => plural(loc, sessions, { one: '# MFA-Sitzung wird aufbewahrt.', other: '# MFA-Sitzungen werden aufbewahrt.' }),
  until: 'Nur im Speicher, bis dies behoben ist.',
  locked: 'Der Schlüsselbund ist gesperrt.',
  hanging: 'Der Schlüsselbund antwortet seit 5 Sekunden nicht.',
  hangingHint: 'Starten Sie ihn neu oder wählen Sie eine Passphrasendatei.',
  absent: {
    keyring: 'In dieser Sitzung gibt es keinen Schlüsselbund.',
    collection: 'Im Schlüsselbund gibt es noch keine Sammlung.',
    consent: 'Der Schlüsselbund hat abgelehnt.',
    passphrase_file: 'Es ist keine Passphrasendatei genannt.',
    passphrase_readable: 'Die Passphrasendatei ist nicht lesbar.',
    passphrase_private: 'Andere können die Passphrasendatei lesen.',
    passphrase_fit: 'Die Passphrase ist zu kurz oder zu lang.',
  },
  absentHint: {
    keyring: 'Starten Sie einen oder wählen Sie eine Passphrasendatei.',
    collection: 'Legen Sie im Passwortprogramm Ihres Desktops einen Standardschlüsselbund an oder wählen Sie eine Passphrasendatei.',
    consent: 'Versuchen Sie es erneut oder wählen Sie eine Passphrasendatei.',
    passphrase_file: 'Nennen Sie unten eine.',
    passphrase_readable: 'Legen Sie sie an oder nennen Sie eine andere.',
    passphrase_private: 'Machen Sie sie privat: chmod 600.',
    passphrase_fit: 'Sie hat 8 bis 1024 Zeichen.',
  },
  damaged: {
    form: 'Die Datei der Geheimnisse ist beschädigt oder von einer anderen Version.',
    key_gone: 'Der Schlüsselbund hat den Schlüssel der Datei nicht mehr.',
    does_not_open: 'Die Datei der Geheimnisse öffnet sich nicht mit diesem Schlüssel oder dieser Passphrase.',
  },
  damagedHint: 'Sie bleibt, wie sie ist. Ein Neubeginn bewahrt sie unter anderem Namen auf.',
  unusable: 'Die Datei der Geheimnisse ist nicht verwendbar.',
  unlock: 'Entsperren …',
  again: 'Erneut versuchen',
  anew: 'Neu beginnen',
  forget: 'Alle vergessen',
  forgetTitle: 'Alle Geheimnisse vergessen?',
  forgetText: 'MFA-Codes werden wieder erfragt, und bisherige Aufnahmen lassen sich nicht mehr abspielen.',
  forgotten: 'Alle Geheimnisse sind vergessen',
};
