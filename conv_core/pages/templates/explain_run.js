"use strict";
// The run: what the page was given, by name, and what a step means in terms of the layer.
const run = (() => {
  const given = JSON.parse(document.getElementById("data").textContent);
  function array(kind, name) {
    const text = atob(given[name]);
    const bytes = Uint8Array.from(text, (each) => each.charCodeAt(0));
    return new kind(bytes.buffer);
  }
  const { shape, out, kernel, stride, dilation, pads, zero, requantise } = given.layer;
  const [, height, width, channels] = shape;
  const [, rows, columns, filters] = out;
  const [lanesIn, lanesOut] = given.lanes;
  const x = array(Int8Array, "x"), w = array(Int16Array, "w");
  const bias = array(Int32Array, "bias"), y = array(Int32Array, "y");
  const windows = array(Uint16Array, "windows"), starts = array(Uint32Array, "starts");
  const cycle = array(Uint32Array, "cycle"), lanesUsed = array(Uint8Array, "lanesUsed");
  const runOf = array(Uint16Array, "run"), wordOf = array(Uint16Array, "word");
  const sums = array(Int32Array, "sums"), kind = array(Uint8Array, "kind"), beats = array(Uint8Array, "beats");

  const blockOf = (filter) => given.blocks.findIndex(([first, count]) => filter < first + count);
  const laneOf = (filter) => filter - given.blocks[blockOf(filter)][0];
  const index = new Map();
  for (let i = 0; i < windows.length / 4; i++) index.set(windows.slice(4 * i, 4 * i + 4).join(), i);

  const windowOf = (row, column, filter) => index.get([0, row, column, blockOf(filter)].join());
  const place = (window) => ({ frame: windows[4 * window], row: windows[4 * window + 1],
    column: windows[4 * window + 2], block: windows[4 * window + 3] });
  const sum = (step, filter) => sums[step * lanesOut + laneOf(filter)];

  const perTap = given.runBytes === channels && kernel[1] > 1;
  const value = (r, c, channel) => x[(r * width + c) * channels + channel] - zero;
  const weight = (filter, ky, kx, channel) => w[((filter * kernel[0] + ky) * kernel[1] + kx) * channels + channel];
  const under = (row, ky) => row * stride[0] + ky * dilation[0] - pads[0];
  const beside = (column, kx) => column * stride[1] + kx * dilation[1] - pads[1];
  const inside = (r, c) => r >= 0 && r < height && c >= 0 && c < width;

  // What the lanes of a step multiply: tap, channel and numbers.
  function products(step, window, filter) {
    const { row, column } = place(window), found = [];
    const [any, first, last] = lanesUsed.slice(3 * step, 3 * step + 3);
    for (let lane = first; any && lane <= last; lane++) {
      const position = wordOf[step] * lanesIn + lane;
      if (position >= given.runBytes) break;
      const ky = perTap ? Math.floor(runOf[step] / kernel[1]) : runOf[step];
      const kx = perTap ? runOf[step] % kernel[1] : Math.floor(position / channels);
      const channel = position % channels;
      const input = value(under(row, ky), beside(column, kx), channel);
      found.push({ lane, ky, kx, channel, input, weight: weight(filter, ky, kx, channel) });
    }
    return found;
  }

  // What a filter finds in one channel, a plane of (rows, columns).
  function plane(filter, channel) {
    const found = new Int32Array(rows * columns);
    for (let row = 0; row < rows; row++) for (let column = 0; column < columns; column++) {
      let total = 0;
      for (let ky = 0; ky < kernel[0]; ky++) for (let kx = 0; kx < kernel[1]; kx++) {
        const r = under(row, ky), c = beside(column, kx);
        if (inside(r, c)) total += value(r, c, channel) * weight(filter, ky, kx, channel);
      }
      found[row * columns + column] = total;
    }
    return found;
  }

  // The RTL's sums of a filter, with the bias, a plane of (rows, columns).
  function sumsOf(filter) {
    const found = new Int32Array(rows * columns);
    for (let row = 0; row < rows; row++) for (let column = 0; column < columns; column++) {
      const last = starts[windowOf(row, column, filter) + 1] - 1;
      found[row * columns + column] = sum(last, filter) + bias[filter];
    }
    return found;
  }

  const stepAt = (at) => {
    let low = 0, high = cycle.length - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (cycle[middle] < at) low = middle + 1; else high = middle;
    }
    return low;
  };
  const windowAt = (step) => {
    let low = 0, high = starts.length - 2;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (starts[middle] <= step) low = middle; else high = middle - 1;
    }
    return low;
  };
  const result = (row, column, filter) => y[(row * columns + column) * filters + filter];

  return { height, width, channels, rows, columns, filters, kernel, stride, dilation, pads, lanesIn, lanesOut, requantise,
    bias, starts, cycle, kind, beats, kinds: given.kinds, blocks: given.blocks, windowOf, place, sum, value, under,
    beside, inside, products, plane, sumsOf, stepAt, windowAt, result, blockOf };
})();
