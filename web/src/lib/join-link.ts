import { path } from "./route.ts";

/** How a phone comes to a quiz session: the link of its PIN, and the PIN as people read it out. */
export interface JoinLink {
  /** Without its scheme, to be typed. */
  host: string;
  url: string;
  /** In two halves. */
  pin: [string, string];
  /** The address of this page means another machine on a phone. */
  isLoopback: boolean;
}

export function joinLink(pin: string, { origin, host, hostname }: Location = location): JoinLink {
  const middle = Math.ceil(pin.length / 2);
  return {
    host,
    url: origin + path.join(pin),
    pin: [pin.slice(0, middle), pin.slice(middle)],
    isLoopback: ["localhost", "127.0.0.1", "[::1]"].includes(hostname),
  };
}
