import { plural } from '../forms';
import type { Messages } from '../en';

const loc = 'de';

/** Die Wörter der Aufnahmen. */
export const recordings: Messages['recordings'] = {
  title: 'Aufnahmen',
  lead: 'Auf diesem Computer versiegelt. Nichts wird versandt.',
  count: (count: number) => plural(loc, count, { one: '# Aufnahme', other: '# Aufnahmen' }),
  start: 'Diese Shell aufnehmen',
  stop: 'Aufnahme beenden',
  mark: 'Aufnahme hier',
  marked: (since: string) => `Ausgabe wird seit ${since} aufgenommen. Klicken beendet.`,
  markedInput: (since: string) => `Ausgabe und gezeigte Eingabe werden seit ${since} aufgenommen. Klicken beendet.`,
  recorded: 'wird aufgenommen',
  begun: 'Die Aufnahme läuft',
  ended: 'Die Aufnahme ist beendet',
  columns: { node: 'Knoten', began: 'Beginn', length: 'Länge', size: 'Größe', place: 'Quelle · Region', session: 'Sitzung' },
  unreadable: 'Lässt sich nicht öffnen: ihr Schlüssel ist weg',
  input: 'mit Eingabe',
  play: 'Abspielen',
  export: 'Exportieren …',
  exportTitle: 'Im Klartext exportieren?',
  exportText: 'Die .cast-Datei ist nicht versiegelt: wer sie liest, sieht alles, was der Knoten ausgegeben hat, auch Geheimnisse.',
  exportButton: 'Exportieren',
  exported: (path: string) => `Geschrieben nach ${path}`,
  remove: 'Löschen …',
  removeTitle: 'Diese Aufnahme löschen?',
  removeText: 'Sie lässt sich nicht zurückholen.',
  removeButton: 'Löschen',
  empty: 'Keine Aufnahmen',
  emptyCause: 'Nehmen Sie eine Shell über ihr Menü oder mit Strg Umschalt R auf. Aufbewahrt wird, was der Knoten ausgibt, nie, was unsichtbar getippt wird.',
  row: (node: string, began: string, length: string) => `${node}, ${began}, ${length}`,
  kib: (size: string) => `${size} KiB`,
  section: 'Aufnahmen',
  inputLabel: 'Auch Eingabe aufnehmen',
  inputHint: 'Nur, was der Knoten beim Tippen zeigt. Passwörter an stummen Abfragen werden nie aufgenommen.',
  sizeLabel: 'Größte Aufnahme',
  sizeHint: 'In MiB, 1 bis 1.000. Eine größere Aufnahme endet.',
  daysLabel: 'Aufnahmen aufbewahren',
  daysHint: 'In Tagen, 1 bis 3.650. Ältere werden gelöscht, wenn eine neue beginnt.',
  key: 'Shell aufnehmen oder damit aufhören',
};
