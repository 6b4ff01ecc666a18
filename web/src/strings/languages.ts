/** The languages of the catalogues; the first is what a browser gets that speaks none of them. */
export const LANGUAGES = ["en", "de"] as const;
export type Language = (typeof LANGUAGES)[number];

/** The catalogue for a reader whose browser prefers these language tags, best first. */
export const languageFor = (wanted: readonly string[]): Language =>
  wanted.map(primary).find(isLanguage) ?? LANGUAGES[0];

/** The reader's own kind of the language, if the browser names one: numbers and dates differ. */
export const localeFor = (language: Language, wanted: readonly string[]): string =>
  wanted.find((tag) => primary(tag) === language && isTag(tag)) ?? language;

export const isLanguage = (value: unknown): value is Language =>
  LANGUAGES.some((language) => language === value);

const primary = (tag: string) => tag.split("-")[0]?.toLowerCase() ?? "";

function isTag(tag: string): boolean {
  try {
    return Intl.getCanonicalLocales(tag).length === 1;
  } catch {
    return false;
  }
}
