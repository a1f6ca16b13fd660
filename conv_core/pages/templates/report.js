"use strict";
(() => {
  const status = document.getElementById("status");
  const name = document.getElementById("name");
  if (!status || !name) return;
  const rows = [...document.querySelectorAll("#all-tests > tbody > tr")];
  const count = document.getElementById("count");
  const filter = () => {
    const wanted = name.value.toLowerCase();
    let shown = 0;
    for (const row of rows) {
      const fits = (!status.value || row.lastElementChild.textContent === status.value)
        && row.textContent.toLowerCase().includes(wanted);
      row.hidden = !fits;
      shown += fits ? 1 : 0;
    }
    count.textContent = `${shown} of ${rows.length} tests`;
    document.getElementById("all-tests").closest("details").open = true;
  };
  status.addEventListener("input", filter);
  name.addEventListener("input", filter);
})();
