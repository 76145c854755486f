// SPDX-License-Identifier: Apache-2.0
// Makes copies of the product's sources with every bug of bugs.mjs in them, each asleep until its number is chosen.
// The product itself holds none. A place that is not found exactly once ends the build: the list follows the code.
//
//   node plant.mjs ROOT OUT       writes OUT/<file> for each file that a bug is in
//   node plant.mjs --files        the files, one a line
import { mkdirSync, readFileSync, writeFileSync, existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { bugs } from "./bugs.mjs";

const files = [...new Set(bugs.flatMap((bug) => bug.edits.map((edit) => edit.file)))].sort();
if (process.argv[2] === "--files") {
  console.log(files.join("\n"));
} else {
  const [root, out] = process.argv.slice(2);
  const numbers = new Set();
  const texts = new Map(files.map((file) => [file, readFileSync(join(root, file), "utf8")]));
  for (const bug of bugs) {
    if (numbers.has(bug.number)) throw new Error(`two bugs have the number ${bug.number}`);
    numbers.add(bug.number);
    for (const { file, find, put } of bug.edits) {
      const text = texts.get(file);
      const parts = text.split(find);
      if (parts.length !== 2) throw new Error(`${bug.name}: found ${parts.length - 1} times in ${file}: ${find}`);
      texts.set(file, parts.join(put.replaceAll("PLANTED", `planted(${bug.number})`)));
    }
  }
  for (const [file, text] of texts) {
    const path = join(out, file);
    const made = `#include "tests/sim/planted/planted.h"\n#line 1 "${file}"\n${text}`;
    if (existsSync(path) && readFileSync(path, "utf8") === made) continue;
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, made);
  }
}
