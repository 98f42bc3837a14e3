import type { KeyPress, PasteOutcome, ScrollTo, SearchRequest, SearchState, SelectionInput, TerminalSize } from '../types';

interface Style { fg: number; bg: number; attrs: number }
interface Run { text: string; style: Style; wide?: boolean }
type Line = Run[];

const indexed = (i: number) => (1 << 24) | i;
const rgb = (value: number) => (2 << 24) | value;
const style = (fg = 0, bg = 0, attrs = 0): Style => ({ fg, bg, attrs });
const PLAIN = style();

interface Hooks { exit: () => void; drop: () => void; ring: () => void }

/** Cells a code point takes, roughly. */
function width(text: string): number {
  return [...text].reduce((sum, c) => sum + ((c.codePointAt(0) ?? 0) > 0x2e80 ? 2 : 1), 0);
}

/** A toy shell that sends real frames: enough to look at the painter, not a terminal. */
export class FakeTerminal {
  #size: TerminalSize = { cols: 80, rows: 24 };
  #lines: Line[] = [];
  #input = '';
  #offset = 0;
  #seq = 0;
  #send: ((frame: ArrayBuffer) => void) | null = null;
  #credit = false;
  #dirty = false;
  #selection: { row: number; start: number; end: number }[] = [];
  #anchor: { col: number; row: number } | null = null;
  #needle = '';
  #now = 0;

  constructor(readonly node: string, readonly hooks: Hooks) {
    this.#print([{ text: 'Starting session with SessionId: mika.sato-0b8e1f2a', style: style(indexed(8)) }]);
    for (const line of LOG) this.#log(line);
  }

  attach(send: (frame: ArrayBuffer) => void): void {
    this.#send = send;
    this.#credit = true;
    this.#flush();
  }

  detach(): void {
    this.#send = null;
  }

  ack(seq: number): void {
    if (seq !== this.#seq) return;
    this.#credit = true;
    if (this.#dirty) this.#flush();
  }

  resize(size: TerminalSize): void {
    this.#size = size;
    this.#flush();
  }

  text(text: string): void {
    this.#input += text;
    this.#flush();
  }

  key(key: KeyPress): boolean {
    if (key.key === 'Enter') this.#run();
    else if (key.key === 'Backspace') this.#input = [...this.#input].slice(0, -1).join('');
    else if (key.modifiers.ctrl && key.key === 'c') {
      this.#print([...this.#prompt(), { text: `${this.#input}^C`, style: PLAIN }]);
      this.#input = '';
    } else if (key.modifiers.ctrl && key.key === 'l') this.#lines = [];
    else if ([...key.key].length === 1 && !key.modifiers.ctrl) this.#input += key.key;
    else return false;
    this.#offset = 0;
    this.#flush();
    return true;
  }

  paste(text: string, confirmed: boolean): PasteOutcome {
    const lines = text.split('\n').length;
    if (lines > 1 && !confirmed) return { outcome: 'needs_confirmation', lines, preview: text.replaceAll('\n', '␍\n'), reason: 'The shell has not asked for bracketed paste, so each line would run at once.' };
    this.#input += text.replaceAll('\n', ' ');
    this.#flush();
    return { outcome: 'sent' };
  }

  scroll(to: ScrollTo): void {
    const most = Math.max(0, this.#lines.length + 1 - this.#size.rows);
    const by = to.to === 'lines' ? to.lines : to.to === 'pages' ? to.pages * this.#size.rows : to.to === 'top' ? most : -most;
    this.#offset = Math.min(most, Math.max(0, this.#offset + by));
    this.#flush();
  }

  select(input: SelectionInput): void {
    if (input.step === 'clear') {
      this.#selection = [];
      this.#anchor = null;
    } else if (input.step === 'start') {
      this.#anchor = input;
      this.#selection = input.kind === 'line' ? [{ row: input.row, start: 0, end: this.#size.cols }] : input.kind === 'word' ? [{ row: input.row, start: Math.max(0, input.col - 3), end: Math.min(this.#size.cols, input.col + 4) }] : [];
    } else if (input.step === 'update' && this.#anchor) {
      const [a, b] = [this.#anchor, input].sort((x, y) => x.row - y.row || x.col - y.col);
      this.#selection = [];
      if (a && b) for (let row = a.row; row <= b.row; row += 1) this.#selection.push({ row, start: row === a.row ? a.col : 0, end: row === b.row ? b.col : this.#size.cols });
    }
    this.#flush();
  }

  copy(): string {
    return this.#selection.map(({ row, start, end }) => (this.mirror()[row] ?? '').slice(start, end)).join('\n');
  }

  search(request: SearchRequest): SearchState {
    const total = this.#lines.filter((line) => text(line).includes(request.text)).length;
    this.#now = request.text === this.#needle ? (this.#now + (request.forward ? 1 : total - 1)) % Math.max(1, total) : 0;
    this.#needle = request.text;
    this.#flush();
    return { current: total === 0 || request.text === '' ? 0 : this.#now + 1, total: request.text === '' ? 0 : total, more: false, error: null };
  }

  mirror(): string[] {
    return this.#visible().map(text);
  }

  #prompt(): Line {
    return [
      { text: `ssm-user@${this.node}`, style: style(indexed(2)) }, { text: ':', style: PLAIN }, { text: '~', style: style(indexed(4)) }, { text: '$ ', style: PLAIN },
    ];
  }

  #log([time, unit, pid, words, color]: (typeof LOG)[number]): void {
    this.#print([
      { text: `${time} `, style: style(0, 0, 2) }, { text: `${this.node} `, style: PLAIN }, { text: unit, style: style(indexed(6)) },
      { text: `[${pid}]: `, style: style(0, 0, 2) }, { text: words, style: style(color === undefined ? 0 : indexed(color)) },
    ]);
  }

  #print(line: Line): void {
    this.#lines.push(line);
    if (this.#lines.length > 5000) this.#lines.splice(0, 1000);
  }

  #run(): void {
    const command = this.#input.trim();
    this.#print([...this.#prompt(), { text: this.#input, style: PLAIN }]);
    this.#input = '';
    if (command === 'exit') this.hooks.exit();
    else if (command === 'drop') this.hooks.drop();
    else if (command === 'colors') for (const line of palette()) this.#print(line);
    else if (command === 'box') for (const line of BOX) this.#print([{ text: line, style: PLAIN }]);
    else if (command === 'styles') for (const line of styles()) this.#print(line);
    else if (command.startsWith('seq ')) for (let i = 1; i <= Number(command.slice(4)); i += 1) this.#print([{ text: String(i), style: PLAIN }]);
    else if (command.startsWith('echo ')) this.#print([{ text: command.slice(5), style: PLAIN }]);
    else if (command !== '') this.#print([{ text: `bash: ${command}: command not found`, style: PLAIN }]);
  }

