// Validate GLB files with Khronos' validator: node check_gltf.mjs FILE...; any error or warning fails.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const require = createRequire(process.env.MOTIFMIX_NODE_MODULES + "/");
const validator = require("gltf-validator");
let failed = process.argv.length < 3;

for (const path of process.argv.slice(2)) {
  const report = await validator.validateBytes(new Uint8Array(readFileSync(path)), { uri: path });
  const { numErrors, numWarnings, numInfos, numHints, messages } = report.issues;
  console.log(`${path}: ${numErrors} errors, ${numWarnings} warnings, ${numInfos} infos, ${numHints} hints`);
  for (const { code, message, pointer } of messages) console.log(`  ${code} ${pointer ?? ""} ${message}`);
  failed ||= numErrors + numWarnings > 0;
}
process.exit(failed ? 1 : 0);
