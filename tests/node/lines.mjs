// A conversation in lines of JSON: the test writes {id, do, …} and gets {id, result} or {id, error}; what a
// process says by itself has no id.
import { createInterface } from "node:readline";

export function say(line) {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

// Carries out what the test asks for, by name; ends with the test, which closes our standard input.
export function serve(commands) {
  createInterface({ input: process.stdin })
    .on("line", async (line) => {
      const { id, do: name, ...told } = JSON.parse(line);
      try {
        say({ id, result: (await commands[name](told)) ?? null });
      } catch (error) {
        say({ id, error: String(error) });
      }
    })
    .on("close", () => process.exit());
}
