import { en, type Messages } from './en';

/** Dictionaries by the language part of a locale. */
export const dictionaries: Record<string, Messages> = { en };