  #visible(): Line[] {
    const all = [...this.#lines, [...this.#prompt(), { text: this.#input, style: PLAIN }]];
    const end = all.length - this.#offset;
    return all.slice(Math.max(0, end - this.#size.rows), end);
  }

  #flush(): void {
    if (!this.#send || !this.#credit) {
      this.#dirty = true;
      return;
    }
    this.#dirty = false;
    this.#credit = false;
    this.#seq += 1;
    this.#send(this.#encode());
  }

  #encode(): ArrayBuffer {
    const { cols, rows } = this.#size;
    const bytes: number[] = [];
    const u16 = (value: number) => bytes.push(value & 255, value >> 8);
    const u32 = (value: number) => bytes.push(value & 255, (value >>> 8) & 255, (value >>> 16) & 255, value >>> 24);
    const table: Style[] = [];
    const idOf = (wanted: Style) => {
      const at = table.findIndex((one) => one.fg === wanted.fg && one.bg === wanted.bg && one.attrs === wanted.attrs);
      return at >= 0 ? at : table.push(wanted) - 1;
    };
    const visible = this.#visible();
    const cut = visible.map((line) => spans(line, cols));
    cut.flat().forEach((span) => idOf(span.style));
    table.forEach((one) => {
      u32(one.fg);
      u32(one.bg);
      u32(0);
      u16(one.attrs);
      u16(0);
    });
    cut.forEach((line, row) => {
      u16(row);
      u16(line.length);
      for (const span of line) {
        const utf8 = new TextEncoder().encode(span.text);
        u16(span.col);
        u16(span.cells);
        u16(idOf(span.style));
        u16(utf8.length);
        bytes.push(...utf8);
      }
    });
    const overlays = [...this.#selection.filter((one) => one.row < rows).map((one) => ({ ...one, kind: 0 })), ...this.#hits(visible)];
    for (const one of overlays) {
      u16(one.row);
      u16(one.start);
      u16(Math.min(cols, one.end));
      u16(one.kind);
    }
    const frame = new Uint8Array(40 + bytes.length);
    const head = new DataView(frame.buffer);
    const prompt = visible.at(-1) ?? [];
    head.setUint8(0, 1);
    head.setUint8(1, 1 | (this.#offset === 0 ? 4 : 16));
    head.setUint16(2, cols, true);
    head.setUint16(4, rows, true);
    head.setUint16(6, Math.min(cols - 1, width(text(prompt))), true);
    head.setUint16(8, Math.max(0, visible.length - 1), true);
    head.setUint8(11, 1);
    head.setUint32(12, this.#seq, true);
    head.setUint32(16, this.#offset, true);
    head.setUint32(20, Math.max(0, this.#lines.length + 1 - rows), true);
    head.setUint16(28, table.length, true);
    head.setUint16(30, visible.length, true);
    head.setUint16(32, overlays.length, true);
    head.setUint32(36, bytes.length, true);
    frame.set(bytes, 40);
    return frame.buffer;
  }

  #hits(visible: Line[]): { row: number; start: number; end: number; kind: number }[] {
    if (this.#needle === '') return [];
    return visible.flatMap((line, row) => {
      const start = text(line).indexOf(this.#needle);
      return start < 0 ? [] : [{ row, start, end: start + this.#needle.length, kind: row === this.#now ? 2 : 1 }];
    });
  }
}

function text(line: Line): string {
  return line.map((run) => run.text).join('');
}

/** Splits runs where the width of their characters changes, as the real encoder does. */
function spans(line: Line, cols: number): { col: number; cells: number; style: Style; text: string }[] {
  const out: { col: number; cells: number; style: Style; text: string }[] = [];
  let col = 0;
  for (const run of line) {
    for (const part of run.text.match(/[\u2e80-\uffff\u{1f000}-\u{1ffff}]+|[^\u2e80-\uffff\u{1f000}-\u{1ffff}]+/gu) ?? []) {
      const wide = width(part) > [...part].length;
      const room = Math.floor((cols - col) / (wide ? 2 : 1));
      const kept = [...part].slice(0, Math.max(0, room)).join('');
      if (kept === '') continue;
      const cells = width(kept);
      out.push({ col, cells, style: { ...run.style, attrs: run.style.attrs | (wide ? 1024 : 0) }, text: kept });
      col += cells;
    }
  }
  return out;
}

const LOG: [string, string, string, string, number?][] = [
  ['Nov 21 14:27:38', 'systemd', '1', 'Stopped ledger-api.service.'],
  ['Nov 21 14:27:40', 'systemd', '1', 'Started ledger-api.service.', 2],
  ['Nov 21 14:27:41', 'ledger-api', '4127', 'listening on 0.0.0.0:8443 (tls1.3)'],
  ['Nov 21 14:28:03', 'ledger-api', '4127', 'POST /v2/transfers 201 18ms req=8f1c'],
  ['Nov 21 14:28:09', 'ledger-api', '4127', 'WARN  fx-rates: read timeout after 2000ms', 3],
  ['Nov 21 14:29:06', 'ledger-rec', '5210', '取引先「東京海上」 3 件の差額を検出'],
  ['Nov 21 14:29:26', 'ledger-api', '4127', 'ERROR fx-rates: connect timeout after 5000ms', 1],
  ['Nov 21 14:30:26', 'ledger-api', '4127', 'circuit fx-rates: half-open -> closed', 2],
];

const BOX = ['┌──────┬──────┐  ╔══╦══╗  ╭────╮  ▁▂▃▄▅▆▇█', '│ cell │ cell │  ║  ║  ║  │    │  ▏▎▍▌▋▊▉█', '├──────┼──────┤  ╠══╬══╣  ╰────╯  ░▒▓█▀▄▌▐', '└──────┴──────┘  ╚══╩══╝  ┏━━┳━━┓  ⠁⠃⠇⡇⣇⣧⣷⣿ ▖▗▘▝▚▞', '─━│┃┄┅┈┉ ╱╲╳  '];

function palette(): Line[] {
  const row = (from: number) => Array.from({ length: 8 }, (_, i): Run => ({ text: ` ${String(from + i).padStart(2)} `, style: style(indexed(from + i)) }));
  const blocks = (from: number) => Array.from({ length: 8 }, (_, i): Run => ({ text: '    ', style: style(0, indexed(from + i)) }));
  const truecolor = Array.from({ length: 64 }, (_, i): Run => ({ text: ' ', style: style(0, rgb(((255 - i * 4) << 16) | ((i * 4) << 8) | 128)) }));
  return [row(0), row(8), blocks(0), blocks(8), Array.from({ length: 36 }, (_, i): Run => ({ text: '  ', style: style(0, indexed(16 + i * 6)) })), truecolor];
}

function styles(): Line[] {
  const names: [string, number][] = [['bold', 1], ['dim', 2], ['italic', 4], ['inverse', 8], ['strike', 32], ['underline', 64], ['double', 128], ['curly', 192], ['dotted', 256], ['dashed', 320], ['link', 512]];
  return [names.flatMap(([name, attrs]): Line => [{ text: name, style: style(0, 0, attrs) }, { text: ' ', style: PLAIN }])];
}
