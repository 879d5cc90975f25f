// `npm run watch`: sets everything up, builds, and builds again with every change.
import { join } from "node:path";
import { root, run, setup } from "./setup.mjs";

setup();
run(process.execPath, [join(root, "scripts", "build.mjs"), "--watch"]);
