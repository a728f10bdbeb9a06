#!/usr/bin/env node
// A `solc` command made of npm's `solc` package: the part of the native compiler's command line that py-solc-x,
// forge and slither use (--version, --standard-json, --combined-json), with its rules for import paths.
// npm's own `solcjs` is no stand-in: it prints a notice before the JSON and knows neither --allow-paths nor --combined-json.
"use strict";

const fs = require("fs");
const path = require("path");

const VALUES = { "--base-path": "basePath", "--combined-json": "combinedJson", "--evm-version": "evmVersion",
                 "--optimize-runs": "optimizeRuns", "--metadata-hash": "metadataHash" };
const SWITCHES = { "--version": "version", "--standard-json": "standardJson", "--optimize": "optimize", "--via-ir": "viaIr",
                   "--no-cbor-metadata": "noCborMetadata", "--no-color": "noColor", "--pretty-json": "prettyJson" };

/** Ends with the exit code and the wording of the native compiler, which py-solc-x turns into its own errors. */
function fail(message) {
  process.stderr.write(`${message}\n`);
  process.exit(1);
}

/** Reads the arguments; bare ones are source files, or remappings when they hold "=". */
function readArguments(argv) {
  const options = { includePaths: [], allowPaths: [], remappings: [], files: [] };
  for (let at = 0; at < argv.length; at += 1) {
    const [name, ...joined] = argv[at].split("=");
    const value = () => {
      const given = joined.length ? joined.join("=") : argv[++at];
      return given === undefined ? fail(`the required argument for option '${name}' is missing`) : given;
    };
    if (name in SWITCHES) options[SWITCHES[name]] = true;
    else if (name in VALUES) options[VALUES[name]] = value();
    else if (name === "--include-path") options.includePaths.push(value());
    else if (name === "--allow-paths") options.allowPaths.push(...value().split(",").filter(Boolean));
    else if (name.startsWith("-") && argv[at] !== "-") fail(`unrecognised option '${name}'`);
    else if (argv[at].includes("=")) options.remappings.push(argv[at]);
    else options.files.push(argv[at]);
  }
  return options;
}

/** Is `file` inside one of `folders`, links followed? */
function isInside(file, folders) {
  return folders.some((folder) => {
    const relative = path.relative(fs.existsSync(folder) ? fs.realpathSync(folder) : path.resolve(folder), file);
    return !relative.startsWith("..") && !path.isAbsolute(relative);
  });
}

