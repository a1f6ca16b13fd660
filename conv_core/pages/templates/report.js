"use strict";
(() => {
  const words = document.getElementById("words");
  const wrong = document.getElementById("wrong");
  const count = document.getElementById("count");
  const rows = [...document.querySelectorAll("tbody tr, article.failure")].map(
    (element) => ({ element, text: element.textContent.toLowerCase() }));

  function filter() {
    const wanted = words.value.trim().toLowerCase();
    const onlyWrong = wrong.getAttribute("aria-pressed") === "true";
    let shown = 0;
    for (const { element, text } of rows) {
      const bad = !["PASS", "SKIPPED"].includes(element.dataset.status);
      element.hidden = !text.includes(wanted) || (onlyWrong && !bad);
      shown += !element.hidden;
    }
    const active = wanted !== "" || onlyWrong;
    count.textContent = active ? `${shown} of ${rows.length} shown` : "";
    if (active) for (const each of document.querySelectorAll("section > details")) each.open = true;
  }

  words.addEventListener("input", filter);
  wrong.addEventListener("click", () => {
    wrong.setAttribute("aria-pressed", String(wrong.getAttribute("aria-pressed") !== "true"));
    filter();
  });
  addEventListener("beforeprint", () => {
    for (const each of document.querySelectorAll("details")) each.open = true;
  });
})();
