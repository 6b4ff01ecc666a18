import { settings } from "../settings/settings.svelte.ts";
import { de } from "./de.ts";
import { en } from "./en.ts";
import type { Language } from "./languages.ts";
import { type Formats, formatsOf } from "./formats.ts";

/** A message with forms: the one that `count` asks for in the language at hand is used. */
export type Plural = { readonly [form in Intl.LDMLPluralRule]?: string } & {
  readonly other: string;
};
export type Catalogue = { readonly [key: string]: string | Plural };

export type Key = keyof typeof en;

type Placeholders<S extends string> = S extends `${string}{${infer Name}}${infer Tail}`
  ? Name | Placeholders<Tail>
  : never;
type TextOf<M> = M extends Plural ? M[keyof M] & string : M & string;
type ParamsOf<K extends Key> = {
  [name in Placeholders<TextOf<(typeof en)[K]>> | ((typeof en)[K] extends Plural ? "count" : never)]:
    | string
    | number;
};
type Rest<K extends Key> = keyof ParamsOf<K> extends never ? [] : [params: ParamsOf<K>];

/** What a translation has to be: every key, no other, and forms where the original has forms. */
export type Translation = {
  readonly [key in Key]: (typeof en)[key] extends Plural ? Plural : string;
};
/** The keys whose placeholders in `T` are not those of the original: there must be none. */
export type Mismatched<T extends Translation> = {
  [key in Key]: [Placeholders<TextOf<(typeof en)[key]>>, Placeholders<TextOf<T[key]>>] extends [
    Placeholders<TextOf<T[key]>>,
    Placeholders<TextOf<(typeof en)[key]>>,
  ]
    ? never
    : key;
}[Key];

export const catalogues = { en, de } as const satisfies { [language in Language]: Translation };

const none: Mismatched<typeof de> extends never ? true : Mismatched<typeof de> = true;
void none;

/** The message in the language at hand, its `{placeholders}` filled in. */
export function t<K extends Key>(key: K, ...[params]: Rest<K>): string {
  const message: string | Plural = catalogues[settings.language][key];
  return fill(message, (params ?? {}) as Record<string, string | number>, here());
}

export function fill(
  message: string | Plural | undefined,
  params: Record<string, string | number>,
  formats: Formats = here(),
): string {
  if (message === undefined) return "";
  const formOf = ({ other, ...forms }: Plural) =>
    forms[formats.plurals.select(Number(params["count"])) as keyof typeof forms] ?? other;
  const shown = (value: string | number) =>
    typeof value === "number" ? formats.numbers.format(value) : value;
  const text = typeof message === "string" ? message : formOf(message);
  return text.replace(/\{(\w+)\}/g, (_, name: string) => shown(params[name] ?? ""));
}

/** How this language parts a number from its fraction. */
export const decimalMark = () => (formatNumber(1.5).includes(",") ? "," : ".");
export const formatNumber = (value: number) => here().numbers.format(value);
export const formatDate = (at: number) => here().dates.format(at);

/** A language in the reader's words; a tag nobody knows is shown as it is. */
export function languageName(tag: string): string {
  try {
    return here().languages.of(tag) ?? tag;
  } catch {
    return tag;
  }
}

const here = () => formatsOf(settings.locale);
