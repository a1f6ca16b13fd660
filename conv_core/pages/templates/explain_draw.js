// Drawing: planes of numbers, and a canvas that is sharp on any screen.
const draw = (() => {
  const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

  function canvas(id, wide, high) {
    const element = document.getElementById(id), scale = devicePixelRatio || 1;
    element.width = Math.round(wide * scale);
    element.height = Math.round(high * scale);
    element.style.width = `${wide}px`;
    element.style.height = `${high}px`;
    const pen = element.getContext("2d");
    pen.scale(scale, scale);
    pen.font = "12px system-ui, sans-serif";
    pen.fillStyle = css("--ink");
    return pen;
  }

  const room = (id) => document.getElementById(id).parentElement.clientWidth;

  function shade(value, largest) {
    const part = largest ? Math.min(1, Math.abs(value) / largest) : 0;
    return `rgba(${css(value > 0 ? "--plus" : "--minus")}, ${part.toFixed(3)})`;
  }

  const largest = (values) => values.reduce((most, each) => Math.max(most, Math.abs(each)), 0);

  function plane(pen, values, rows, columns, left, top, cell, most) {
    pen.fillStyle = css("--cell");
    pen.fillRect(left, top, columns * cell, rows * cell);
    const colours = new Map();
    for (let row = 0; row < rows; row++) for (let column = 0; column < columns; column++) {
      const value = values[row * columns + column];
      const key = Math.sign(value) * Math.round(32 * Math.min(1, Math.abs(value) / (most || 1)));
      if (!key) continue;
      if (!colours.has(key)) colours.set(key, shade(key, 32));
      pen.fillStyle = colours.get(key);
      pen.fillRect(left + column * cell, top + row * cell, cell, cell);
    }
    pen.strokeStyle = css("--line");
    pen.lineWidth = 1;
    pen.strokeRect(left, top, columns * cell, rows * cell);
  }

  function box(pen, left, top, wide, high, colour, thick = 2) {
    pen.strokeStyle = css(colour);
    pen.lineWidth = thick;
    pen.strokeRect(left, top, wide, high);
  }

  return { css, canvas, room, plane, largest, box };
})();
