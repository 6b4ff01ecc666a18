import { newAnswerId } from "./answer-id.ts";

const LEASE_MS = 15_000;
const SETTLE_MS = 40;

interface Lease {
  holder: string;
  until: number;
}

/**
 * Runs `work` in one tab at a time. `navigator.locks` exists in secure contexts only; elsewhere a
 * lease in localStorage stands in for it, which a tab that dies gives up after LEASE_MS.
 */
export async function exclusive<T>(name: string, work: () => Promise<T>): Promise<T> {
  if (globalThis.navigator?.locks) return navigator.locks.request(name, work);
  const holder = newAnswerId();
  while (!(await take(name, holder))) await wait(SETTLE_MS * (1 + Math.random()));
  try {
    return await work();
  } finally {
    if (leaseOf(name)?.holder === holder) localStorage.removeItem(keyOf(name));
  }
}

/** localStorage has no compare-and-set: write, let a rival's write land, and see who is there. */
async function take(name: string, holder: string): Promise<boolean> {
  const lease = leaseOf(name);
  if (lease !== null && lease.until > Date.now()) return false;
  localStorage.setItem(keyOf(name), JSON.stringify({ holder, until: Date.now() + LEASE_MS }));
  await wait(SETTLE_MS);
  return leaseOf(name)?.holder === holder;
}

function leaseOf(name: string): Lease | null {
  try {
    return JSON.parse(localStorage.getItem(keyOf(name)) ?? "null") as Lease | null;
  } catch {
    return null;
  }
}

const keyOf = (name: string) => `tiebreak.lease.${name}`;
const wait = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));
