// Proves specs with bin/prove.wasm as a page would: in a context that has neither files nor processes nor a network.
// usage: node run.mjs WASM_EXEC.JS PROVE.WASM SPEC...; holds the files of a spec against the golden tree of its directory's name.
// It prints the files and findings, and ends with 1 where there are findings, no files, or other files than the program's.
// JUDGE=none: the program has no compose-go in it, which has to be said, and is all that may be.
import { webcrypto } from "node:crypto";
import fs from "node:fs";
import path from "node:path";
import vm from "node:vm";

const [glue, wasm, ...specs] = process.argv.slice(2);
const golden = "pkg/render/testdata/golden";

const page = { console, crypto: webcrypto, performance, TextEncoder, TextDecoder, WebAssembly, Uint8Array, setTimeout, clearTimeout };
page.globalThis = page;
vm.createContext(page);
vm.runInContext(fs.readFileSync(glue, "utf8"), page, { filename: glue });
const go = new page.Go();
const { instance } = await WebAssembly.instantiate(fs.readFileSync(wasm), go.importObject);
go.run(instance); // which does not end

const judged = process.env.JUDGE !== "none";
let failed = specs.length === 0;
const fail = (what) => { failed = true; console.log(`error: ${what}`); };

function tree(dir) {
  const files = {};
  for (const entry of fs.readdirSync(dir, { recursive: true, withFileTypes: true })) {
    if (entry.isFile()) {
      const name = path.join(entry.parentPath ?? entry.path, entry.name);
      files[path.relative(dir, name)] = fs.readFileSync(name, "utf8");
    }
  }
  return files;
}

for (const spec of specs) {
  const name = path.basename(path.dirname(spec));
  const began = performance.now();
  const got = page.stackgen.prove(fs.readFileSync(spec, "utf8"), "/srv/matrix", tree(path.dirname(spec)));
  if (got.error) {
    fail(`${spec}: ${got.error}`);
    continue;
  }
  const { findings } = JSON.parse(got.report);
  for (const f of findings) console.log(`${f.severity}: ${f.message} [${f.rule}]`);
  for (const file of Object.keys(got.files).sort()) console.log(`  ${file}  ${Buffer.byteLength(got.files[file])}`);
  console.log(`${spec}: ${Object.keys(got.files).length} files, ${findings.length} findings, ${Math.round(performance.now() - began)} ms`);
  // What middlewares of another stack do, what a PostgreSQL elsewhere has, and what a chart makes for itself, cannot be seen.
  const said = findings.filter((f) => !(f.severity === "info" && /"?(hsts@file|crowdsec@docker)|the database of .* is outside of the stack|the Secret ess-generated is not among the manifests/.test(f.message))).map((f) => `${f.severity} ${f.rule}`).join();
  if (said !== (judged ? "" : "info compose-valid")) fail(`${spec} has findings: ${said}`);
  const want = Object.entries(tree(path.join(golden, name)));
  if (want.length < 9) fail(`no golden tree of ${name}`);
  for (const [file, text] of want) {
    const rendered = file.replace(/\.golden$/, "");
    if (got.files[rendered] !== text) fail(`${spec}: ${rendered} is not the one that stackgen renders`);
  }
}
// What is wrong is found here, too: by the reader of specs, by a rule, and by Compose's own.
const small = fs.readFileSync("examples/minimal/stack.yaml", "utf8");
for (const [rule, text] of [
  ["spec", small + "auht: {}\n"],
  ["bridge-msc4190", small.replace("signal: {}", "signal: {extra: {encryption: {msc4190: false}}}")],
  ["compose-valid", small + "compose: {extra: {services: {signal: {imagee: x}}}}\n"],
]) {
  const { report } = page.stackgen.prove(text, "/srv/matrix", {});
  const found = JSON.parse(report).findings.filter((f) => f.severity === "error").map((f) => f.rule);
  console.log(`broken on purpose: ${found.join(", ")}`);
  if (found.includes(rule) !== (judged || rule !== "compose-valid")) fail(`${rule}: ${found.join(", ")}`);
}
process.exit(failed ? 1 : 0);
