/** Plural forms of one message; `#` is replaced by the number in the locale's digits and grouping. */
export type Forms = Partial<Record<Intl.LDMLPluralRule, string>> & { other: string };

const numbers = new Map<string, Intl.NumberFormat>();
const rules = new Map<string, Intl.PluralRules>();

/** A number with the locale's grouping. */
export function number(locale: string, value: number): string {
  let format = numbers.get(locale);
  if (!format) numbers.set(locale, (format = new Intl.NumberFormat(locale)));
  return format.format(value);
}

/** Picks the form for `count` and sets the number in it. */
export function plural(locale: string, count: number, forms: Forms): string {
  let rule = rules.get(locale);
  if (!rule) rules.set(locale, (rule = new Intl.PluralRules(locale)));
  const form = forms[rule.select(count)] ?? forms.other;
  return form.replaceAll('#', number(locale, count));
}

/** A stretch of a message; `strong` is set in medium weight. */
export interface Stretch {
  text: string;
  strong: boolean;
}

/** Splits a message at its `**` marks. */
export function stretches(message: string): Stretch[] {
  return message
    .split('**')
    .map((text, i) => ({ text, strong: i % 2 === 1 }))
    .filter((stretch) => stretch.text !== '');
}
