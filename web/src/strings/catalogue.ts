import { en } from "./en.ts";

/** A message with forms: the one that `count` asks for in the language at hand is used. */
export type Plural = { readonly [form in Intl.LDMLPluralRule]?: string } & {
  readonly other: string;
};
export type Catalogue = { readonly [key: string]: string | Plural };

export type Key = keyof typeof en;

type Placeholders<S extends string> = S extends `${string}{${infer Name}}${infer Tail}`
  ? Name | Placeholders<Tail>
  : never;
type TextOf<K extends Key> = (typeof en)[K] extends Plural
  ? (typeof en)[K][keyof (typeof en)[K]] & string
  : (typeof en)[K] & string;
type ParamsOf<K extends Key> = {
  [name in Placeholders<TextOf<K>> | ((typeof en)[K] extends Plural ? "count" : never)]:
    | string
    | number;
};
type Rest<K extends Key> = keyof ParamsOf<K> extends never ? [] : [params: ParamsOf<K>];

const locale = "en";
const messages: Catalogue = en;
const plurals = new Intl.PluralRules(locale);
const numbers = new Intl.NumberFormat(locale);
const dates = new Intl.DateTimeFormat(locale, { dateStyle: "medium" });

/** The message in the language at hand, its `{placeholders}` filled in. */
export function t<K extends Key>(key: K, ...[params]: Rest<K>): string {
  return fill(messages[key], (params ?? {}) as Record<string, string | number>);
}

export function fill(
  message: string | Plural | undefined,
  params: Record<string, string | number>,
): string {
  if (message === undefined) return "";
  const text = typeof message === "string" ? message : formOf(message, Number(params["count"]));
  return text.replace(/\{(\w+)\}/g, (_, name: string) => shown(params[name] ?? ""));
}

export const formatNumber = (value: number) => numbers.format(value);
export const formatDate = (at: number) => dates.format(at);

const shown = (value: string | number) => (typeof value === "number" ? formatNumber(value) : value);
const formOf = (message: Plural, count: number) => message[plurals.select(count)] ?? message.other;

const languageNames = new Intl.DisplayNames(locale, { type: "language" });

/** A language in the reader's words; a tag nobody knows is shown as it is. */
export function languageName(tag: string): string {
  try {
    return languageNames.of(tag) ?? tag;
  } catch {
    return tag;
  }
}
