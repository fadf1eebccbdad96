// Formulas in TeX to MathML: a JSON list of {tex, display} from the standard input, as many strings back.
// A formula that cannot be typeset becomes {error}.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const temml = createRequire(process.argv[2])("temml");

const typeset = ({ tex, display }) => {
  try {
    return temml.renderToString(tex, { displayMode: display, throwOnError: true, strict: true });
  } catch (error) {
    return { error: error.message };
  }
};

process.stdout.write(JSON.stringify(JSON.parse(readFileSync(0, "utf-8")).map(typeset)));
