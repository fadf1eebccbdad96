// Python in a worker, so that the page can be read while it thinks and stop it. Everything comes from this site.
import { loadPyodide } from "./pyodide/pyodide.mjs";

const home = new URL("./pyodide/", import.meta.url);

const fetched = async (name) => {
  const answer = await fetch(new URL(name, home)).catch((error) => { throw new Error(`${name}: ${error.message}`); });
  if (!answer.ok) throw new Error(`${answer.url}: ${answer.status} ${answer.statusText}`);
  return answer;
};

const say = (told) => postMessage({ told });

const start = async () => {
  const { packages, bytes } = await (await fetched("packages.json")).json();
  say(`Loading Python and SymPy from this site, ${Math.round(bytes / 1e6)} MB…`);
  const archives = packages.map(async (name) => (await fetched(name)).arrayBuffer());
  const [python, ...files] = await Promise.all([loadPyodide({ indexURL: home.href }), ...archives]);
  const folder = python.runPython("import site; site.getsitepackages()[0]");
  for (const file of files) python.unpackArchive(file, "zip", { extractDir: folder });
  say("Importing SymPy…");
  return python.pyimport("urep.site.reader");
};

let reader;

onmessage = async ({ data: { name, given } }) => {
  const asked = performance.now();
  try {
    reader ??= await start();
    postMessage({ ready: true });
  } catch (error) {
    postMessage({ lost: true, error: String(error.message ?? error) }); // the page ends this worker
    return;
  }
  try {
    const ready = performance.now();
    say(name === "run" ? "Running the lines…" : "Comparing…");
    const found = reader[name](...given);
    const result = found.toJs({ dict_converter: Object.fromEntries });
    found.destroy();
    postMessage({ result, seconds: { loading: (ready - asked) / 1e3, running: (performance.now() - ready) / 1e3 } });
  } catch (error) {
    postMessage({ error: String(error.message ?? error) });
  }
};
