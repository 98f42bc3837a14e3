import { describe, expect, it } from 'vitest';

import { commandFor, type Chord, type Place } from '../src/lib/keymap';
import { routeKey, WheelLines, type KeyLike } from '../src/terminal/input';

function chord(text: string): Chord {
  const parts = text.split(' ');
  const key = parts.at(-1) ?? '';
  const code = /^[a-z]$/i.test(key) ? `Key${key.toUpperCase()}` : /^[0-9]$/.test(key) ? `Digit${key}` : ({ '/': 'Slash', '?': 'Slash' }[key] ?? key);
  return { key, code, shift: parts.includes('Shift'), ctrl: parts.includes('Ctrl'), alt: parts.includes('Alt'), meta: parts.includes('Cmd') };
}
const window_: Place = { terminal: false, typing: false, finding: false, platform: 'linux' };
const terminal: Place = { terminal: true, typing: true, finding: false, platform: 'linux' };
const at = (text: string, place: Place) => commandFor(chord(text), place)?.do ?? null;

describe('chords in the window', () => {
  it.each([
    ['Ctrl K', 'palette'], ['/', 'query'], ['Ctrl f', 'query'], ['F5', 'refresh'], ['Ctrl b', 'rail'], ['Ctrl i', 'inspector'], ['?', 'shortcuts'],
    ['F1', 'shortcuts'], ['Ctrl Tab', 'next_tab'], ['Ctrl Shift Tab', 'previous_tab'], ['Ctrl w', 'close_tab'], ['Ctrl 3', 'tab'], ['Alt 1', 'section'],
    ['Ctrl q', 'quit'], ['F6', 'next_region'], ['Shift F6', 'previous_region'], ['Ctrl +', 'zoom_in'], ['Ctrl -', 'zoom_out'], ['Ctrl 0', 'zoom_reset'],
  ])('%s asks for %s', (text, command) => expect(at(text, window_)).toBe(command));

  it('leaves single characters to a text field', () => {
    expect(at('/', { ...window_, typing: true })).toBeNull();
    expect(at('?', { ...window_, typing: true })).toBeNull();
    expect(at('Ctrl K', { ...window_, typing: true })).toBe('palette');
  });
});

describe('chords in a terminal', () => {
  it.each(['Ctrl k', 'Ctrl c', 'Ctrl w', 'Ctrl f', 'Ctrl r', 'Ctrl b', 'Ctrl i', 'F5', 'F1', 'F6', '/', '?', 'Alt 1', 'Ctrl 3', 'PageUp', 'F3'])('%s goes to the node', (text) => {
    expect(at(text, terminal)).toBeNull();
  });

  it.each([
    ['Ctrl Shift K', 'palette'], ['Ctrl Shift F', 'find'], ['Ctrl Shift C', 'copy'], ['Ctrl Shift V', 'paste'], ['Ctrl Shift W', 'close_tab'],
    ['Shift PageUp', 'page_up'], ['Shift PageDown', 'page_down'], ['Shift Home', 'scroll_top'], ['Shift End', 'scroll_end'], ['Ctrl Shift Escape', 'leave_terminal'],
    ['Ctrl Shift F5', 'refresh'], ['Ctrl Tab', 'next_tab'], ['Ctrl -', 'zoom_out'], ['Ctrl Shift 2', 'tab'], ['Alt Shift 1', 'section'],
  ])('%s asks for %s', (text, command) => expect(at(text, terminal)).toBe(command));

  it('steps through hits only while the find bar is open', () => {
    expect(at('F3', { ...terminal, finding: true })).toBe('next_hit');
    expect(at('Shift F3', { ...terminal, finding: true })).toBe('previous_hit');
  });

  it('leaves the task manager alone on Windows', () => {
    expect(at('Ctrl Shift Escape', { ...terminal, platform: 'windows' })).toBeNull();
    expect(at('Ctrl Shift Space', { ...terminal, platform: 'windows' })).toBe('leave_terminal');
  });

  it('uses Cmd on a Mac, and leaves Ctrl to the node', () => {
    const mac = { ...terminal, platform: 'macos' };
    expect(at('Cmd c', mac)).toBe('copy');
    expect(at('Cmd k', mac)).toBe('palette');
    expect(at('Ctrl c', mac)).toBeNull();
  });
});

describe('routeKey', () => {
  function key(name: string, held: Partial<KeyLike> = {}, altGraph = false): KeyLike {
    return { key: name, code: '', shiftKey: false, ctrlKey: false, altKey: false, metaKey: false, isComposing: false, keyCode: 65, getModifierState: () => altGraph, ...held };
  }

  it('leaves plain characters, dead keys and input methods to the text field', () => {
    expect(routeKey(key('a'), 'linux').to).toBe('text');
    expect(routeKey(key('Ä', { shiftKey: true }), 'linux').to).toBe('text');
    expect(routeKey(key('Dead'), 'linux').to).toBe('text');
    expect(routeKey(key('a', { isComposing: true }), 'linux').to).toBe('text');
    expect(routeKey(key('Process', { keyCode: 229 }), 'windows').to).toBe('text');
  });

  it('encodes Ctrl, Alt and named keys', () => {
    for (const event of [key('c', { ctrlKey: true }), key('b', { altKey: true }), key('Enter'), key('ArrowUp'), key('Tab'), key('Escape'), key('F5')]) {
      expect(routeKey(event, 'linux')).toMatchObject({ to: 'key', press: { key: event.key } });
    }
  });

  it('takes AltGr characters as text', () => {
    expect(routeKey(key('@', { ctrlKey: true, altKey: true }, true), 'windows').to).toBe('text');
  });

  it('takes what Option makes on a Mac as text', () => {
    expect(routeKey(key('ß', { altKey: true }), 'macos').to).toBe('text');
    expect(routeKey(key('b', { altKey: true }), 'macos').to).toBe('key');
  });

  it('ignores modifiers alone and the system key', () => {
    expect(routeKey(key('Shift', { shiftKey: true }), 'linux').to).toBe('none');
    expect(routeKey(key('a', { metaKey: true }), 'linux').to).toBe('none');
  });
});

describe('WheelLines', () => {
  it('adds small movements up to whole lines', () => {
    const wheel = new WheelLines();
    expect([5, 5, 5, 5].map((delta) => wheel.take(delta, 0, 19, 40))).toEqual([0, 0, 0, -1]);
    expect(wheel.take(-3, 1, 19, 40)).toBe(2);
  });
});
