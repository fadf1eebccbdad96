// Tables whose rows are sorted by a click on a column's head. Without scripts they stand in their own order.
(() => {
  for (const table of document.querySelectorAll("table.urep-sorted")) {
    const body = table.tBodies[0];
    const value = (row, column) => row.cells[column].dataset.value ?? row.cells[column].textContent.trim();
    const compare = (a, b) => {
      const [x, y] = [Number.parseFloat(a), Number.parseFloat(b)];
      const numbers = [!Number.isNaN(x), !Number.isNaN(y)];
      if (numbers[0] && numbers[1]) return x - y;
      return numbers[1] - numbers[0] || a.localeCompare(b); // numbers first
    };
    [...table.tHead.rows[0].cells].forEach((head, column) => {
      const button = document.createElement("button");
      button.type = "button";
      button.className = "urep-sort";
      button.append(...head.childNodes);
      head.append(button);
      button.addEventListener("click", () => {
        const up = head.getAttribute("aria-sort") !== "ascending";
        for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
        head.setAttribute("aria-sort", up ? "ascending" : "descending");
        const rows = [...body.rows].sort((a, b) => compare(value(a, column), value(b, column)));
        body.append(...(up ? rows : rows.reverse()));
      });
    });
  }
})();
