// SPDX-License-Identifier: Apache-2.0
// Runs the simulator with every planted bug in turn, until it says that something is wrong, and tells how long that
// took. `--json` ends with one line {"planted":…,"caught":…,"slowest_s":…}. Exit code 1 when a bug was not caught.
import { spawn } from "node:child_process";
import { cpus } from "node:os";
import { bugs } from "./bugs.mjs";

const program = process.env.KALENDS_SIM_PLANTED ?? new URL("../../../build/dev/tests/sim/kalends-sim-planted", import.meta.url).pathname;
const args = process.argv.slice(2);
const only = args.filter((arg) => /^\d+$/.test(arg)).map(Number);
const limit_s = 60;

function catch_one(bug, base) {
  return new Promise((resolve) => {
    const begun = performance.now();
    const run = spawn(program, ["--planted", String(bug.number), "--seeds", "1000000", "--seed-base", String(base), "--minutes", String(limit_s / 60), "--no-shrink", "--until-failure"]);
    let text = "";
    let seconds = null;
    run.stdout.on("data", (data) => {
      text += data;
      if (seconds === null && text.includes("FAILED")) seconds = (performance.now() - begun) / 1000;
    });
    const alarm = setTimeout(() => run.kill("SIGKILL"), limit_s * 1000);
    run.on("close", () => {
      clearTimeout(alarm);
      resolve({ bug, seconds, says: /FAILED (.*)/.exec(text)?.[1] ?? "" });
    });
  });
}

const queue = bugs.filter((bug) => only.length === 0 || only.includes(bug.number));
const results = [];
const base = Number(process.env.KALENDS_SEED ?? 1);
await Promise.all(
  Array.from({ length: Math.min(cpus().length, queue.length) }, async () => {
    while (queue.length > 0) {
      const result = await catch_one(queue.shift(), base);
      results.push(result);
      const time = result.seconds === null ? "NOT CAUGHT" : `${result.seconds.toFixed(1)} s`.padStart(10);
      console.log(`${time}  P${String(result.bug.number).padStart(2, "0")} ${result.bug.name}: ${result.says.slice(0, 90)}`);
    }
  }),
);
const caught = results.filter((result) => result.seconds !== null);
const slowest = Math.max(0, ...caught.map((result) => result.seconds));
console.log(`${caught.length} of ${results.length} planted bugs caught, the slowest in ${slowest.toFixed(1)} s`);
if (args.includes("--json")) console.log(JSON.stringify({ planted: results.length, caught: caught.length, slowest_s: Number(slowest.toFixed(1)) }));
process.exit(caught.length === results.length ? 0 : 1);
