export interface Word {
  text: string;
  count: number;
  /** 0 (said least) to 1 (said most). */
  weight: number;
}

/**
 * The words of a cloud, in the order they are laid out: the most frequent in the middle, the others
 * around it in turn, so that the cloud grows from its heart. Always the same for the same words.
 */
export function cloudOf(words: readonly { answer: unknown; count: number }[]): Word[] {
  const counts = words.map(({ count }) => count);
  const [least, most] = [Math.min(...counts), Math.max(...counts)];
  const cloud: Word[] = [];
  [...words]
    .sort((one, other) => other.count - one.count)
    .forEach(({ answer, count }, place) => {
      const weight = most === least ? 0.5 : (count - least) / (most - least);
      const word = { text: String(answer), count, weight };
      if (place % 2 === 0) cloud.push(word);
      else cloud.unshift(word);
    });
  return cloud;
}
