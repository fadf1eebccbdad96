// Figures of points in space: a button under each replaces the drawing by one that can be turned and
// zoomed, by Plotly, which is fetched from this site when it is first asked for.
(() => {
  const root = document.documentElement.dataset.content_root ?? "./";
  let plotly;

  const fetched = () =>
    (plotly ??= new Promise((resolve, reject) => {
      const script = document.createElement("script");
      script.src = `${root}_static/plotly.min.js`;
      script.onload = () => resolve(window.Plotly);
      script.onerror = () => {
        plotly = undefined;
        script.remove();
        reject(new Error("Plotly could not be loaded; try again"));
      };
      document.head.append(script);
    }));

  const bytes = (text) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0));

  const trace = (panel, scene) => {
    const flat = new Int16Array(bytes(panel.points).buffer);
    const axis = (k) => Array.from({ length: flat.length / 3 }, (_, n) => flat[3 * n + k]);
    return {
      type: "scatter3d", mode: "markers", scene, name: panel.title, hoverinfo: "skip",
      x: axis(0), y: axis(1), z: axis(2),
      // From a third of the way, as in the drawing: the darkest colours do not stand out in the dark.
      marker: {
        size: 2.5, color: Array.from(bytes(panel.colour)), colorscale: "Viridis", cmin: -128, cmax: 255,
      },
    };
  };

  const turn = async (figure, svg, panels, button) => {
    button.disabled = true;
    button.textContent = "Loading…";
    let Plotly;
    try {
      Plotly = await fetched();
    } catch (error) {
      button.textContent = error.message;
      button.disabled = false;
      return;
    }
    const place = document.createElement("div");
    place.className = "urep-cloud";
    place.setAttribute("role", "img");
    place.setAttribute("aria-label", svg.getAttribute("aria-label"));
    const columns = Math.min(3, panels.length), rows = Math.ceil(panels.length / columns);
    place.style.height = `${rows * 20}rem`;
    const colour = getComputedStyle(figure).color;
    const hidden = { visible: false };
    const layout = {
      showlegend: false, margin: { l: 0, r: 0, t: 24, b: 0 }, paper_bgcolor: "rgba(0,0,0,0)",
      font: { color: colour, size: 12 }, annotations: [],
    };
    panels.forEach((panel, n) => {
      const left = (n % columns) / columns, top = 1 - Math.floor(n / columns) / rows;
      layout[`scene${n ? n + 1 : ""}`] = {
        domain: { x: [left, left + 1 / columns], y: [top - 1 / rows, top] },
        xaxis: hidden, yaxis: hidden, zaxis: hidden, aspectmode: "data",
      };
      layout.annotations.push({
        text: panel.title, x: left + 0.5 / columns, y: top, xref: "paper", yref: "paper",
        yanchor: "bottom", showarrow: false,
      });
    });
    const traces = panels.map((panel, n) => trace(panel, `scene${n ? n + 1 : ""}`));
    svg.replaceWith(place);
    await Plotly.newPlot(place, traces, layout, { displaylogo: false, responsive: true });
    button.textContent = "Drag to turn, scroll to zoom";
  };

  for (const data of document.querySelectorAll("svg metadata.urep-clouds")) {
    const svg = data.closest("svg"), figure = svg.closest("figure");
    const button = document.createElement("button");
    button.type = "button";
    button.className = "urep-turn urep-button";
    button.textContent = "Turn and zoom";
    button.addEventListener("click", () => turn(figure, svg, JSON.parse(data.textContent), button));
    figure.append(button);
  }
})();
