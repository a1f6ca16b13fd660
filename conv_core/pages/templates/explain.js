// The page: where one looks (row, column, filter, step), and its pictures.
(() => {
  const byId = (id) => document.getElementById(id);
  const fields = ["row", "column", "filter"].map(byId);
  const limits = [run.rows, run.columns, run.filters];
  const at = { row: 0, column: 0, filter: 0, window: 0, step: 0 };
  const calm = matchMedia("(prefers-reduced-motion: reduce)");
  const SHOWN = 64, NEAR = 64, PACE = 350, CALM_PACE = 1500;
  const text = (value) => value.toLocaleString("en-US").replace("-", "−");
  let planes = null;

  function look(row, column, filter, step) {
    Object.assign(at, { row, column, filter });
    at.window = run.windowOf(row, column, filter);
    const [first, end] = [run.starts[at.window], run.starts[at.window + 1]];
    at.step = Math.min(Math.max(step ?? first, first), end - 1);
    [row, column, filter].forEach((value, i) => { fields[i].value = value; });
    show();
  }

  function goTo(step) {
    step = Math.min(Math.max(step, 0), run.cycle.length - 1);
    const window = run.windowAt(step), { frame, row, column, block } = run.place(window);
    if (frame !== 0) return;
    const [first, count] = run.blocks[block];
    const filter = run.blockOf(at.filter) === block ? at.filter : Math.min(first + at.filter % run.lanesOut, first + count - 1);
    look(row, column, filter, step);
  }

  function nextWindow(by) {
    const last = run.starts.length - 2;
    goTo(run.starts[Math.min(Math.max(at.window + by, 0), last)]);
  }

  // ------------------------------------------------------------------ the pictures
  function drawPlanes() {
    if (!planes || planes.filter !== at.filter) {
      const count = run.channels, each = Array.from({ length: count }, (_, c) => run.plane(at.filter, c));
      const total = new Int32Array(run.rows * run.columns).fill(run.bias[at.filter]);
      for (const one of each) one.forEach((value, i) => { total[i] = total[i] + value | 0; });
      const seen = run.sumsOf(at.filter), right = total.every((value, i) => value === seen[i]);
      planes = { filter: at.filter, each, seen, right };
      byId("planes-check").textContent = right
        ? `Added up here, the ${count} planes and the bias ${text(run.bias[at.filter])} are what the RTL's accumulators held, in all ${text(seen.length)} places.`
        : "These planes do not add up to what the RTL computed.";
      document.querySelectorAll(".filter-name").forEach((name) => { name.textContent = at.filter; });
    }
    const shown = Math.min(SHOWN, run.channels), across = Math.min(8, shown), gap = 4;
    const wide = draw.room("channels"), cell = Math.max(1, (wide / across - gap) / run.columns);
    const down = Math.ceil(shown / across);
    let pen = draw.canvas("channels", wide, down * (run.rows * cell + gap));
    const most = Math.max(...planes.each.slice(0, shown).map(draw.largest));
    const active = new Set(run.products(at.step, at.window, at.filter).map((each) => each.channel));
    for (let c = 0; c < shown; c++) {
      const left = (c % across) * (run.columns * cell + gap) + 1, top = Math.floor(c / across) * (run.rows * cell + gap) + 1;
      draw.plane(pen, planes.each[c], run.rows, run.columns, left, top, cell, most);
      if (active.has(c)) draw.box(pen, left, top, run.columns * cell, run.rows * cell, "--accent");
      draw.box(pen, left + at.column * cell, top + at.row * cell, cell, cell, "--out", 1.5);
    }
    byId("channels-caption").textContent = `channels 0 to ${shown - 1}` +
      (shown < run.channels ? ` of ${run.channels}` : "") + "; framed: those that this step multiplies";
    const room = draw.room("sum"), large = Math.min(room / run.columns, 24);
    pen = draw.canvas("sum", run.columns * large + 2, run.rows * large + 2);
    draw.plane(pen, planes.seen, run.rows, run.columns, 1, 1, large, draw.largest(planes.seen));
    draw.box(pen, 1 + at.column * large, 1 + at.row * large, large, large, "--out", 3);
  }

  function drawImage() {
    const [top, left, bottom, right] = run.pads, room = Math.min(draw.room("image"), 460);
    const across = run.width + left + right, down = run.height + top + bottom, cell = Math.min(room / across, 34);
    const pen = draw.canvas("image", across * cell + 2, down * cell + 2);
    const products = run.products(at.step, at.window, at.filter), channel = products.length ? products[0].channel : 0;
    const values = new Int32Array(run.height * run.width);
    for (let i = 0; i < values.length; i++) values[i] = run.value(Math.floor(i / run.width), i % run.width, channel);
    pen.fillStyle = draw.css("--sheet");
    pen.fillRect(1, 1, across * cell, down * cell);
    draw.plane(pen, values, run.height, run.width, 1 + left * cell, 1 + top * cell, cell, draw.largest(values));
    const now = new Set(products.map((each) => `${each.ky},${each.kx}`));
    let inside = 0;
    for (let ky = 0; ky < run.kernel[0]; ky++) for (let kx = 0; kx < run.kernel[1]; kx++) {
      const r = run.under(at.row, ky), c = run.beside(at.column, kx), there = run.inside(r, c);
      const x = 1 + (c + left) * cell, y = 1 + (r + top) * cell;
      inside += there;
      draw.box(pen, x + 1, y + 1, cell - 2, cell - 2, now.has(`${ky},${kx}`) ? "--accent" : there ? "--out" : "--line",
        now.has(`${ky},${kx}`) ? 3 : 1.5);
      if (!there) {
        pen.beginPath();
        pen.moveTo(x + 3, y + 3); pen.lineTo(x + cell - 3, y + cell - 3);
        pen.moveTo(x + cell - 3, y + 3); pen.lineTo(x + 3, y + cell - 3);
        pen.strokeStyle = draw.css("--pale");
        pen.lineWidth = 1;
        pen.stroke();
      }
    }
    const taps = run.kernel[0] * run.kernel[1], steps = run.starts[at.window + 1] - run.starts[at.window];
    byId("image-caption").textContent = `input channel ${channel}, its padding around it; orange: the window of this output, blue: the taps of this step, crossed: outside`;
    byId("taps").textContent = `${inside} of the ${taps} taps of out[${at.row}, ${at.column}] lie inside the image: ` +
      `${text(inside * run.channels)} products for each of ${run.blocks[run.blockOf(at.filter)][1]} filters at once, in ${steps} steps of up to ${run.lanesIn} lanes.`;
    const rows = products.map(({ lane, ky, kx, channel: c, input, weight }) =>
      [lane, `${ky}, ${kx}`, c, text(input), text(weight), text(input * weight)]);
    byId("products").tBodies[0].replaceChildren(...rows.map((cells) => {
      const row = document.createElement("tr");
      cells.forEach((cell, i) => {
        const made = row.insertCell();
        made.textContent = cell;
        if (i > 2) made.className = "figure";
      });
      return row;
    }));
  }

  function drawGrowth() {
    const [first, end] = [run.starts[at.window], run.starts[at.window + 1]], count = end - first;
    const wide = draw.room("growth"), high = 170, pen = draw.canvas("growth", wide, high);
    const values = Array.from({ length: count }, (_, i) => run.sum(first + i, at.filter));
    const most = Math.max(0, ...values), least = Math.min(0, ...values), span = most - least || 1;
    const y = (value) => 12 + (high - 30) * (most - value) / span, step = Math.min(28, wide / count);
    values.forEach((value, i) => {
      const now = first + i === at.step;
      pen.fillStyle = draw.css(now ? "--out" : first + i < at.step ? "--mac" : "--idle");
      pen.fillRect(i * step, Math.min(y(value), y(0)), Math.max(1, step - 2), Math.max(1, Math.abs(y(value) - y(0))));
    });
    pen.strokeStyle = draw.css("--pale");
    pen.lineWidth = 1;
    pen.beginPath(); pen.moveTo(0, y(0)); pen.lineTo(wide, y(0)); pen.stroke();
    pen.fillStyle = draw.css("--ink");
    pen.fillText(`step ${at.step - first + 1} of ${count}`, 2, high - 3);
    const before = at.step > first ? run.sum(at.step - 1, at.filter) : 0, after = run.sum(at.step, at.filter);
    const added = run.products(at.step, at.window, at.filter).reduce((total, each) => total + each.input * each.weight, 0);
    const sign = (value) => `${value < 0 ? "−" : "+"} ${text(Math.abs(value))}`;
    let words = `accumulator: ${text(before)} ${sign(added)} = ${text(after)}`;
    if (at.step === end - 1) {
      const total = after + run.bias[at.filter] | 0;
      words += `; with the bias: ${text(after)} ${sign(run.bias[at.filter])} = ${text(total)}`;
      words += run.requantise ? `; requantised: ${text(run.result(at.row, at.column, at.filter))}` : "";
    }
    byId("equation").textContent = words;
    byId("growth").setAttribute("aria-label", words);
  }

  const colours = () => ["--mac", "--act", "--wgt", "--out", "--idle"].map(draw.css);

  function drawNear() {
    const now = run.cycle[at.step], start = Math.max(0, Math.min(now - NEAR / 2, run.kind.length - NEAR));
    const label = 72, wide = draw.room("near"), cell = (wide - label) / NEAR, line = 18, pen = draw.canvas("near", wide, 5 * line);
    const paints = colours(), names = ["activations", "weights", "results"];
    pen.fillText("array", 0, line - 5);
    names.forEach((name, bit) => pen.fillText(name, 0, (bit + 2) * line - 5));
    for (let i = 0; i < NEAR && start + i < run.kind.length; i++) {
      const x = label + i * cell, thick = Math.max(1, cell - 1);
      pen.fillStyle = paints[run.kind[start + i]];
      pen.fillRect(x, 2, thick, line - 4);
      names.forEach((_, bit) => {
        pen.fillStyle = run.beats[start + i] >> bit & 1 ? paints[bit + 1] : paints[4];
        pen.fillRect(x, (bit + 1) * line + 2, thick, line - 4);
      });
    }
    draw.box(pen, label + (now - start) * cell - 1, 1, cell + 1, 4 * line - 2, "--ink", 2);
    pen.fillStyle = draw.css("--ink");
    pen.fillText(`cycle ${text(start)}`, label, 5 * line - 4);
    byId("cycle-caption").textContent = `This step is taken in cycle ${text(now)}. Around it: what the array does, and in which cycles beats pass the three streams.`;
    byId("near").setAttribute("aria-label", `cycles ${start} to ${start + NEAR - 1}: what the array does, and beats of the streams`);
  }

  let all = null;
  function drawAll() {
    const wide = Math.floor(draw.room("all")), count = run.kind.length, size = count > 40000 ? 2 : 3;
    const across = Math.floor(wide / size), down = Math.ceil(count / across), pen = draw.canvas("all", across * size, down * size);
    const paints = colours();
    for (let start = 0; start < count;) {
      let end = start + 1;
      while (end < count && end % across && run.kind[end] === run.kind[start]) end++;
      pen.fillStyle = paints[run.kind[start]];
      pen.fillRect((start % across) * size, Math.floor(start / across) * size, (end - start) * size, size);
      start = end;
    }
    const now = run.cycle[at.step];
    draw.box(pen, (now % across) * size - 3, Math.floor(now / across) * size - 3, size + 6, size + 6, "--ink", 2);
    all = { across, size };
  }

  function show() {
    const first = run.starts[at.window], count = run.starts[at.window + 1] - first;
    byId("now").textContent = `out[${at.row}, ${at.column}], filter ${at.filter}: step ${at.step - first + 1} of ${count}, cycle ${text(run.cycle[at.step])}`;
    drawPlanes(); drawImage(); drawGrowth(); drawNear(); drawAll();
  }

  // ------------------------------------------------------------------ what people do
  let timer = null;
  function play(on) {
    clearInterval(timer);
    timer = on ? setInterval(() => goTo(at.step + 1), calm.matches ? CALM_PACE : PACE) : null;
    byId("play").setAttribute("aria-pressed", String(on));
    byId("play").textContent = on ? "pause" : "play";
    byId("now").setAttribute("aria-live", on ? "off" : "polite");
  }
  byId("play").addEventListener("click", () => play(timer === null));
  byId("back").addEventListener("click", () => goTo(at.step - 1));
  byId("forward").addEventListener("click", () => goTo(at.step + 1));
  fields.forEach((field) => field.addEventListener("input", () => {
    const values = fields.map((each) => each.valueAsNumber);
    const wrong = values.some((value, i) => !Number.isInteger(value) || value < 0 || value >= limits[i]);
    field.setAttribute("aria-invalid", String(wrong));
    if (!wrong) look(...values);
  }));
  byId("all").addEventListener("click", (event) => {
    const cycle = Math.floor(event.offsetY / all.size) * all.across + Math.floor(event.offsetX / all.size);
    goTo(run.stepAt(cycle));
  });
  addEventListener("keydown", (event) => {
    const page = ["PageUp", "PageDown"].includes(event.key);
    if (event.target.matches("input") && !page || event.target.matches("button") && event.key === " ") return;
    const keys = { ArrowLeft: () => goTo(at.step - 1), ArrowRight: () => goTo(at.step + 1), " ": () => play(timer === null),
      PageUp: () => nextWindow(-1), PageDown: () => nextWindow(1) };
    if (!keys[event.key] || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    keys[event.key]();
  });
  addEventListener("resize", show);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", show);
  look(0, 0, 0);
})();
