import type { Host, KeyPress } from '../host/types';

type Item = { text: string } | { key: KeyPress };

/** Most input waiting for the bridge, in items; far more than a hand can type. */
const CAPACITY = 4096;

/**
 * Sends input one call at a time. Commands run concurrently in the host, so two calls in flight could
 * change places; text that gathers meanwhile goes out together.
 */
export class InputQueue {
  readonly #host: Host;
  readonly #tab: string;
  readonly #onProblem: (cause: unknown) => void;
  #items: Item[] = [];
  #busy = false;

  constructor(host: Host, tab: string, onProblem: (cause: unknown) => void) {
    this.#host = host;
    this.#tab = tab;
    this.#onProblem = onProblem;
  }

  text(text: string): void {
    const last = this.#items.at(-1);
    if (last && 'text' in last) last.text += text;
    else this.#push({ text });
    void this.#drain();
  }

  key(key: KeyPress): void {
    this.#push({ key });
    void this.#drain();
  }

  #push(item: Item): void {
    if (this.#items.length >= CAPACITY) this.#onProblem(new Error('The terminal takes no more input until what was typed has been sent.'));
    else this.#items.push(item);
  }

  async #drain(): Promise<void> {
    if (this.#busy) return;
    this.#busy = true;
    try {
      for (let item = this.#items.shift(); item; item = this.#items.shift()) {
        if ('text' in item) await this.#host.terminalText(this.#tab, item.text);
        else await this.#host.terminalKey(this.#tab, item.key);
      }
    } catch (cause) {
      this.#items = [];
      this.#onProblem(cause);
    } finally {
      this.#busy = false;
    }
  }
}