/** The import callback: base path first, then each include path; outside the allowed folders nothing is read. */
function importer(options) {
  const roots = [options.basePath || ".", ...options.includePaths];
  const allowed = [...roots, ...options.allowPaths, ...options.files.map((file) => path.dirname(file)),
                   ...options.remappings.map((mapping) => mapping.slice(mapping.indexOf("=") + 1) || ".")];
  return (name) => {
    const wanted = name.replace(/^file:\/\//, "");
    const candidates = path.isAbsolute(wanted) ? [wanted] : roots.map((root) => path.resolve(root, wanted));
    const found = [...new Set(candidates)].filter((file) => fs.existsSync(file) && fs.statSync(file).isFile());
    if (found.length === 0) return { error: `File not found. Searched the following locations: ${candidates.join(", ")}` };
    if (found.length > 1) return { error: `Ambiguous import. Multiple matching files found: ${found.join(", ")}` };
    if (!isInside(fs.realpathSync(found[0]), allowed)) return { error: "File outside of allowed directories." };
    return { contents: fs.readFileSync(found[0], "utf8") };
  };
}

/** The compiler; whatever it prints while loading goes to stderr, so that stdout holds the answer alone. */
function loadCompiler() {
  console.log = console.error;
  return require("solc");
}

/** The output kinds of --combined-json: name there, and [name in standard JSON, how to read it from a contract]. */
const KINDS = {
  "abi": ["abi", (c) => c.abi],
  "asm": ["evm.legacyAssembly", (c) => c.evm.legacyAssembly],
  "bin": ["evm.bytecode.object", (c) => c.evm.bytecode.object],
  "bin-runtime": ["evm.deployedBytecode.object", (c) => c.evm.deployedBytecode.object],
  "devdoc": ["devdoc", (c) => c.devdoc],
  "hashes": ["evm.methodIdentifiers", (c) => c.evm.methodIdentifiers],
  "metadata": ["metadata", (c) => c.metadata],
  "srcmap": ["evm.bytecode.sourceMap", (c) => c.evm.bytecode.sourceMap],
  "srcmap-runtime": ["evm.deployedBytecode.sourceMap", (c) => c.evm.deployedBytecode.sourceMap],
  "userdoc": ["userdoc", (c) => c.userdoc],
};

/** The standard JSON request that stands for a --combined-json command line. */
function combinedRequest(options, kinds) {
  const settings = { remappings: options.remappings, viaIR: Boolean(options.viaIr),
    optimizer: { enabled: Boolean(options.optimize), runs: Number(options.optimizeRuns || 200) },
    metadata: { ...(options.metadataHash && { bytecodeHash: options.metadataHash }), appendCBOR: !options.noCborMetadata },
    outputSelection: { "*": { "": ["ast"], "*": kinds.filter((kind) => kind in KINDS).map((kind) => KINDS[kind][0]) } } };
  if (options.evmVersion) settings.evmVersion = options.evmVersion;
  const base = path.resolve(options.basePath || ".");
  const sources = {};
  for (const file of options.files) {
    const relative = path.relative(base, path.resolve(file));
    const name = relative.startsWith("..") || (path.isAbsolute(file) && !options.basePath) ? file : relative;
    sources[name.split(path.sep).join("/")] = { content: fs.readFileSync(file, "utf8") };
  }
  return { language: "Solidity", sources, settings };
}

/** Compiles files and answers in the form of `solc --combined-json`. */
function combinedJson(compiler, options) {
  const kinds = options.combinedJson.split(",").filter((kind) => kind && kind !== "compact-format");
  const unknown = kinds.find((kind) => kind !== "ast" && !(kind in KINDS));
  if (unknown) fail(`Invalid option to --combined-json: ${unknown}`);
  const answer = JSON.parse(compiler.compile(JSON.stringify(combinedRequest(options, kinds)), { import: importer(options) }));
  for (const problem of answer.errors || []) process.stderr.write(`${problem.formattedMessage}\n`);
  if ((answer.errors || []).some((problem) => problem.severity === "error")) return fail("");
  const sourceList = Object.keys(answer.sources).sort((a, b) => answer.sources[a].id - answer.sources[b].id);
  const combined = { contracts: {}, sourceList, sources: {}, version: compiler.version() };
  for (const [file, contracts] of Object.entries(answer.contracts || {})) {
    for (const [name, contract] of Object.entries(contracts)) {
      combined.contracts[`${file}:${name}`] = Object.fromEntries(kinds.filter((kind) => kind in KINDS)
        .map((kind) => [kind, KINDS[kind][1](contract)]));
    }
  }
  if (kinds.includes("ast")) for (const file of sourceList) combined.sources[file] = { AST: answer.sources[file].ast };
  return JSON.stringify(combined);
}

function main() {
  const options = readArguments(process.argv.slice(2));
  const compiler = loadCompiler();
  if (options.version) return `solc, the solidity compiler commandline interface\nVersion: ${compiler.version()}`;
  if (options.standardJson) {
    const request = fs.readFileSync(options.files[0] && options.files[0] !== "-" ? options.files.shift() : 0, "utf8");
    return compiler.compile(request, { import: importer(options) });
  }
  if (options.combinedJson && options.files.length) return combinedJson(compiler, options);
  return fail("Give --version, --standard-json (request on stdin), or --combined-json KINDS FILE...");
}

process.stdout.write(`${main()}\n`);
