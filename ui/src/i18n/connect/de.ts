import { number } from '../forms';
import type { ConnectMessages } from './en';

const n = (count: number) => number('de', count);

export const connect: ConnectMessages = {
  menu: 'Mit einem Dokument verbinden…',
  title: (node) => `Mit ${node} verbinden`,
  document: 'Dokument',
  place: (place) => `In ${place}`,
  plain: 'Einfache Shell nach den Sitzungseinstellungen',
  groups: { mine: 'Eigene', shared: 'Mit dir geteilt', aws: 'Von AWS' },
  notHere: 'nicht für Tabs',
  loading: 'Das Dokument wird gelesen',
  required: 'erforderlich',
  oneOf: (count) => `eines von ${n(count)}`,
  pattern: (pattern) => `Muster ${pattern}`,
  defaultIs: (value) => `Standard ${value}`,
  list: 'mehrere, durch Kommas getrennt',
  reason: 'Grund',
  reasonHint: (count) => `steht im Sitzungsprotokoll von AWS, ${n(count)} von 256`,
  does: 'Was es mit der Sitzung macht',
  preferencesUnset: 'Hier sind keine Sitzungseinstellungen gespeichert; es gilt der AWS-Standard.',
  commandLine: 'Als Befehlszeile',
  lines: { aws: 'AWS CLI', fleetline: 'fleetline' },
  start: 'Sitzung starten',
  strip: {
    sealed: (key) => `Verschlüsselt mit ${key}`,
    recorded: (where) => `Aufgezeichnet in ${where}`,
    notRecorded: 'nicht aufgezeichnet',
    idle: (left) => `Leerlauf endet in ${left}`,
    longest: (left) => `endet in ${left}`,
    paused: 'Leerlaufzeit angehalten',
    soonIdle: (node, left) => `Die Sitzung auf ${node} endet in ${left}, weil in ihr nichts geschieht.`,
    soonLongest: (node, left) => `Die Sitzung auf ${node} erreicht in ${left} ihre längste Dauer und endet.`,
  },
};
