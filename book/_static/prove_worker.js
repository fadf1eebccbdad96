// Python in a worker, so that the page can be read while it thinks and stop it. Everything comes from this site.
import { loadPyodide } from "./pyodide/pyodide.mjs";

const home = new URL("./pyodide/", import.meta.url);

const fetched = async (name) => {
  const answer = await fetch(new URL(name, home));
  if (!answer.ok) throw new Error(`${answer.url}: ${answer.status} ${answer.statusText}`);
  return answer;
};

const say = (id, told) => postMessage({ id, told });

const start = async (id) => {
  const { packages, bytes } = await (await fetched("packages.json")).json();
  say(id, `Loading Python and SymPy from this site, ${Math.round(bytes / 1e6)} MB…`);
  const archives = packages.map(async (name) => (await fetched(name)).arrayBuffer());
  const python = await loadPyodide({ indexURL: home.href });
  const folder = python.runPython("import site; site.getsitepackages()[0]");
  for (const archive of archives) python.unpackArchive(await archive, "zip", { extractDir: folder });
  say(id, "Importing SymPy…");
  return python.pyimport("urep.site.reader");
};

let reader;

onmessage = async ({ data: { id, name, given } }) => {
  try {
    const asked = performance.now();
    reader ??= start(id);
    const module = await reader;
    const ready = performance.now();
    say(id, name === "run" ? "Running the lines…" : "Comparing…");
    const found = module[name](...given);
    const result = found.toJs({ dict_converter: Object.fromEntries });
    found.destroy();
    postMessage({ id, result, seconds: { loading: (ready - asked) / 1e3, running: (performance.now() - ready) / 1e3 } });
  } catch (error) {
    postMessage({ id, error: String(error.message ?? error) });
  }
};
