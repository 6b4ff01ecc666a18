/** How a locale counts, writes numbers and dates, and calls languages. */
export interface Formats {
  plurals: Intl.PluralRules;
  numbers: Intl.NumberFormat;
  dates: Intl.DateTimeFormat;
  languages: Intl.DisplayNames;
}

const made = new Map<string, Formats>();

/** Made once for each locale: each of them costs as much as a thousand uses. */
export function formatsOf(locale: string): Formats {
  const known = made.get(locale);
  if (known) return known;
  const formats = {
    plurals: new Intl.PluralRules(locale),
    // With all digits of a fraction: a number that was typed is shown as it was.
    numbers: new Intl.NumberFormat(locale, { maximumFractionDigits: 20 }),
    dates: new Intl.DateTimeFormat(locale, { dateStyle: "medium" }),
    languages: new Intl.DisplayNames(locale, { type: "language" }),
  };
  made.set(locale, formats);
  return formats;
}
