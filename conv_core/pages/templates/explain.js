"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const get = (id) => document.getElementById(id);
  const bytes = (text) => Int8Array.from(atob(text), (c) => c.charCodeAt(0));
  const x = bytes(data.x), w = bytes(data.w);
  const acc = new Int32Array(Uint8Array.from(atob(data.acc), (c) => c.charCodeAt(0)).buffer);
  const y = data.y ? bytes(data.y) : null;
  const { height, width, channels, filters, kernel, stride, dilation, pads, groups } = data;
  const [rows, columns] = data.outputs;
  const perGroup = channels / groups, filtersOfGroup = filters / groups;
  const place = { row: 0, column: 0, filter: 0, channel: 0 };
  const ink = () => getComputedStyle(document.body).color;
  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name);
  const dark = () => matchMedia("(prefers-color-scheme: dark)").matches;

  // From blue (negative) over the paper's colour to orange (positive).
  const shade = (value, most) => {
    const share = most ? Math.max(-1, Math.min(1, value / most)) : 0;
    const [r, g, b] = share < 0 ? [9, 105, 218] : [219, 109, 40];
    const base = dark() ? 22 : 243, part = Math.abs(share);
    const mix = (c) => Math.round(base + (c - base) * part);
    return `rgb(${mix(r)}, ${mix(g)}, ${mix(b)})`;
  };
  const first = () => Math.floor(place.filter / filtersOfGroup) * perGroup;
  const at = (r, c, channel) => x[(r * width + c) * channels + channel] - data.in_zp;
  const weight = (ky, kx, channel) => w[((place.filter * kernel[0] + ky) * kernel[1] + kx) * perGroup
    + channel] - data.w_zp[place.filter];
  const tap = (ky, kx) => [place.row * stride[0] + ky * dilation[0] - pads[0],
    place.column * stride[1] + kx * dilation[1] - pads[1]];
  const inside = (r, c) => r >= 0 && r < height && c >= 0 && c < width;

  // In the order of the core: kernel row, kernel column, channel.
  const products = () => {
    const list = [];
    for (let ky = 0; ky < kernel[0]; ky++) for (let kx = 0; kx < kernel[1]; kx++) {
      const [r, c] = tap(ky, kx);
      if (!inside(r, c)) continue;
      for (let n = 0; n < perGroup; n++) {
        list.push({ channel: n, value: at(r, c, first() + n) * weight(ky, kx, n) });
      }
    }
    return list;
  };

  const grid = (canvas, high, wide, value, most) => {
    const context = canvas.getContext("2d");
    context.clearRect(0, 0, canvas.width, canvas.height);
    const cell = Math.min(canvas.width / wide, canvas.height / high);
    for (let r = 0; r < high; r++) for (let c = 0; c < wide; c++) {
      context.fillStyle = shade(value(r, c), most);
      context.fillRect(c * cell, r * cell, Math.max(cell - 1, 1), Math.max(cell - 1, 1));
      if (cell > 24) {
        context.fillStyle = ink();
        context.font = `${Math.floor(cell / 3)}px sans-serif`;
        context.textAlign = "center";
        context.fillText(value(r, c), (c + 0.5) * cell, (r + 0.65) * cell);
      }
    }
    return [context, cell];
  };

  const drawInput = () => {
    const [top, left, bottom, right] = pads;
    const canvas = get("input");
    const [context, cell] = grid(canvas, height + top + bottom, width + left + right,
      (r, c) => (inside(r - top, c - left) ? at(r - top, c - left, first() + place.channel) : 0), 128);
    for (let r = 0; r < height + top + bottom; r++) for (let c = 0; c < width + left + right; c++) {
      if (inside(r - top, c - left)) continue;
      context.clearRect(c * cell, r * cell, cell, cell);
      context.strokeStyle = colour("--line");
      context.beginPath();
      context.moveTo(c * cell, (r + 1) * cell); context.lineTo((c + 1) * cell, r * cell);
      context.stroke();
    }
    context.lineWidth = 3;
    context.strokeStyle = colour("--accent");
    for (let ky = 0; ky < kernel[0]; ky++) for (let kx = 0; kx < kernel[1]; kx++) {
      const [r, c] = tap(ky, kx);
      context.strokeRect((c + left) * cell + 1, (r + top) * cell + 1, cell - 3, cell - 3);
    }
    context.lineWidth = 1;
  };

  const squares = (count) => Math.ceil(Math.sqrt(count));
  const drawAll = () => {
    for (const name of ["row", "column", "filter", "channel"]) {
      get(name).value = place[name];
      get(`${name}-value`).textContent = place[name];
    }
    document.querySelectorAll(".o").forEach((e) => { e.textContent = place.filter; });
    document.querySelectorAll(".c").forEach((e) => { e.textContent = first() + place.channel; });
    drawInput();
    grid(get("kernel"), kernel[0], kernel[1], (r, c) => weight(r, c, place.channel), 128);
    const list = products();
    const sums = new Array(perGroup).fill(0);
    for (const each of list) sums[each.channel] += each.value;
    const side = squares(perGroup);
    const most = Math.max(1, ...sums.map(Math.abs));
    const [context, cell] = grid(get("channels"), Math.ceil(perGroup / side), side,
      (r, c) => sums[r * side + c] ?? 0, most);
    context.strokeStyle = colour("--accent");
    context.strokeRect((place.channel % side) * cell + 1, Math.floor(place.channel / side) * cell + 1,
      cell - 2, cell - 2);
    const results = y || acc;
    const plane = (r, c) => results[(r * columns + c) * filters + place.filter];
    let largest = 1;
    for (let r = 0; r < rows; r++) for (let c = 0; c < columns; c++) {
      largest = Math.max(largest, Math.abs(plane(r, c)));
    }
    const [out, size] = grid(get("output"), rows, columns, plane, largest);
    out.strokeStyle = colour("--accent");
    out.lineWidth = 3;
    out.strokeRect(place.column * size + 1, place.row * size + 1, size - 3, size - 3);
    out.lineWidth = 1;
    drawGrowth(list);
    const bias = data.bias[place.filter];
    const total = bias + list.reduce((sum, each) => sum + each.value, 0);
    const index = (place.row * columns + place.column) * filters + place.filter;
    const same = (total | 0) === acc[index];
    const all = kernel[0] * kernel[1] * perGroup;
    get("sum").textContent = `${list.length} products of ${all}`
      + (list.length < all ? ` (the others lie outside the image)` : "")
      + ` and the bias ${bias} add up to ${total}; the RTL's accumulator is ${acc[index]}: `
      + (same ? "the same." : "NOT the same!")
      + (y ? ` As int8 it gave ${y[index]}.` : "");
    get("sum").dataset.same = same;
  };

  const drawGrowth = (list) => {
    const canvas = get("growth"), context = canvas.getContext("2d");
    context.clearRect(0, 0, canvas.width, canvas.height);
    let sum = data.bias[place.filter];
    const sums = [sum, ...list.map((each) => (sum += each.value))];
    const low = Math.min(0, ...sums), high = Math.max(0, ...sums, low + 1);
    const spot = (value) => canvas.height - 8 - ((value - low) / (high - low)) * (canvas.height - 16);
    context.strokeStyle = colour("--line");
    context.beginPath(); context.moveTo(0, spot(0)); context.lineTo(canvas.width, spot(0)); context.stroke();
    context.strokeStyle = colour("--accent");
    context.beginPath();
    sums.forEach((value, i) => {
      const across = (i / Math.max(sums.length - 1, 1)) * canvas.width;
      if (i) context.lineTo(across, spot(value)); else context.moveTo(across, spot(value));
    });
    context.stroke();
  };

  // ---------------------------------------------------------------- cycles
  const states = [];
  for (const [state, count] of data.activity) for (let i = 0; i < count; i++) states.push(state);
  const hues = { MAC: "--pass", "act?": "--warn", "wgt?": "--accent", "room?": "--fail", "-": "--line" };
  const meaning = { MAC: "the multipliers work", "act?": "waits for activations",
    "wgt?": "waits for weights", "room?": "waits for room at the output", "-": "no step: set-up or the end" };
  const zoom = get("zoom"), cycle = get("cycle");
  for (const count of [states.length, 2000, 500, 100].filter((n, i) => !i || n < states.length)) {
    zoom.add(new Option(count.toLocaleString("en"), count));
  }
  cycle.max = states.length - 1;
  const drawTimeline = () => {
    const canvas = get("timeline"), context = canvas.getContext("2d");
    const shown = Number(zoom.value), now = Number(cycle.value);
    const start = Math.max(0, Math.min(states.length - shown, Math.floor(now - shown / 2)));
    context.clearRect(0, 0, canvas.width, canvas.height);
    for (let pixel = 0; pixel < canvas.width; pixel++) {
      const from = start + Math.floor((pixel * shown) / canvas.width);
      const to = Math.max(from + 1, start + Math.floor(((pixel + 1) * shown) / canvas.width));
      let drawn = 0;
      for (const [state, hue] of Object.entries(hues)) {
        let count = 0;
        for (let i = from; i < to; i++) count += states[i] === state ? 1 : 0;
        const part = (count / (to - from)) * (canvas.height - 20);
        context.fillStyle = colour(hue);
        context.fillRect(pixel, canvas.height - 20 - drawn - part, 1, part);
        drawn += part;
      }
    }
    context.fillStyle = ink();
    context.font = "12px sans-serif";
    context.textAlign = "left"; context.fillText(`cycle ${start}`, 2, canvas.height - 5);
    context.textAlign = "right"; context.fillText(`${start + shown - 1}`, canvas.width - 2, canvas.height - 5);
    const spot = ((now - start + 0.5) / shown) * canvas.width;
    context.fillRect(spot - 1, 0, 2, canvas.height - 20);
    get("cycle-text").textContent = `Cycle ${now} of ${states.length}: ${meaning[states[now]]}.`;
  };
  for (const [state, hue] of Object.entries(hues)) {
    const count = states.filter((each) => each === state).length;
    const item = document.createElement("li");
    const mark = document.createElement("i");
    mark.style.background = `var(${hue})`;
    item.append(mark, `${meaning[state]}: ${count.toLocaleString("en")} cycles`);
    item.dataset.state = state;
    item.dataset.count = count;
    get("legend").append(item);
  }

  // ---------------------------------------------------------------- what one can do
  for (const [name, size] of Object.entries({ row: rows, column: columns, filter: filters, channel: perGroup })) {
    get(name).max = size - 1;
    get(name).addEventListener("input", () => { place[name] = Number(get(name).value); drawAll(); });
  }
  get("output").addEventListener("click", (event) => {
    const canvas = get("output"), box = canvas.getBoundingClientRect();
    const cell = Math.min(canvas.width / columns, canvas.height / rows) * (box.width / canvas.width);
    place.column = Math.min(columns - 1, Math.floor((event.clientX - box.left) / cell));
    place.row = Math.min(rows - 1, Math.floor((event.clientY - box.top) / cell));
    drawAll();
  });
  let timer = null;
  get("play").addEventListener("click", () => {
    if (timer !== null) {
      clearInterval(timer);
      timer = null;
    } else {
      const pace = matchMedia("(prefers-reduced-motion: reduce)").matches ? 1500 : 250;
      timer = setInterval(() => {
        place.column = (place.column + 1) % columns;
        if (!place.column) place.row = (place.row + 1) % rows;
        drawAll();
      }, pace);
    }
    get("play").textContent = timer === null ? "Play" : "Stop";
  });
  cycle.addEventListener("input", drawTimeline);
  zoom.addEventListener("input", drawTimeline);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => { drawAll(); drawTimeline(); });
  drawAll();
  drawTimeline();
})();
