// The explorer's beginning: all else that it needs is loaded once its place comes into sight, so that a page that is
// only read waits for none of it. The drawing that stands there is the one that readers without scripts see.
const urepStart = (() => {
  const own = document.currentScript;
  const STYLES = ["uplot/uPlot.min.css", "explorer.css"];
  const SCRIPTS = [ // in the order in which they need each other
    "uplot/uPlot.iife.min.js", "odex.js", "solution.js",
    "parts.js", "plane.js", "charts.js", "clock.js", "network.js", "explorer.js",
  ];

  const asked = new Map();
  /** A script or a style that lies beside this one, once it has come; from a server and from a file alike. */
  const load = (name) => {
    if (!asked.has(name)) {
      asked.set(name, new Promise((resolve, reject) => {
        const address = new URL(name, own.src);
        address.search = own.dataset.version ?? "";
        const made = name.endsWith(".css")
          ? Object.assign(document.createElement("link"), { rel: "stylesheet", href: address.href })
          : Object.assign(document.createElement("script"), { src: address.href, async: false });
        made.addEventListener("load", resolve);
        made.addEventListener("error", () => {
          asked.delete(name);
          made.remove();
          reject(new Error(`${name} could not be loaded; try again.`));
        });
        document.head.append(made);
      }));
    }
    return asked.get(name);
  };

  /** What needs a script that did not come has failed as well, and does not run twice: all begin anew. */
  const failed = (error) => {
    const again = document.createElement("button"), said = document.createElement("p");
    again.type = "button";
    again.className = "urep-button";
    again.textContent = "Load the page again";
    again.addEventListener("click", () => location.reload());
    said.setAttribute("role", "status");
    said.append(`${error.message} `, again);
    place.after(said);
  };
  const start = () => Promise.all(STYLES.map(load)).then(() => Promise.all(SCRIPTS.map(load))).catch(failed);

  const place = document.querySelector("svg metadata.urep-explorer")?.closest("figure");
  if (place && location.search) start(); // a link with settings: its reader came for the explorer
  else if (place) {
    const watch = new IntersectionObserver((entries) => {
      if (!entries.some((entry) => entry.isIntersecting)) return;
      watch.disconnect();
      start();
    });
    watch.observe(place);
  }

  return { load };
})();
