// Draws <canvas data-chart="id of a JSON block"> in the colours of the page; a table stands beside.
(function () {
  "use strict";
  const language = document.documentElement.lang || "en";
  const drawn = new Map();

  function colour(name) {
    return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  }

  function moneyFormat(currency, short) {
    const options = { style: "currency", currency: currency };
    if (short) {
      options.notation = "compact";
      options.minimumFractionDigits = 0;
      options.maximumFractionDigits = 1;
    }
    return new Intl.NumberFormat(language, options);
  }

  function seriesOf(data) {
    const line = data.type === "line";
    return data.series.map(function (series) {
      const paint = colour("--kind-" + series.kind) || colour("--kind-other");
      return {
        label: series.label,
        data: series.values.map(Number),
        backgroundColor: line ? "transparent" : paint,
        borderColor: paint,
        borderWidth: line ? 2 : 0,
        borderRadius: 4,
        borderSkipped: data.type === "stacked" ? false : "start",
        pointRadius: 0,
        pointHitRadius: 16,
        tension: 0.3,
        maxBarThickness: 28,
        categoryPercentage: 0.72,
        barPercentage: 0.9,
      };
    });
  }

  function optionsOf(data, canvas) {
    const whole = moneyFormat(data.currency, false);
    const short = moneyFormat(data.currency, true);
    const stacked = data.type === "stacked";
    const font = { family: getComputedStyle(document.body).fontFamily, size: 12 };
    const words = colour("--text-2");
    const hair = colour("--line");
    const strong = colour("--line-strong");
    return {
      responsive: true,
      maintainAspectRatio: false,
      animation: false,
      interaction: { mode: "index", intersect: false },
      layout: { padding: { top: 4 } },
      plugins: {
        legend: { display: false },
        tooltip: {
          backgroundColor: colour("--raised"),
          titleColor: colour("--text"),
          bodyColor: colour("--text"),
          borderColor: colour("--line-strong"),
          borderWidth: 1,
          cornerRadius: 8,
          padding: 12,
          boxPadding: 6,
          usePointStyle: true,
          titleFont: { family: font.family, size: 13, weight: 600 },
          bodyFont: { family: font.family, size: 13 },
          callbacks: {
            label: function (item) {
              return " " + item.dataset.label + "  " + whole.format(item.raw).replace("-", "\u2212");
            },
          },
        },
      },
      scales: {
        x: {
          stacked: stacked,
          grid: { display: false },
          border: { display: false },
          ticks: { color: words, font: font, maxRotation: 0, autoSkipPadding: 6 },
        },
        y: {
          stacked: stacked,
          beginAtZero: true,
          grid: {
            color: function (line) {
              return line.tick.value === 0 ? strong : hair;
            },
            drawTicks: false,
          },
          border: { display: false },
          ticks: {
            color: words,
            font: font,
            padding: 8,
            maxTicksLimit: canvas.parentElement.clientHeight < 180 ? 4 : 8,
            callback: function (value) {
              return short.format(value).replace("-", "\u2212");
            },
          },
        },
      },
    };
  }

  function draw(canvas) {
    const source = document.getElementById(canvas.dataset.chart);
    if (!source) return;
    const data = JSON.parse(source.textContent);
    const before = drawn.get(canvas);
    if (before) before.destroy();
    const chart = new window.Chart(canvas, {
      type: data.type === "line" ? "line" : "bar",
      data: { labels: data.labels, datasets: seriesOf(data) },
      options: optionsOf(data, canvas),
    });
    drawn.set(canvas, chart);
  }

  function drawAll(root) {
    drawn.forEach(function (chart, canvas) {
      if (canvas.isConnected) return;
      chart.destroy();
      drawn.delete(canvas);
    });
    root.querySelectorAll("canvas[data-chart]").forEach(draw);
  }

  // The drawing library is fetched only by a page that has a chart.
  let library = null;
  function whenReady(next) {
    if (window.Chart) return next();
    if (!library) {
      library = document.createElement("script");
      library.src = document.querySelector('meta[name="chart-script"]').content;
      document.head.append(library);
    }
    library.addEventListener("load", next);
  }

  function start(root) {
    if (!root.querySelector("canvas[data-chart]")) return;
    whenReady(function () {
      Promise.resolve(document.fonts && document.fonts.ready).then(function () {
        drawAll(root);
      });
    });
  }

  start(document);
  document.addEventListener("theme:changed", function () {
    if (window.Chart) drawAll(document);
  });
  document.addEventListener("htmx:load", function (event) {
    if (event.target !== document.body) start(event.target);
  });
})();
