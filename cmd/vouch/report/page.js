
"use strict";
// The filter: shows the rows in which all words occur, and opens the benchmarks
// that have some, and the counterexamples once few are left. It is kept in the address, after #, so that it can be linked.
(() => {
  const field = document.getElementById("filter");
  const groups = [...document.querySelectorAll("details.benchmark")].map((box) => ({
    box, note: box.querySelector("summary .shown"),
    rows: [...box.querySelectorAll("tbody.instance")].map((row) => ({row, words: row.dataset.words.toLowerCase()})),
  }));
  function apply() {
    const wanted = field.value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0, total = 0;
    for (const g of groups) {
      let here = 0;
      for (const r of g.rows) {
        const has = (w) => /^(sat|unsat)$/.test(w) ? r.words.split(" ").includes(w) : r.words.includes(w);
        const ok = wanted.every((w) => w.length > 1 && w[0] === "-" ? !has(w.slice(1)) : has(w));
        r.row.hidden = !ok;
        if (ok) here++;
      }
      g.note.textContent = here === g.rows.length ? `${here}` : `${here} of ${g.rows.length}`;
      g.box.hidden = here === 0;
      if (wanted.length > 0) g.box.open = here > 0;
      shown += here;
      total += g.rows.length;
    }
    if (wanted.length > 0 && shown <= 4) {
      for (const g of groups) for (const r of g.rows) {
        const cex = r.row.querySelector("details.cex");
        if (cex && !r.row.hidden) cex.open = true;
      }
    }
    document.getElementById("shown").textContent = `${shown} of ${total} shown`;
  }
  field.addEventListener("input", () => {
    history.replaceState(null, "", field.value ? "#" + encodeURIComponent(field.value) : "#");
    apply();
  });
  window.addEventListener("hashchange", read);
  function read() {
    try { field.value = decodeURIComponent(location.hash.slice(1)); } catch { field.value = ""; }
    apply();
  }
  read();
})();
