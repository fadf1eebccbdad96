// Tables of the map: rows by status and by words. Without scripts all rows are there.
(() => {
  let number = 0;
  for (const table of document.querySelectorAll("table.urep-filtered")) {
    const rows = [...table.tBodies]; // an item each, its formula in a row of its own
    const states = [...new Set(rows.map((row) => row.dataset.status))];
    const id = `urep-filter-${number++}`;
    const bar = document.createElement("p");
    bar.className = "urep-filter";
    bar.innerHTML =
      `<label for="${id}">Status</label> <select id="${id}" class="urep-field"><option value="">any</option></select> `
      + `<label for="${id}-words">Words</label> <input id="${id}-words" type="search" class="urep-field"> `
      + "<output role=\"status\"></output>";
    const [select, words] = bar.querySelectorAll("select, input"), count = bar.querySelector("output");
    for (const state of states) select.append(new Option(state, state));
    const apply = () => {
      const sought = words.value.trim().toLowerCase();
      let left = 0;
      for (const row of rows) {
        const hit = (!select.value || row.dataset.status === select.value)
          && (!sought || row.textContent.toLowerCase().includes(sought));
        row.hidden = !hit;
        left += hit;
      }
      count.textContent = `${left} of ${rows.length}`;
    };
    select.addEventListener("change", apply);
    words.addEventListener("input", apply);
    apply();
    table.closest(".urep-wide, .cell_output > *")?.before(bar) ?? table.before(bar);
  }
})();
