import { parse } from "svelte/compiler";

/** Attributes that are read, or read out: a translator has to reach what is in them. */
const SPOKEN =
  /^(alt|title|label|placeholder|heading|text|hint|over|confirm|cancel|aria-(label|description|placeholder|roledescription|valuetext|braille\w+))$/;
const WORDS = /\p{L}{2,}/u;
/** A sentence, or a word written as one begins: no class name, type or path looks like this. */
const SENTENCE = /^\P{L}*\p{Lu}\p{Ll}|\p{L}{2,} \p{L}/u;

interface Node {
  type?: string;
  name?: unknown;
  data?: unknown;
  value?: unknown;
  [part: string]: unknown;
}

/** The words in a component's markup that are in no catalogue. */
export function spokenText(source: string, filename: string): string[] {
  const found: string[] = [];
  look(parse(source, { modern: true, filename }).fragment as unknown as Node);
  return found;

  function look(node: unknown): void {
    if (Array.isArray(node)) return node.forEach(look);
    if (!isNode(node)) return;
    if (node.type === "Text") return note(node.data, WORDS);
    if (node.type === "ExpressionTag") return lookAtValue(node["expression"], WORDS);
    if (node.type === "Component") lookAtProps(node["attributes"]);
    if (node.type === "Attribute") return lookAtAttribute(node);
    if (node.type === "StyleDirective") return;
    Object.entries(node).forEach(([part, child]) => part !== "metadata" && look(child));
  }

  function lookAtAttribute({ name, value }: Node): void {
    if (SPOKEN.test(String(name))) look(value);
  }

  /** What a component does with its properties is not known here: go by how the text looks. */
  function lookAtProps(attributes: unknown): void {
    for (const { type, name, value } of attributes as Node[]) {
      if (type !== "Attribute" || SPOKEN.test(String(name))) continue;
      for (const part of Array.isArray(value) ? value : [value]) {
        if (!isNode(part)) continue;
        if (part.type === "Text") note(part.data, SENTENCE);
        else lookAtValue(part["expression"], SENTENCE);
      }
    }
  }

  /** The texts an expression may come to; those it passes to a function, such as keys, are not. */
  function lookAtValue(node: unknown, pattern: RegExp): void {
    if (!isNode(node)) return;
    if (node.type === "Literal") note(node.value, pattern);
    else if (node.type === "TemplateLiteral") {
      for (const { value } of node["quasis"] as { value: { cooked: string } }[]) {
        note(value.cooked, pattern);
      }
    } else if (node.type === "ConditionalExpression") {
      lookAtValue(node["consequent"], pattern);
      lookAtValue(node["alternate"], pattern);
    } else if (node.type === "LogicalExpression" || isSum(node)) {
      lookAtValue(node["left"], pattern);
      lookAtValue(node["right"], pattern);
    }
  }

  function note(text: unknown, pattern: RegExp): void {
    if (typeof text === "string" && pattern.test(text)) found.push(text.trim());
  }
}

const isNode = (value: unknown): value is Node => typeof value === "object" && value !== null;
const isSum = (node: Node) => node.type === "BinaryExpression" && node["operator"] === "+";
