import type { LanguageName } from '../host/types';
import { number } from './forms';
import { dictionaries } from './dictionaries';
import { en, type Messages } from './en';

class Language {
  #messages = $state.raw<Messages>(en);

  /** The messages in force. */
  get m(): Messages {
    return this.#messages;
  }

  /** Takes the first language there is a dictionary for, else English, and tells the document. */
  choose(preferred: readonly string[]): void {
    const found = preferred.map((tag) => tag.split('-')[0] ?? '').find((tag) => tag in dictionaries);
    this.#messages = dictionaries[found ?? 'en'] ?? en;
    document.documentElement.lang = this.#messages.locale;
  }

  /** Its name, as the host takes it. */
  get name(): LanguageName {
    const found = this.#messages.locale;
    return found === 'de' || found === 'ja' ? found : 'en';
  }

  /** A label of the host in this language. */
  term(label: string): string {
    return this.#messages.terms[label] ?? label;
  }

  number(value: number): string {
    return number(this.#messages.locale, value);
  }

  /** USD amounts as AWS prints them: "USD 55.81". */
  usd(value: number, digits: number): string {
    return `USD ${new Intl.NumberFormat(this.#messages.locale, { minimumFractionDigits: digits, maximumFractionDigits: digits }).format(value)}`;
  }

  /** Clock time with seconds. */
  clock(ms: number): string {
    return new Intl.DateTimeFormat(this.#messages.locale, { hour: '2-digit', minute: '2-digit', second: '2-digit', hour12: false }).format(ms);
  }

  /** A day. */
  date(ms: number): string {
    return new Intl.DateTimeFormat(this.#messages.locale, { dateStyle: 'medium' }).format(ms);
  }

  /** An age or wait in one unit: seconds, minutes, hours, days. */
  age(ms: number): string {
    const seconds = Math.max(0, Math.round(ms / 1000));
    if (seconds < 60) return this.m.seconds(seconds);
    if (seconds < 3600) return this.m.minutes(Math.floor(seconds / 60));
    if (seconds < 86_400) return this.m.hours(Math.floor(seconds / 3600));
    return this.m.days(Math.floor(seconds / 86_400));
  }

  /** A duration in two units: "5 h 12 min"; one below an hour: "12 min", "40 s". */
  duration(ms: number): string {
    const seconds = Math.max(0, Math.floor(ms / 1000));
    if (seconds < 60) return this.m.seconds(seconds);
    const minutes = Math.floor(seconds / 60);
    if (minutes < 60) return this.m.minutes(minutes);
    if (minutes < 1440) return `${this.m.hours(Math.floor(minutes / 60))} ${this.m.minutes(minutes % 60)}`;
    return `${this.m.days(Math.floor(minutes / 1440))} ${this.m.hours(Math.floor((minutes % 1440) / 60))}`;
  }

  /** A short wait with one decimal: "4.1 s". */
  shortSeconds(ms: number): string {
    return `${new Intl.NumberFormat(this.#messages.locale, { minimumFractionDigits: 1, maximumFractionDigits: 1 }).format(ms / 1000)} s`;
  }
}

/** The one language of the window. */
export const language = new Language();
