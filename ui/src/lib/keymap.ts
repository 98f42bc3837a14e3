/** What a chord of ours asks for. */
export type Command =
  | { do: 'palette' | 'query' | 'find' | 'next_hit' | 'previous_hit' | 'next_tab' | 'previous_tab' | 'close_tab' }
  | { do: 'refresh' | 'new_forward' | 'inspector' | 'rail' | 'shortcuts' | 'quit' | 'leave_terminal' | 'record' | 'next_region' | 'previous_region' }
  | { do: 'copy' | 'paste' | 'zoom_in' | 'zoom_out' | 'zoom_reset' | 'page_up' | 'page_down' | 'scroll_top' | 'scroll_end' }
  | { do: 'tab'; index: number }
  | { do: 'section'; index: number };

/** The part of a keyboard event that decides. */
export interface Chord {
  key: string;
  code: string;
  shift: boolean;
  ctrl: boolean;
  alt: boolean;
  meta: boolean;
}

/** Where the key was pressed. */
export interface Place {
  /** Focus is in a terminal: plain Ctrl chords belong to the node. */
  terminal: boolean;
  /** Focus is in a text field: single characters belong to it. */
  typing: boolean;
  /** The find bar is open: F3 steps through hits. */
  finding: boolean;
  platform: string;
}

export function chordOf(event: KeyboardEvent): Chord {
  return {
    key: event.key,
    code: event.code,
    shift: event.shiftKey,
    ctrl: event.ctrlKey,
    alt: event.altKey,
    meta: event.metaKey,
  };
}

const PLAIN: Record<string, Command> = {
  KeyK: { do: 'palette' },
  KeyF: { do: 'query' },
  KeyW: { do: 'close_tab' },
  KeyI: { do: 'inspector' },
  KeyB: { do: 'rail' },
  KeyQ: { do: 'quit' },
  KeyN: { do: 'new_forward' },
};

const IN_TERMINAL: Record<string, Command> = {
  KeyK: { do: 'palette' },
  KeyF: { do: 'find' },
  KeyW: { do: 'close_tab' },
  KeyI: { do: 'inspector' },
  KeyQ: { do: 'quit' },
  KeyN: { do: 'new_forward' },
  KeyC: { do: 'copy' },
  KeyV: { do: 'paste' },
  KeyR: { do: 'record' },
  Slash: { do: 'shortcuts' },
  F5: { do: 'refresh' },
};

const SCROLL: Record<string, Command> = {
  PageUp: { do: 'page_up' },
  PageDown: { do: 'page_down' },
  Home: { do: 'scroll_top' },
  End: { do: 'scroll_end' },
};

function digit(code: string): number | null {
  const found = /^(?:Digit|Numpad)([1-9])$/.exec(code);
  return found ? Number(found[1]) : null;
}

function zoomOf(chord: Chord): Command | null {
  if (chord.key === '+' || chord.key === '=' || chord.code === 'NumpadAdd') return { do: 'zoom_in' };
  if (chord.key === '-' || chord.code === 'NumpadSubtract') return { do: 'zoom_out' };
  if (chord.key === '0' || chord.code === 'Numpad0') return { do: 'zoom_reset' };
  return null;
}

/** The chord's command for this place, or null when the key belongs to what has focus. */
export function commandFor(chord: Chord, place: Place): Command | null {
  const mac = place.platform === 'macos';
  const { terminal, typing } = place;

  if (chord.ctrl && chord.key === 'Tab') return { do: chord.shift ? 'previous_tab' : 'next_tab' };
  if (chord.key === 'F6' && !terminal && !chord.ctrl && !chord.alt) return { do: chord.shift ? 'previous_region' : 'next_region' };
  if (chord.key === 'F3' && place.finding && !chord.ctrl && !chord.alt) return { do: chord.shift ? 'previous_hit' : 'next_hit' };
  if (terminal && chord.shift && !chord.ctrl && !chord.alt && !chord.meta) return SCROLL[chord.key] ?? null;
  if (mac && chord.meta && !chord.ctrl && !chord.alt) return forMac(chord, place);

  const leave = place.platform === 'windows' ? 'Space' : 'Escape';
  if (terminal && chord.ctrl && chord.shift && chord.code === leave) return { do: 'leave_terminal' };

  if (!terminal && !chord.ctrl && !chord.meta && !chord.alt) {
    if (chord.key === 'F5') return { do: 'refresh' };
    if (chord.key === 'F1') return { do: 'shortcuts' };
    if (!typing && chord.key === '/') return { do: 'query' };
    if (!typing && chord.key === '?') return { do: 'shortcuts' };
    return null;
  }
  const index = digit(chord.code);
  if (chord.alt && !chord.ctrl && !chord.meta && chord.shift === terminal && index !== null) return { do: 'section', index };
  if (!chord.ctrl || chord.alt || chord.meta) return null;

  // Zoom is ours in both places: no program can read Ctrl with + or - from a terminal.
  const zoom = zoomOf(chord);
  if (zoom && !(terminal && chord.shift && zoom.do !== 'zoom_in')) return zoom;
  if (chord.shift !== terminal) return null;
  if (index !== null) return { do: 'tab', index };
  return (terminal ? IN_TERMINAL : PLAIN)[chord.code] ?? null;
}

function forMac(chord: Chord, place: Place): Command | null {
  const zoom = zoomOf(chord);
  if (zoom) return zoom;
  const index = digit(chord.code);
  if (index !== null && !chord.shift) return { do: 'tab', index };
  if (place.terminal && SCROLL[chord.key] && chord.key.length < 5) return SCROLL[chord.key] ?? null;
  switch (chord.code) {
    case 'KeyF': return { do: place.terminal ? 'find' : 'query' };
    case 'KeyG': return place.finding ? { do: chord.shift ? 'previous_hit' : 'next_hit' } : null;
    case 'KeyR': return { do: place.terminal && chord.shift ? 'record' : 'refresh' };
    case 'KeyC': return place.terminal ? { do: 'copy' } : null;
    case 'KeyV': return place.terminal ? { do: 'paste' } : null;
    case 'Slash': return { do: 'shortcuts' };
    case 'Escape': return place.terminal ? { do: 'leave_terminal' } : null;
    default: return chord.shift ? null : (PLAIN[chord.code] ?? null);
  }
}

/** A chord as it is printed on a keycap for this platform. */
export function keycap(platform: string, win: string, mac: string): string {
  return platform === 'macos' ? mac : win;
}
