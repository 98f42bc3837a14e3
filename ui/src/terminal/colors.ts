import { Attr, type CellStyle, type PackedColor } from './frame';

/** `0xRRGGBB`. */
export type Rgb = number;

export interface TerminalTheme {
  fg: Rgb;
  bg: Rgb;
  dim: Rgb;
  cursor: Rgb;
  cursorText: Rgb;
  selection: Rgb;
  link: Rgb;
  hit: Rgb;
  hitNow: Rgb;
  hitNowText: Rgb;
  /** 256 colours: 16 of the theme, then the standard cube and greys. */
  palette: readonly Rgb[];
}

/** Colours of a run as painted. */
export interface RunColors {
  fg: Rgb;
  /** Null: the default background shows. */
  bg: Rgb | null;
  underline: Rgb;
}

/** Least contrast of text against its cell. */
const READABLE = 3;

export function parseHex(text: string): Rgb {
  const found = /^#([0-9a-f]{6})$/iu.exec(text.trim());
  return found ? Number.parseInt(found[1] ?? '0', 16) : 0;
}

export function css(color: Rgb): string {
  return `#${color.toString(16).padStart(6, '0')}`;
}

/** Builds a theme from the design tokens, read by name. */
export function themeFrom(token: (name: string) => string): TerminalTheme {
  const of = (name: string) => parseHex(token(name));
  const levels = [0, 95, 135, 175, 215, 255];
  const palette: Rgb[] = Array.from({ length: 16 }, (_, i) => of(`--t-${i}`));
  for (let i = 0; i < 216; i += 1) {
    const [r, g, b] = [levels[Math.floor(i / 36)], levels[Math.floor(i / 6) % 6], levels[i % 6]];
    palette.push(((r ?? 0) << 16) | ((g ?? 0) << 8) | (b ?? 0));
  }
  for (let i = 0; i < 24; i += 1) palette.push((8 + i * 10) * 0x010101);
  return {
    fg: of('--t-fg'), bg: of('--t-bg'), dim: of('--t-dim'), cursor: of('--t-cursor'), cursorText: of('--t-cursor-text'),
    selection: of('--t-sel'), link: of('--t-link'), hit: of('--t-hit'), hitNow: of('--t-hit-now'), hitNowText: of('--t-hit-now-text'),
    palette,
  };
}

/** WCAG relative luminance. */
export function luminance(color: Rgb): number {
  const channel = (value: number) => {
    const c = value / 255;
    return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
  };
  return 0.2126 * channel((color >> 16) & 255) + 0.7152 * channel((color >> 8) & 255) + 0.0722 * channel(color & 255);
}

export function contrast(a: Rgb, b: Rgb): number {
  const [x, y] = [luminance(a), luminance(b)];
  return (Math.max(x, y) + 0.05) / (Math.min(x, y) + 0.05);
}

/** `share` of `to`, the rest of `from`. */
export function mix(from: Rgb, to: Rgb, share: number): Rgb {
  const channel = (shift: number) => Math.round(((from >> shift) & 255) * (1 - share) + ((to >> shift) & 255) * share) << shift;
  return channel(16) | channel(8) | channel(0);
}

/** Moves `fg` in lightness until it can be read on `bg`. */
export function readable(fg: Rgb, bg: Rgb): Rgb {
  if (contrast(fg, bg) >= READABLE) return fg;
  const target = luminance(bg) < 0.18 ? 0xffffff : 0x000000;
  for (let share = 0.1; share < 1; share += 0.1) {
    const moved = mix(fg, target, share);
    if (contrast(moved, bg) >= READABLE) return moved;
  }
  return target;
}

function unpack(color: PackedColor, fallback: Rgb, theme: TerminalTheme): Rgb {
  const kind = color >>> 24;
  if (kind === 1) return theme.palette[color & 255] ?? fallback;
  return kind === 2 ? color & 0xffffff : fallback;
}

/** Resolves a style: dim, then inverse, then the least contrast. */
export function colorsOf(style: CellStyle, theme: TerminalTheme): RunColors {
  const { attrs } = style;
  let fg = unpack(style.fg, theme.fg, theme);
  let bg: Rgb | null = style.bg >>> 24 === 0 ? null : unpack(style.bg, theme.bg, theme);
  if (attrs & Attr.dim) fg = style.fg >>> 24 === 0 && bg === null ? theme.dim : readable(mix(fg, bg ?? theme.bg, 0.5), bg ?? theme.bg);
  if (attrs & Attr.inverse) [fg, bg] = [bg ?? theme.bg, fg];
  else fg = readable(fg, bg ?? theme.bg);
  return { fg, bg, underline: style.underline >>> 24 === 0 ? fg : unpack(style.underline, fg, theme) };
}
