// SPDX-License-Identifier: Apache-2.0
// Reads what kalends-sim printed and says which of the campaign's targets were not reached.
import { readFileSync } from "node:fs";

const text = readFileSync(process.argv[2], "utf8");
const figures = JSON.parse(text.trim().split("\n").at(-1));
const large = Number(/\((\d+) with 500 cards/.exec(text)[1]);
const per_day = Number(/edits \(([\d.]+) a day\)/.exec(text)[1]);
const faults = [.../ ([a-z_]+)=(\d+)/g[Symbol.matchAll](/^faults:(.*)$/m.exec(text)[0])].map(([, name, count]) => [name, Number(count)]);
const targets = [
  ["seeds", figures.seeds, 2000],
  ["simulated years", figures.sim_years, 100],
  ["user edits a simulated day", per_day, 20],
  ["percent of seeds with 500 cards or more", (100 * large) / figures.seeds, 10],
  ["crash points", figures.crash_points, 10000],
  ["events a second and core", figures.events_per_second, 10000],
  ...faults.map(([name, count]) => [`faults of class ${name}`, count, 1000]),
];
const missed = targets.filter(([, reached, wanted]) => reached < wanted);
for (const [name, reached, wanted] of missed) console.log(`not reached: ${name}: ${Math.round(reached * 10) / 10} of ${wanted}`);
if (figures.violations > 0) console.log(`${figures.violations} violations`);
console.log(missed.length === 0 && figures.violations === 0 ? "all targets reached, no violation" : `${missed.length} targets missed`);
process.exit(missed.length === 0 && figures.violations === 0 ? 0 : 1);
